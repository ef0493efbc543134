// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package generate makes what stands around an operator out of its package: charts,
// kustomizations, documentation, roles, and what GitOps tools need to understand its
// objects. Each artefact is a package below it, a function from a Source to Files.
//
// It is pure, and the same package gives the same bytes.
package generate

import (
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/validation"
)

// Files are the content of an artefact by path, with slashes.
type Files map[string][]byte

// Source is what artefacts are made from.
type Source struct {
	// Framework and FrameworkVersion are the objects of the package, as its author wrote them.
	Framework        *v1alpha1.Framework
	FrameworkVersion *v1alpha1.FrameworkVersion
	// Version is the compiled FrameworkVersion; its spec has every default.
	Version *graph.Version
	// Kind is the one that Kudo generates for the Framework.
	Kind v1alpha1.GeneratedKind
	// Names of that kind.
	Names v1alpha1.FrameworkNames
}

// New checks and compiles a package. The error names every mistake by its field.
func New(p *pack.Package) (*Source, error) {
	s := &Source{Framework: p.Framework.DeepCopy(), FrameworkVersion: p.Version.DeepCopy()}
	errs := validation.Framework(s.Framework)
	version, wrong := graph.Compile(&s.FrameworkVersion.Spec)
	if errs = append(errs, wrong...); len(errs) > 0 {
		return nil, mistakes(errs)
	}
	s.Version = version
	s.Names = crdgen.Names(s.Framework)
	if err := crdgen.CheckNames(s.Names); err != nil {
		return nil, fmt.Errorf("naming the generated kind: %w", err)
	}
	s.Kind = crdgen.Generated(s.Names)
	return s, nil
}

func mistakes(list field.ErrorList) error {
	errs := make([]error, 0, len(list))
	for _, e := range list {
		errs = append(errs, e)
	}
	return fmt.Errorf("nothing can be generated from a package with mistakes:\n%w", errors.Join(errs...))
}

// ID is the framework and the version, as in the FrameworkVersion's name.
func (s *Source) ID() string { return s.Framework.Name + "-" + s.FrameworkVersion.Spec.Version }

// Title is the name of the software as people write it.
func (s *Source) Title() string {
	if s.Framework.Spec.DisplayName != "" {
		return s.Framework.Spec.DisplayName
	}
	return s.Framework.Name
}

// Account is the name that artefacts give to the account of Instances.
func (s *Source) Account() string { return s.Framework.Name + "-installer" }

// Header is the comment at the head of a generated file.
func (s *Source) Header(artefact string) string {
	return fmt.Sprintf("Made by `kubectl kudo generate %s` from %s %s. It does not overwrite what was edited by hand.",
		artefact, s.Framework.Name, s.FrameworkVersion.Spec.Version)
}

// Example is an object of the generated kind: what is required, and nothing else. A
// parameter without a value that could be guessed gets the least that its schema allows.
func (s *Source) Example() map[string]any {
	spec := map[string]any{"version": s.FrameworkVersion.Spec.Version, "serviceAccountName": s.Account()}
	if required := s.required(); len(required) > 0 {
		spec["parameters"] = required
	}
	return map[string]any{
		"apiVersion": s.Kind.APIVersion,
		"kind":       s.Kind.Kind,
		"metadata":   map[string]any{"name": s.ExampleName()},
		"spec":       spec,
	}
}

// ExampleName is the name of the example.
func (s *Source) ExampleName() string {
	if len(s.Names.ShortNames) > 0 {
		return s.Names.ShortNames[0]
	}
	return "example"
}

// required gives a value to every parameter that has to be set.
func (s *Source) required() map[string]any {
	out := map[string]any{}
	sets := s.Version.Params.Extremes()
	for _, p := range s.FrameworkVersion.Spec.Parameters {
		if p.Required && len(sets) > 0 {
			out[p.Name] = sets[0][p.Name]
		}
	}
	return out
}

// Kinds lists the kinds of objects that a task applies, deletes or runs, with defaults and
// with extreme parameters, in the order in which they are rendered.
func (s *Source) Kinds(task string) []string {
	t := s.Version.Task(task)
	if t == nil {
		return nil
	}
	id := graph.Identity{Name: s.ExampleName(), Namespace: s.Framework.Name}
	var out []string
	for _, values := range s.Version.Params.Extremes() {
		rendered, err := s.Version.RenderTask(t, s.Version.SampleInputs(values), id, graph.Run{ID: "sample", Attempt: 1}, nil)
		if err != nil {
			continue // extremes that the version's own rules refuse need not render
		}
		for _, o := range rendered {
			if kind := o.Object.GetKind(); !slices.Contains(out, kind) {
				out = append(out, kind)
			}
		}
	}
	return out
}

// Rights says why the rights that an Instance needs can not be told: they are found by
// rendering templates, which takes a value for everything that is required.
func (s *Source) Rights() error { return s.Version.Unrendered() }
