// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kustomize makes kustomizations: one that publishes the framework, a base with an
// object of the generated kind and its rights, and an overlay that shows how to change both.
package kustomize

import (
	"fmt"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/rbac"
)

// Artefact is the name of this artefact.
const Artefact = "kustomize"

// The directories of the set; other artefacts refer to them.
const (
	// FrameworkDir publishes the framework.
	FrameworkDir = "framework"
	// BaseDir has an object and its rights.
	BaseDir = "base"
	// OverlayDir is an example of an overlay.
	OverlayDir = "overlays/example"
)

// set collects files and the first error.
type set struct {
	header string
	files  generate.Files
	err    error
}

func (s *set) add(path, comment string, objects ...any) {
	header := s.header
	if comment != "" {
		header += "\n\n" + comment
	}
	raw, err := generate.Documents(header, objects...)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("making %s: %w", path, err)
	}
	s.files[path] = raw
}

// kustomization adds a kustomization.yaml to a directory.
func (s *set) kustomization(dir, comment string, fields map[string]any) {
	fields["apiVersion"], fields["kind"] = "kustomize.config.k8s.io/v1beta1", "Kustomization"
	s.add(dir+"/kustomization.yaml", comment, fields)
}

// Files of the artefact; the overlay is for the namespace.
func Files(s *generate.Source, namespace string) (generate.Files, error) {
	if err := s.Rights(); err != nil {
		return nil, err
	}
	out := &set{header: s.Header(Artefact), files: generate.Files{}}
	framework(s, out)
	base(s, out)
	overlay(s, out, namespace)
	out.files["README.md"] = []byte(readme(s))
	return out.files, out.err
}

// framework has the objects of the package as their author wrote them.
func framework(s *generate.Source, out *set) {
	out.add(FrameworkDir+"/framework.yaml", "", s.Framework)
	out.add(FrameworkDir+"/version.yaml", "", s.FrameworkVersion)
	out.kustomization(FrameworkDir, "Objects of the cluster: a namespace set here, or in an overlay of this, would make them invalid.",
		map[string]any{"resources": []any{"framework.yaml", "version.yaml"}})
}

func base(s *generate.Source, out *set) {
	o := rbac.Make(s, s.Framework.Name, s.Account())
	out.add(BaseDir+"/account.yaml", "The account as which Kudo writes the objects. It needs no token.", o.Account)
	out.add(BaseDir+"/role.yaml", "What the account may do, and what Kudo's manager may do as the account.", slices.Concat(o.Role, o.Impersonation)...)
	resources := []any{"account.yaml", "role.yaml"}
	if wide := slices.Concat(o.Cluster, o.Elsewhere); len(wide) > 0 {
		out.add(BaseDir+"/cluster.yaml", "Rights beyond the namespace. ClusterRoles whose name has elsewhere are for other namespaces: bind them there.", wide...)
		resources = append(resources, "cluster.yaml")
	}
	example := s.Example()
	example["metadata"] = map[string]any{"name": s.ExampleName(), "namespace": s.Framework.Name}
	out.add(BaseDir+"/"+s.Names.Singular+".yaml", required(s), example)
	resources = append(resources, s.Names.Singular+".yaml")
	out.add(BaseDir+"/names.yaml", "Where the generated kind names an account, so that prefixes and suffixes reach it.", map[string]any{
		"nameReference": []any{map[string]any{
			"kind": "ServiceAccount", "version": "v1",
			"fieldSpecs": []any{map[string]any{"group": v1alpha1.TypedGroup, "kind": s.Kind.Kind, "path": "spec/serviceAccountName"}},
		}},
	})
	out.kustomization(BaseDir, "", map[string]any{"resources": resources, "configurations": []any{"names.yaml"}})
}

// required says what the object can not do without.
func required(s *generate.Source) string {
	var names []string
	for _, p := range s.Version.Spec.Parameters {
		if p.Required {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return "What is not set takes the default of the version."
	}
	return "What is not set takes the default of the version. Required, with values that only show the form: " + strings.Join(names, ", ") + "."
}

func overlay(s *generate.Source, out *set, namespace string) {
	out.kustomization(OverlayDir, "An example: copy it for each environment.", map[string]any{
		"namespace": namespace, "resources": []any{"../../" + BaseDir},
		"patches": []any{map[string]any{"path": "parameters.yaml", "target": map[string]any{"group": v1alpha1.TypedGroup, "kind": s.Kind.Kind}}},
	})
	patch := s.Example()
	spec := map[string]any{"version": s.Version.Spec.Version}
	if set := defaults(s); len(set) > 0 {
		spec["parameters"] = set
	}
	patch["spec"] = spec
	out.add(OverlayDir+"/parameters.yaml", "Name what this environment needs otherwise. The values here are the defaults of the first few parameters.", patch)
}

// shown is how many parameters the overlay shows.
const shown = 3

// defaults of the first parameters that have one.
func defaults(s *generate.Source) map[string]any {
	out := map[string]any{}
	for _, p := range s.Version.Spec.Parameters {
		if p.Default != nil && len(out) < shown {
			out[p.Name] = p.Default
		}
	}
	return out
}

func readme(s *generate.Source) string {
	return fmt.Sprintf(`<!-- %s -->

# %s %s with kustomize

| directory | what it makes | who applies it |
|---|---|---|
| `+"`%s`"+` | the Framework and the FrameworkVersion, objects of the cluster | who publishes: the ClusterRole `+"`kudo-author`"+` |
| `+"`%s`"+` | an object of the kind %s, its account and the least rights that it needs | an admin of the namespace who holds these rights |
| `+"`%s`"+` | the base in a namespace, with parameters of its own | the same |

## Order

The kind %s exists once Kudo has read the framework. Until then no tool can apply an object of it, not even as a dry run. Apart from that, objects may come in any order: Kudo waits for what they refer to.

- **kubectl**: apply `+"`%s`"+`, wait for `+"`kubectl wait --for=condition=Ready framework/%s`"+`, then apply the overlay.
- **Flux**: one Kustomization for each, the second with `+"`dependsOn`"+` the first, which waits for the Framework: `+"`kubectl kudo generate flux`"+` makes both.
- **Argo CD**: one Application for each, the first in an earlier sync wave, or both in one with the annotation `+"`argocd.argoproj.io/sync-options: SkipDryRunOnMissingResource=true`"+` on the object: `+"`kubectl kudo generate argocd`"+` makes both.

When an object is removed, Kudo cleans up as its account. Remove the object first, and the account and its roles once it is gone; a tool that prunes all at once leaves the clean-up without rights.

## Changing it

- A change of `+"`spec.version`"+` runs the plan upgrade, a change of parameters the plan update or the one that the parameter names.
- Publish a new version beside the old one: objects may still run it. A published version is sealed.
- Prefixes and suffixes of names reach `+"`spec.serviceAccountName`"+`; names of ClusterRoles begin with the namespace of the base and are not changed with it.
`, s.Header(Artefact), generate.Prose(s.Title()), s.Version.Spec.Version, FrameworkDir, BaseDir, s.Kind.Kind, OverlayDir, s.Kind.Kind, FrameworkDir, s.Framework.Name)
}
