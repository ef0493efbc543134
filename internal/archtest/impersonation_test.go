// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// TestImpersonationIsConstrained: what the manager may do as an account is a list of
// kinds, and the list takes effect only where an admin binds it in a tenant's namespace.
func TestImpersonationIsConstrained(t *testing.T) {
	const impersonateOn = "kudo-impersonate-on"
	power := []string{
		rbacv1.GroupName, "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "certificates.k8s.io",
		"authentication.k8s.io", "authorization.k8s.io",
	}
	objects := rendered(t, "config", "default")
	bindings := bound(t, objects)
	for name := range bindings {
		if strings.HasSuffix(name, " "+impersonateOn) {
			t.Error("config/default binds " + impersonateOn + ": only an admin does, in the namespace of a tenant")
		}
	}
	for _, r := range rolesOf(t, objects) {
		for _, rule := range r.rules {
			for _, verb := range rule.Verbs {
				switch {
				case strings.HasPrefix(verb, "impersonate-on:serviceaccount:"):
					checkImpersonateOn(t, r, rule, impersonateOn, power)
				case strings.HasPrefix(verb, "impersonate"):
					if verb != "impersonate:serviceaccount" || !slices.Equal(rule.Resources, []string{"serviceaccounts"}) {
						t.Errorf("%s: verb %q on %v", r, verb, rule.Resources)
					}
				}
			}
		}
	}
}

func checkImpersonateOn(t *testing.T, r role, rule rbacv1.PolicyRule, name string, power []string) {
	t.Helper()
	if r.kind != "ClusterRole" || r.name != name {
		t.Errorf("%s has verbs of impersonation: they belong into %s", r, name)
	}
	if len(rule.Resources) == 0 {
		t.Errorf("%s: a rule without resources", r)
	}
	for _, group := range rule.APIGroups {
		if group == "*" || slices.Contains(power, group) {
			t.Errorf("%s: API group %q", r, group)
		}
	}
	for _, resource := range rule.Resources {
		if strings.Contains(resource, "*") || resource == "nodes" || resource == "namespaces" || resource == "serviceaccounts/token" {
			t.Errorf("%s: resource %q", r, resource)
		}
	}
}

// TestLegacyImpersonationIsOptional: the component is the one place of the verb, it is
// no part of config/default, and it binds nothing by itself.
func TestLegacyImpersonationIsOptional(t *testing.T) {
	text := read(t, "config", "components", "legacy-impersonation", "role.yaml")
	if strings.Contains(text, "Binding") {
		t.Error("the component legacy-impersonation binds something")
	}
	for _, o := range rendered(t, "config", "default") {
		if o.GetName() == "kudo-impersonate-legacy" {
			t.Error("config/default contains the role of plain impersonation")
		}
	}
}
