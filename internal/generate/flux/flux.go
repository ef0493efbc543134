// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package flux makes Kustomizations of Flux that deliver what generate kustomize makes, in
// the order that it needs, with expressions that tell Flux how an object of Kudo's does.
package flux

import (
	"fmt"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/kustomize"
)

// Artefact is the name of this artefact.
const Artefact = "flux"

const (
	namespaceOfFlux = "flux-system"
	// longest and least bound how long Flux waits for an object.
	longest, least = 24 * time.Hour, 10 * time.Minute
)

// Expression tells how an object of a kind does. Flux looks at failed before current, and
// takes what is neither for in progress.
type Expression struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Failed     string `json:"failed"`
	Current    string `json:"current"`
}

func condition(name, status string) string {
	return fmt.Sprintf("has(status.conditions) && status.conditions.exists(c, c.type == '%s' && c.status == '%s')", name, status)
}

// Expressions for all of Kudo's kinds and for the generated one.
func Expressions(s *generate.Source) []Expression {
	kudo := v1alpha1.GroupVersion.String()
	stalled, ready := condition(v1alpha1.ConditionStalled, "True"), "!has(metadata.deletionTimestamp) && "+condition(v1alpha1.ConditionReady, "True")
	return []Expression{
		{kudo, "Framework", stalled, ready},
		{kudo, "FrameworkVersion", condition(v1alpha1.ConditionValid, "False"), ready},
		{kudo, "Instance", stalled, ready},
		{kudo, "PlanExecution", "(" + stalled + ") || (" + condition(v1alpha1.ConditionSucceeded, "False") + ")", condition(v1alpha1.ConditionSucceeded, "True")},
		{s.Kind.APIVersion, s.Kind.Kind, stalled, ready},
	}
}

func expressionsFor(s *generate.Source, kinds ...string) []any {
	var out []any
	for _, kind := range kinds {
		for _, e := range Expressions(s) {
			if e.Kind == kind {
				out = append(out, e)
			}
		}
	}
	return out
}

func kustomization(name, path string, spec map[string]any) map[string]any {
	spec["interval"], spec["retryInterval"] = "10m", "1m"
	spec["path"] = "./" + path
	spec["sourceRef"] = map[string]any{"kind": "GitRepository", "name": "platform"}
	return map[string]any{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
		"metadata": map[string]any{"name": name, "namespace": namespaceOfFlux}, "spec": spec,
	}
}

// Files of the artefact; the object is delivered to the namespace.
func Files(s *generate.Source, namespace string) (generate.Files, error) {
	out := generate.Files{"README.md": []byte(readme(s))}
	name := s.Framework.Name
	publish := kustomization(name+"-framework", name+"/"+kustomize.FrameworkDir, map[string]any{
		"prune": false, "wait": true, "timeout": "5m", // versions stay: objects may run them
		"healthCheckExprs": expressionsFor(s, "Framework", "FrameworkVersion"),
	})
	object := kustomization(name, name+"/"+kustomize.OverlayDir, map[string]any{
		"prune": true, "wait": true, "timeout": patience(s).String(), "targetNamespace": namespace,
		"dependsOn":        []any{map[string]any{"name": name + "-framework"}},
		"healthCheckExprs": expressionsFor(s, s.Kind.Kind),
		"patches": []any{map[string]any{
			"target": map[string]any{"kind": "(ServiceAccount|Role|RoleBinding|ClusterRole|ClusterRoleBinding)"},
			"patch":  "- op: add\n  path: /metadata/annotations\n  value: {kustomize.toolkit.fluxcd.io/prune: disabled}\n",
		}},
	})
	for file, c := range map[string]struct {
		comment string
		object  any
	}{
		"framework.yaml":           {"Publishes the framework, and is ready once the kind exists.", publish},
		s.Names.Singular + ".yaml": {"Delivers an object once the kind exists. Its account and roles are not pruned: Kudo cleans up\nwith them. The time-out is the sum of those of the plan deploy.", object},
	} {
		raw, err := generate.Documents(s.Header(Artefact)+"\n\n"+c.comment, c.object)
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", file, err)
		}
		out[file] = raw
	}
	return out, nil
}

// patience is the sum of the time-outs of the plan deploy.
func patience(s *generate.Source) time.Duration {
	var sum time.Duration
	if p := s.Version.Plans[v1alpha1.PlanDeploy]; p != nil {
		p.Program.Root.Leaves(func(n *engine.Node) { sum += min(n.Task.Timeout, longest) })
	}
	return min(max(sum, least), longest)
}

func readme(s *generate.Source) string {
	return fmt.Sprintf(`<!-- %s -->

# %s %s with Flux

Two Kustomizations deliver what `+"`kubectl kudo generate kustomize`"+` makes, from a GitRepository named `+"`platform`"+` in which the set lies in the directory `+"`%s`"+`:

1. `+"`framework.yaml`"+` publishes the framework. Kudo then serves the kind %s.
2. `+"`%s.yaml`"+` depends on it, and delivers an object: Flux dry-runs everything first, which takes a kind that exists.

## How Flux sees the objects

| status | when |
|---|---|
| current | Ready, or the run succeeded |
| in progress | a plan runs or waits for a person's approval, or Kudo has not seen the newest spec |
| failed | a plan is stalled, failed or was cancelled |

Kudo's conditions follow kstatus, so Flux understands them without the expressions too, but for a version that is not valid. The expressions say it for certain, and for all of Kudo's kinds:

`+"```yaml\n%s```"+`

## Good to know

- The account and its roles are not pruned, because Kudo cleans up with them when the object is removed. Remove them once the object is gone.
- Versions are not pruned either: objects may run them. Delete a FrameworkVersion by hand; that is refused while it is in use.
`, s.Header(Artefact), generate.Prose(s.Title()), s.Version.Spec.Version, s.Framework.Name, s.Kind.Kind, s.Names.Singular, snippet(s))
}

func snippet(s *generate.Source) string {
	raw, err := generate.YAML(map[string]any{"healthCheckExprs": Expressions(s)})
	if err != nil {
		return ""
	}
	return string(raw)
}
