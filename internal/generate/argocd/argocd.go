// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package argocd teaches Argo CD to judge and steer Kudo's objects and those of a generated
// kind: health checks and actions in Lua, as a patch of its ConfigMap, and Applications that
// deliver what generate kustomize makes.
package argocd

import (
	"embed"
	"fmt"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/generate"
)

// Artefact is the name of this artefact.
const Artefact = "argocd"

//go:embed lua
var scripts embed.FS

// customization is what Argo CD learns about a kind.
type customization struct {
	group, kind string
	// health is the script that judges an object.
	health string
	// discovery is the script that tells which actions there are, by definitions.
	discovery string
	actions   []action
}

// action is a script that changes an object, or makes another one.
type action struct{ name, script string }

// customizations of all kinds, in the order of the documentation.
func customizations(s *generate.Source) ([]customization, error) {
	read := map[string]string{}
	for _, name := range []string{"condition", "instance", "execution", "framework", "version", "execution_discovery"} {
		raw, err := scripts.ReadFile("lua/" + name + ".lua")
		if err != nil {
			return nil, fmt.Errorf("reading the script %s: %w", name, err)
		}
		read[name] = string(raw)
	}
	judge := func(name string) string { return read["condition"] + "\n" + read[name] }
	kudo := v1alpha1.GroupVersion.Group
	return []customization{
		{group: kudo, kind: "Framework", health: judge("framework")},
		{group: kudo, kind: "FrameworkVersion", health: judge("version")},
		{group: kudo, kind: "Instance", health: judge("instance"), discovery: suspension(""), actions: suspensions()},
		{group: kudo, kind: "PlanExecution", health: judge("execution"), discovery: read["execution_discovery"], actions: requests()},
		{
			group: v1alpha1.TypedGroup, kind: s.Kind.Kind, health: judge("instance"),
			discovery: suspension(runnable(s)), actions: append(suspensions(), runs(s)...),
		},
	}, nil
}

// Data is the content of the ConfigMap.
func Data(s *generate.Source) (map[string]string, error) {
	all, err := customizations(s)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, c := range all {
		key := c.group + "_" + c.kind
		out["resource.customizations.health."+key] = c.health
		if c.discovery == "" {
			continue
		}
		definitions := make([]any, 0, len(c.actions))
		for _, a := range c.actions {
			definitions = append(definitions, map[string]any{"name": a.name, "action.lua": a.script})
		}
		raw, err := generate.YAML(map[string]any{"discovery.lua": c.discovery, "definitions": definitions})
		if err != nil {
			return nil, err
		}
		out["resource.customizations.actions."+key] = string(raw)
	}
	return out, nil
}

// suspension lists the actions of objects that a person can suspend, and others.
func suspension(more string) string {
	return `local suspended = obj.spec.suspend == true
local actions = {
  ["suspend"] = { disabled = suspended },
  ["unsuspend"] = { disabled = not suspended },
}
` + more + "return actions\n"
}

func suspensions() []action {
	return []action{
		{"suspend", "obj.spec.suspend = true\nreturn obj\n"},
		{"unsuspend", "obj.spec.suspend = false\nreturn obj\n"},
	}
}

// requests are the actions of executions: each appends a request, which Kudo carries out
// once. What needs a path, such as skip, has no place here.
func requests() []action {
	var out []action
	for _, r := range []struct{ name, action, mode string }{
		{"pause", v1alpha1.ActionPause, ""}, {"resume", v1alpha1.ActionResume, ""}, {"retry", v1alpha1.ActionRetry, ""},
		{"approve", v1alpha1.ActionApprove, ""}, {"cancel", v1alpha1.ActionCancel, ""}, {"cancel-undo", v1alpha1.ActionCancel, v1alpha1.CancelUndo},
	} {
		mode := ""
		if r.mode != "" {
			mode = fmt.Sprintf(", mode = %q", r.mode)
		}
		out = append(out, action{r.name, fmt.Sprintf(`if obj.spec.requests == nil then
  obj.spec.requests = {}
end
local n = #obj.spec.requests + 1
obj.spec.requests[n] = { id = "argocd-" .. n .. "-%s", action = %q%s, reason = "asked for in Argo CD" }
return obj
`, r.name, r.action, mode)})
	}
	return out
}

// byHand are the plans that a person can run.
func byHand(s *generate.Source) []string {
	var out []string
	for _, name := range s.Version.PlanNames {
		if name != v1alpha1.PlanCleanup {
			out = append(out, name)
		}
	}
	return append(out, v1alpha1.PlanRollback)
}

func runnable(s *generate.Source) string {
	var out strings.Builder
	out.WriteString("local made = obj.status ~= nil and obj.status.instance ~= nil and obj.metadata.deletionTimestamp == nil\n")
	for _, plan := range byHand(s) {
		fmt.Fprintf(&out, "actions[%q] = { disabled = not made }\n", "run-"+plan)
	}
	return out.String()
}

// runs make an execution for each plan. Its name has no room for the plan's: a name of an
// execution has at most 63 characters, and Argo CD's Lua can not cut a text.
func runs(s *generate.Source) []action {
	var out []action
	for _, plan := range byHand(s) {
		out = append(out, action{"run-" + plan, fmt.Sprintf(`local os = require("os")
local execution = {
  apiVersion = %q,
  kind = "PlanExecution",
  metadata = {
    name = obj.status.instance .. "-" .. os.date("!%%Y%%m%%d%%H%%M%%S"),
    namespace = obj.metadata.namespace,
  },
  spec = { instance = obj.status.instance, plan = %q },
}
return { { operation = "create", resource = execution } }
`, v1alpha1.GroupVersion.String(), plan)})
	}
	return out
}

// Files of the artefact; the Application is for the namespace.
func Files(s *generate.Source, namespace string) (generate.Files, error) {
	data, err := Data(s)
	if err != nil {
		return nil, err
	}
	header := s.Header(Artefact)
	cm := map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{
			"name": "argocd-cm", "namespace": "argocd",
			"labels": map[string]any{"app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd"},
		},
		"data": data,
	}
	out := generate.Files{"README.md": []byte(readme(s))}
	contents := map[string]struct {
		comment string
		object  any
	}{
		"argocd-cm.yaml":             {"A patch: kubectl -n argocd patch configmap argocd-cm --patch-file argocd-cm.yaml", cm},
		"application-framework.yaml": {"Publishes the framework. Set repoURL and path to where the set of generate kustomize lies.", frameworkApplication(s)},
		"application.yaml":           {"Delivers an object. Set repoURL and path to where the set of generate kustomize lies.", application(s, namespace)},
	}
	for file, c := range contents {
		if out[file], err = generate.Documents(header+"\n\n"+c.comment, c.object); err != nil {
			return nil, fmt.Errorf("making %s: %w", file, err)
		}
	}
	return out, nil
}
