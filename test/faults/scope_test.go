// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"kudo.dev/kudo/internal/testing/cluster"
)

// outOfScope are writes that are neither Kudo's own records nor what the version declares,
// made as the account.
func (h *harness) outOfScope(l *ledger, r *run) []string {
	var out []string
	for _, w := range l.managers[r.namespace] {
		allowed := w.Group == "kudo.dev" || w.Resource == "controllerrevisions"
		if w.As != "" {
			allowed = w.As == "system:serviceaccount:"+r.namespace+":"+account && slices.ContainsFunc(h.rules, func(rule rbacv1.PolicyRule) bool {
				return allows(&rule, w)
			})
		}
		if !allowed {
			out = append(out, fmt.Sprintf("%s %s %s as %q is out of scope", w.Verb, w.Resource, stable(w.Name), w.As))
		}
	}
	for namespace := range l.managers {
		if namespace != "" && namespace != "kudo-system" && !strings.HasPrefix(namespace, h.prefix+"-") {
			out = append(out, "writes in the namespace "+namespace)
		}
	}
	return out
}

func allows(rule *rbacv1.PolicyRule, w cluster.Request) bool {
	return slices.Contains(rule.Verbs, w.Verb) && slices.Contains(rule.APIGroups, w.Group) && slices.Contains(rule.Resources, w.Resource)
}
