// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// rendered gives the objects of a kustomization of the repository.
func rendered(t *testing.T, parts ...string) []*unstructured.Unstructured {
	t.Helper()
	result, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), path(t, parts...))
	if err != nil {
		t.Fatalf("rendering %s: %v", strings.Join(parts, "/"), err)
	}
	out := make([]*unstructured.Unstructured, 0, result.Size())
	for _, r := range result.Resources() {
		object, err := r.Map()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &unstructured.Unstructured{Object: object})
	}
	return out
}

// role is a Role or ClusterRole; the former has a namespace.
type role struct {
	kind, name, namespace string
	rules                 []rbacv1.PolicyRule
}

func (r role) String() string { return r.kind + " " + r.name }

func rolesOf(t *testing.T, objects []*unstructured.Unstructured) []role {
	t.Helper()
	var out []role
	for _, o := range objects {
		if o.GetKind() != "Role" && o.GetKind() != "ClusterRole" {
			continue
		}
		var r rbacv1.ClusterRole // a Role has the same fields
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &r); err != nil {
			t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
		if r.AggregationRule != nil {
			t.Errorf("%s %s aggregates: its rules are not the ones that stand here", o.GetKind(), o.GetName())
		}
		out = append(out, role{o.GetKind(), o.GetName(), o.GetNamespace(), r.Rules})
	}
	if len(out) == 0 {
		t.Fatal("there are no roles")
	}
	return out
}

const (
	managerAccount   = "kudo-manager"
	managerNamespace = "kudo-system"
)

// bound are the names of the roles that bindings give to the manager, as "kind name", and
// the namespace in which; empty for everywhere.
func bound(t *testing.T, objects []*unstructured.Unstructured) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, o := range objects {
		if o.GetKind() != "RoleBinding" && o.GetKind() != "ClusterRoleBinding" {
			continue
		}
		var b rbacv1.RoleBinding // a ClusterRoleBinding has the same fields
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &b); err != nil {
			t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
		for _, s := range b.Subjects {
			if s.Kind != rbacv1.ServiceAccountKind || s.Name != managerAccount || s.Namespace != managerNamespace {
				t.Errorf("%s %s binds %s %s/%s: config/default binds its manager only", o.GetKind(), o.GetName(), s.Kind, s.Namespace, s.Name)
				continue
			}
			out[b.RoleRef.Kind+" "+b.RoleRef.Name] = o.GetNamespace()
		}
	}
	if len(out) == 0 {
		t.Fatal("the manager is bound to nothing")
	}
	return out
}

func everyKustomization(t *testing.T, test func(t *testing.T, objects []*unstructured.Unstructured)) {
	t.Helper()
	for _, dir := range [][]string{
		{"config", "rbac"}, {"config", "default"}, {"config", "samples"}, {"config", "overlays", "certmanager"}, {"config", "overlays", "dev"},
	} {
		t.Run(strings.Join(dir, "/"), func(t *testing.T) { test(t, rendered(t, dir...)) })
	}
}

func TestRolesHaveNoWildcards(t *testing.T) {
	everyKustomization(t, func(t *testing.T, objects []*unstructured.Unstructured) {
		for _, r := range rolesOf(t, objects) {
			for _, rule := range r.rules {
				for _, verb := range rule.Verbs {
					if strings.Contains(verb, "*") {
						t.Errorf("%s: verb %q on %v", r, verb, rule.Resources)
					}
				}
				if slices.Contains(rule.APIGroups, "*") {
					t.Errorf("%s: API group \"*\"", r)
				}
				for _, resource := range rule.Resources {
					if strings.Contains(resource, "*") && !slices.Equal(rule.APIGroups, []string{"packages.kudo.dev"}) {
						t.Errorf("%s: resource %q of %v", r, resource, rule.APIGroups)
					}
				}
				for _, url := range rule.NonResourceURLs {
					if strings.Contains(url, "*") {
						t.Errorf("%s: URL %q", r, url)
					}
				}
			}
		}
	})
}

func TestRolesNeverEscalate(t *testing.T) {
	everyKustomization(t, func(t *testing.T, objects []*unstructured.Unstructured) {
		for _, r := range rolesOf(t, objects) {
			for _, rule := range r.rules {
				for _, verb := range []string{"escalate", "bind", "impersonate", "approve", "sign", "attest"} {
					if slices.Contains(rule.Verbs, verb) {
						t.Errorf("%s: verb %q on %v", r, verb, rule.Resources)
					}
				}
				if slices.Contains(rule.APIGroups, rbacv1.GroupName) {
					t.Errorf("%s touches roles or bindings", r)
				}
			}
		}
	})
}

// TestManagerWrites is the whole list of what the manager may write as itself. An
// Instance's objects are written as its account, so no workload stands here.
func TestManagerWrites(t *testing.T) {
	everywhere := map[string][]string{
		"kudo.dev/frameworks":                            {"update", "patch"},
		"kudo.dev/frameworkversions":                     {"update", "patch"},
		"kudo.dev/instances":                             {"create", "update", "patch", "delete"},
		"kudo.dev/planexecutions":                        {"create", "update", "patch", "delete"},
		"kudo.dev/frameworks/status":                     {"update", "patch"},
		"kudo.dev/frameworkversions/status":              {"update", "patch"},
		"kudo.dev/instances/status":                      {"update", "patch"},
		"kudo.dev/planexecutions/status":                 {"update", "patch"},
		"kudo.dev/frameworks/finalizers":                 {"update"},
		"kudo.dev/frameworkversions/finalizers":          {"update"},
		"kudo.dev/instances/finalizers":                  {"update"},
		"kudo.dev/planexecutions/finalizers":             {"update"},
		"packages.kudo.dev/*":                            {"update", "patch"},
		"apps/controllerrevisions":                       {"create", "update", "patch", "delete"},
		"/events":                                        {"create", "patch"},
		"events.k8s.io/events":                           {"create", "patch"},
		"authorization.k8s.io/subjectaccessreviews":      {"create"},
		"authentication.k8s.io/tokenreviews":             {"create"},
		"authentication.k8s.io/serviceaccounts":          {"impersonate:serviceaccount"},
		"apiextensions.k8s.io/customresourcedefinitions": {"create", "update", "patch", "delete"},
		"admissionregistration.k8s.io/mutatingwebhookconfigurations kudo-mutating-webhook-configuration":     {"patch"},
		"admissionregistration.k8s.io/validatingwebhookconfigurations kudo-validating-webhook-configuration": {"patch"},
	}
	athome := map[string][]string{
		"coordination.k8s.io/leases": {"create", "update", "patch"},
		"/secrets":                   {"create"}, // a create can not be restricted by name
		"/secrets kudo-webhook-ca":   {"update"},
	}
	granted := map[write]bool{}
	objects := rendered(t, "config", "default")
	bindings := bound(t, objects)
	for _, r := range rolesOf(t, objects) {
		namespace, isBound := bindings[r.String()]
		if !isBound {
			continue
		}
		list := everywhere
		if r.kind == "Role" {
			list = athome
			if namespace != managerNamespace || r.namespace != managerNamespace {
				t.Errorf("%s is bound in namespace %s", r, namespace)
			}
		}
		for _, what := range writes(r.rules) {
			granted[what] = true
			if !slices.Contains(list[what.on], what.verb) {
				t.Errorf("%s: the manager may %s %s", r, what.verb, what.on)
			}
		}
	}
	for _, list := range []map[string][]string{everywhere, athome} {
		for on, verbs := range list {
			for _, verb := range verbs {
				if !granted[write{verb, on}] {
					t.Errorf("the manager may not %s %s any more: take it off the list", verb, on)
				}
			}
		}
	}
}

// TestAuthorityIsDocumented: docs/spec names every resource of the roles of config/default.
func TestAuthorityIsDocumented(t *testing.T) {
	page := read(t, "docs", "spec", "authority.md")
	for _, r := range rolesOf(t, rendered(t, "config", "default")) {
		if r.kind == "ClusterRole" && !strings.Contains(page, "`"+r.name+"`") {
			t.Errorf("docs/spec/authority.md does not name %s", r)
		}
		for _, rule := range r.rules {
			for _, resource := range rule.Resources {
				resource, _, _ = strings.Cut(resource, "/")
				if resource != "*" && !strings.Contains(strings.ToLower(page), resource) && len(rule.ResourceNames) == 0 {
					t.Errorf("docs/spec/authority.md does not name %s of %s", resource, r)
				}
			}
			for _, name := range rule.ResourceNames {
				if !strings.Contains(page, "`"+name+"`") {
					t.Errorf("docs/spec/authority.md does not name %s of %s", name, r)
				}
			}
		}
	}
}

type write struct{ verb, on string }

// writes lists what rules allow beyond reading.
func writes(rules []rbacv1.PolicyRule) []write {
	var out []write
	for _, rule := range rules {
		names := []string{""}
		if len(rule.ResourceNames) > 0 {
			names = rule.ResourceNames
		}
		for _, verb := range rule.Verbs {
			if verb == "get" || verb == "list" || verb == "watch" {
				continue
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, name := range names {
						out = append(out, write{verb, strings.TrimSpace(group + "/" + resource + " " + name)})
					}
				}
			}
		}
	}
	return out
}

// TestManagerReads: Secrets and ConfigMaps of tenants are read as their accounts only.
func TestManagerReads(t *testing.T) {
	objects := rendered(t, "config", "default")
	bindings := bound(t, objects)
	for _, r := range rolesOf(t, objects) {
		if _, isBound := bindings[r.String()]; !isBound {
			continue
		}
		for _, rule := range r.rules {
			if !slices.Contains(rule.APIGroups, "") {
				continue
			}
			for _, resource := range rule.Resources {
				private := resource == "secrets" || resource == "configmaps" || strings.HasPrefix(resource, "pods/") || strings.HasPrefix(resource, "serviceaccounts/")
				named := r.kind == "Role" && (len(rule.ResourceNames) > 0 || slices.Equal(rule.Verbs, []string{"create"}))
				if private && !named {
					t.Errorf("%s: the manager may %v %s", r, rule.Verbs, resource)
				}
			}
		}
	}
}
