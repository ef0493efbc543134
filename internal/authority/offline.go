// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/render"
)

// Offline maps kinds without a cluster. Those that every cluster has are known; of any
// other the resource is guessed from its name, as kubectl would, and its scope is taken
// for a namespace.
type Offline struct{}

// RESTMapping gives the resource of a kind. It never fails.
func (Offline) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	gvk := gk.WithVersion("")
	if len(versions) > 0 {
		gvk.Version = versions[0]
	}
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	scope := meta.RESTScopeNamespace
	if namespaced, known := render.BuiltinScope(gk); known && !namespaced {
		scope = meta.RESTScopeRoot
	}
	return &meta.RESTMapping{Resource: plural, GroupVersionKind: gvk, Scope: scope}, nil
}

// Guessed lists the kinds of a version that Offline does not know for certain.
func Guessed(v *graph.Version) []schema.GroupVersionKind {
	var out []schema.GroupVersionKind
	for _, gvk := range slices.Concat(v.Rendered, v.Observed(), v.Watched(), v.Consumed) {
		if _, known := render.BuiltinScope(gvk.GroupKind()); !known && !slices.Contains(out, gvk) {
			out = append(out, gvk)
		}
	}
	return out
}
