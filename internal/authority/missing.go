// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"reflect"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Missing is what rules want and others do not allow yet.
func Missing(want, have []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, rule := range want {
		if len(rule.NonResourceURLs) > 0 {
			if !slices.ContainsFunc(have, func(h rbacv1.PolicyRule) bool { return reflect.DeepEqual(h, rule) }) {
				out = append(out, rule)
			}
			continue
		}
		for _, group := range rule.APIGroups {
			var parts []rbacv1.PolicyRule
			for _, resource := range rule.Resources {
				parts = lack(parts, rule, group, resource, have)
			}
			out = append(out, parts...)
		}
	}
	return out
}

// lack adds the verbs that are missing on a resource, to the rule before if they are the same.
func lack(parts []rbacv1.PolicyRule, rule rbacv1.PolicyRule, group, resource string, have []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var verbs []string
	for _, verb := range rule.Verbs {
		if !slices.ContainsFunc(have, func(h rbacv1.PolicyRule) bool { return allows(h, group, resource, verb, rule.ResourceNames) }) {
			verbs = append(verbs, verb)
		}
	}
	if len(verbs) == 0 {
		return parts
	}
	if n := len(parts); n > 0 && slices.Equal(parts[n-1].Verbs, verbs) {
		parts[n-1].Resources = append(parts[n-1].Resources, resource)
		return parts
	}
	return append(parts, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs, ResourceNames: rule.ResourceNames})
}

func allows(h rbacv1.PolicyRule, group, resource, verb string, names []string) bool {
	has := func(list []string, one string) bool { return slices.Contains(list, one) || slices.Contains(list, "*") }
	named := func(name string) bool { return slices.Contains(h.ResourceNames, name) }
	every := len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return !named(n) })
	return has(h.APIGroups, group) && has(h.Resources, resource) && has(h.Verbs, verb) && (len(h.ResourceNames) == 0 || every)
}
