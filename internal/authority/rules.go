// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package authority says what the account of an Instance must be allowed to do, and what
// the manager must be allowed to do as that account. The controller reports it and the
// plugin prints it, so they can not disagree.
//
// The package is pure.
package authority

import (
	"cmp"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/health"
)

// Mapper finds the resource of a kind; an error says that there is no such kind (yet).
type Mapper interface {
	RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error)
}

// Watched are the kinds that the manager watches under its own read-only role.
// Every other kind is read as the Instance's account.
func Watched() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "apps", Version: "v1", Kind: "StatefulSet"},
		{Group: "apps", Version: "v1", Kind: "DaemonSet"},
		{Group: "batch", Version: "v1", Kind: "Job"},
		{Version: "v1", Kind: "Service"},
		{Version: "v1", Kind: "PersistentVolumeClaim"},
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
	}
}

// verbs are what Kudo does to an object as the account: read whether it is there,
// apply it (a creation needs both verbs), and delete it.
var verbs = []string{"get", "create", "patch", "delete"}

// watchVerbs are those for a kind that the manager does not watch itself: the account
// watches it.
var watchVerbs = []string{"get", "list", "watch", "create", "patch", "delete"}

// readVerbs are what observing an object takes.
var readVerbs = []string{"get", "list"}

// noticeVerbs are what it takes to notice that something changed that pods consume, or
// that a recovery rule observes.
var noticeVerbs = []string{"get", "list", "watch"}

// Rules are the permissions that an Instance's account needs, found by rendering
// every task with defaults and with extreme parameters. A kind that the mapper does
// not know yet is left out until it does.
func Rules(v *graph.Version, mapper Mapper) []rbacv1.PolicyRule {
	return append(used(v, mapper), held(v).all()...)
}

// used are the rules that Kudo makes use of as the account.
func used(v *graph.Version, mapper Mapper) []rbacv1.PolicyRule {
	var watched, others []schema.GroupVersionKind
	for _, gvk := range v.Rendered {
		if slices.Contains(Watched(), gvk) {
			watched = append(watched, gvk)
		} else {
			others = append(others, gvk)
		}
	}
	out := slices.Concat(grouped(watched, mapper, verbs), grouped(others, mapper, watchVerbs), grouped(v.Observed(), mapper, readVerbs))
	out = append(out, grouped(v.Watched(), mapper, noticeVerbs)...)
	if v.Restarts() || v.ContentPlan("") != "" {
		out = append(out, grouped(v.Consumed, mapper, noticeVerbs)...)
	}
	if v.Generates() {
		out = append(out, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "create"}})
	}
	return append(out, diagnosis(v)...)
}

// diagnosis is what it takes to tell why a workload does not become ready.
func diagnosis(v *graph.Version) []rbacv1.PolicyRule {
	if !slices.ContainsFunc(v.Rendered, func(gvk schema.GroupVersionKind) bool { return health.Explainable(gvk.GroupKind()) }) {
		return nil
	}
	return []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"events", "pods"}, Verbs: readVerbs},
		{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"}},
	}
}

// grouped makes one rule of each API group.
func grouped(kinds []schema.GroupVersionKind, mapper Mapper, verbs []string) []rbacv1.PolicyRule {
	byGroup := map[string][]string{}
	for _, gvk := range kinds {
		mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			continue
		}
		resource := mapping.Resource
		if !slices.Contains(byGroup[resource.Group], resource.Resource) {
			byGroup[resource.Group] = append(byGroup[resource.Group], resource.Resource)
		}
	}
	out := make([]rbacv1.PolicyRule, 0, len(byGroup))
	for group, resources := range byGroup {
		slices.Sort(resources)
		out = append(out, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: slices.Clone(verbs)})
	}
	slices.SortFunc(out, func(a, b rbacv1.PolicyRule) int { return cmp.Compare(a.APIGroups[0], b.APIGroups[0]) })
	return out
}
