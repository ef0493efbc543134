// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworkversion

import (
	"cmp"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/health"
)

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

// rules are the permissions that an Instance's account needs, found by rendering
// every task with defaults and with extreme parameters. A kind that the cluster does
// not know yet is left out until it does.
func rules(v *graph.Version, mapper meta.RESTMapper) []rbacv1.PolicyRule {
	var watched, others []schema.GroupVersionKind
	for _, gvk := range v.Rendered {
		if slices.Contains(apply.Watched(), gvk) {
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
func grouped(kinds []schema.GroupVersionKind, mapper meta.RESTMapper, verbs []string) []rbacv1.PolicyRule {
	byGroup := map[string][]string{}
	for _, gvk := range kinds {
		resource, ok := resourceOf(gvk, mapper)
		if ok && !slices.Contains(byGroup[resource.Group], resource.Resource) {
			byGroup[resource.Group] = append(byGroup[resource.Group], resource.Resource)
		}
	}
	out := make([]rbacv1.PolicyRule, 0, len(byGroup))
	for group, resources := range byGroup {
		slices.Sort(resources)
		out = append(out, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs})
	}
	slices.SortFunc(out, func(a, b rbacv1.PolicyRule) int { return cmp.Compare(a.APIGroups[0], b.APIGroups[0]) })
	return out
}

func resourceOf(gvk schema.GroupVersionKind, mapper meta.RESTMapper) (schema.GroupResource, bool) {
	mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return schema.GroupResource{}, false
	}
	return mapping.Resource.GroupResource(), true
}
