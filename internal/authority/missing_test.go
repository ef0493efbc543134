// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// What is asked for beside what there is must be all that is missing, and no more.
func TestMissing(t *testing.T) {
	named := func(r rbacv1.PolicyRule, names ...string) rbacv1.PolicyRule {
		r.ResourceNames = names
		return r
	}
	health := rbacv1.PolicyRule{NonResourceURLs: []string{"/healthz"}, Verbs: []string{"get"}}
	list := func(r ...rbacv1.PolicyRule) []rbacv1.PolicyRule { return r }
	wanted := rule("apps", []string{"deployments", "statefulsets"}, "get", "patch")
	for name, tt := range map[string]struct{ want, have, missing []rbacv1.PolicyRule }{
		"nothing there":              {list(wanted), nil, list(wanted)},
		"all there":                  {list(wanted), list(wanted), nil},
		"spread over rules":          {list(wanted), list(rule("apps", []string{"deployments"}, "get", "patch"), rule("apps", []string{"statefulsets"}, "patch", "get", "list")), nil},
		"one resource":               {list(wanted), list(rule("apps", []string{"deployments"}, "get", "patch")), list(rule("apps", []string{"statefulsets"}, "get", "patch"))},
		"one verb":                   {list(wanted), list(rule("apps", []string{"deployments", "statefulsets"}, "get")), list(rule("apps", []string{"deployments", "statefulsets"}, "patch"))},
		"another group":              {list(wanted), list(rule("batch", []string{"deployments", "statefulsets"}, "get", "patch")), list(wanted)},
		"everything":                 {list(wanted, rule("", []string{"pods"}, "bind")), list(rule("*", []string{"*"}, "*")), nil},
		"of one object, for all":     {list(wanted), list(named(wanted, "a")), list(wanted)},
		"of all objects, for one":    {list(named(wanted, "a")), list(wanted), nil},
		"of these objects":           {list(named(wanted, "a")), list(named(wanted, "b", "a")), nil},
		"of another object":          {list(named(wanted, "a", "b")), list(named(wanted, "a")), list(named(wanted, "a", "b"))},
		"a path":                     {list(health), list(wanted), list(health)},
		"a path that is there":       {list(health), list(health), nil},
		"a group of two that is new": {list(rbacv1.PolicyRule{APIGroups: []string{"a", "b"}, Resources: []string{"x"}, Verbs: []string{"get"}}), list(rule("a", []string{"x"}, "get")), list(rule("b", []string{"x"}, "get"))},
	} {
		t.Run(name, func(t *testing.T) { same(t, "missing", tt.missing, Missing(tt.want, tt.have)) })
	}
}
