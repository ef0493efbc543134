// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
)

// impersonateOn comes before the verb that the manager uses as a ServiceAccount
// (constrained impersonation of Kubernetes).
const impersonateOn = "impersonate-on:serviceaccount:"

// Grant is what an account needs, by where it is bound.
type Grant struct {
	// Namespace are the rules for the Instance's own namespace.
	Namespace []rbacv1.PolicyRule
	// Elsewhere are those for the other namespaces in which the version may place objects;
	// which ones these are, only its parameters say.
	Elsewhere []rbacv1.PolicyRule
	// Cluster are those for resources of cluster scope.
	Cluster []rbacv1.PolicyRule
	// Held are those that it only grants to others; they stand in none of the above.
	Held Held
}

// Account is the same with what the account only holds among the rest: all that its roles say.
func (g Grant) Account() Grant {
	return Grant{
		Namespace: slices.Concat(g.Namespace, g.Held.Namespace),
		Elsewhere: slices.Concat(g.Elsewhere, g.Held.Elsewhere),
		Cluster:   slices.Concat(g.Cluster, g.Held.Cluster),
	}
}

// Grants sorts the Rules by where they are bound: Namespace, Cluster and Held together are
// exactly these.
func Grants(v *graph.Version, mapper Mapper) Grant {
	cluster := map[schema.GroupResource]bool{}
	elsewhere := map[schema.GroupResource]bool{}
	for _, gvk := range slices.Concat(v.Rendered, v.Observed(), v.Watched(), v.Consumed) {
		mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			continue
		}
		resource := mapping.Resource.GroupResource()
		cluster[resource] = mapping.Scope.Name() == meta.RESTScopeNameRoot
		elsewhere[resource] = elsewhere[resource] || slices.Contains(v.Rendered, gvk) && anyNamespace(v, gvk.GroupKind())
	}
	out := Grant{Held: held(v)}
	for _, rule := range used(v, mapper) {
		root, rest := split(rule, cluster)
		out.Cluster, out.Namespace = add(out.Cluster, root), add(out.Namespace, rest)
		if slices.Contains(rule.Verbs, "create") {
			abroad, _ := split(rest, elsewhere)
			out.Elsewhere = add(out.Elsewhere, abroad)
		}
	}
	return out
}

func anyNamespace(v *graph.Version, gk schema.GroupKind) bool {
	return slices.ContainsFunc(v.Spec.Permissions, func(p v1alpha1.Permission) bool {
		return p.AnyNamespace && p.Group == gk.Group && p.Kind == gk.Kind
	})
}

// split parts the resources of a rule into those of a set and the others.
func split(rule rbacv1.PolicyRule, set map[schema.GroupResource]bool) (in, out rbacv1.PolicyRule) {
	in, out = *rule.DeepCopy(), *rule.DeepCopy()
	in.Resources, out.Resources = nil, nil
	for _, r := range rule.Resources {
		if len(rule.APIGroups) == 1 && set[schema.GroupResource{Group: rule.APIGroups[0], Resource: r}] {
			in.Resources = append(in.Resources, r)
		} else {
			out.Resources = append(out.Resources, r)
		}
	}
	return in, out
}

func add(rules []rbacv1.PolicyRule, rule rbacv1.PolicyRule) []rbacv1.PolicyRule {
	if len(rule.Resources) == 0 {
		return rules
	}
	return append(rules, rule)
}

// Impersonation gives the rules that the manager needs to use these as the account.
// Alone they allow nothing: the account must have the right too.
func Impersonation(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	out := make([]rbacv1.PolicyRule, 0, len(rules))
	for _, rule := range rules {
		on := *rule.DeepCopy()
		for i, verb := range on.Verbs {
			on.Verbs[i] = impersonateOn + verb
		}
		out = append(out, on)
	}
	return out
}
