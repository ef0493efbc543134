// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/render"
)

const version = `
framework: app
version: 1.0.0
parameters:
- {name: pdb, schema: {type: boolean}, default: false}
templates:
- name: all.yaml
  content: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: a}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: a}
    ---
    apiVersion: example.com/v1
    kind: Widget
    metadata: {name: a}
    {{ if .Params.pdb }}
    ---
    apiVersion: policy/v1
    kind: PodDisruptionBudget
    metadata: {name: a}
    {{ end }}
`

func compile(t *testing.T, text string) *graph.Version {
	t.Helper()
	spec := &v1alpha1.FrameworkVersionSpec{}
	if err := yaml.UnmarshalStrict([]byte(text), spec); err != nil {
		t.Fatal(err)
	}
	v, errs := graph.Compile(spec)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return v
}

// cluster knows few kinds.
func cluster() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, meta.RESTScopeNamespace)
	mapper.Add(schema.GroupVersionKind{Version: "v1", Kind: "Service"}, meta.RESTScopeNamespace)
	mapper.Add(schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}, meta.RESTScopeNamespace)
	return mapper
}

func rule(group string, resources []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
}

func same(t *testing.T, what string, want, got []rbacv1.PolicyRule) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// The rules are those that the account needs with any parameters, no more: a kind that
// the cluster does not know yet is left out.
func TestRules(t *testing.T) {
	same(t, "rules", []rbacv1.PolicyRule{
		rule("", []string{"services"}, verbs...),
		rule("policy", []string{"poddisruptionbudgets"}, verbs...),
		rule("", []string{"configmaps"}, watchVerbs...),
	}, Rules(compile(t, version), cluster()))
}

// What tells why workloads are not ready is read as the account too.
func TestRulesOfWorkloads(t *testing.T) {
	text, _, _ := strings.Cut(version, "    apiVersion")
	v := compile(t, text+"    {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}\n")
	same(t, "rules", []rbacv1.PolicyRule{
		rule("", []string{"events", "pods"}, "get", "list"),
		rule("", []string{"pods/log"}, "get"),
	}, Rules(v, cluster()))
}

// What is printed without a cluster is what the sample of an admin's grants says, and what
// the controller reports with a mapper of a cluster.
func TestOfflineRulesOfZooKeeper(t *testing.T) {
	p, err := pack.Load(os.DirFS("../../frameworks/zookeeper/3.9.3"), ".")
	if err != nil {
		t.Fatal(err)
	}
	v, errs := graph.Compile(&p.Version.Spec)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	offline := Rules(v, Offline{})
	same(t, "with a mapper of a cluster", Rules(v, testrestmapper.TestOnlyStaticRESTMapper(clientgoscheme.Scheme)), offline)
	raw, err := os.ReadFile("../../config/samples/tenant.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(raw), "\n---\n") {
		var role rbacv1.Role
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			t.Fatal(err)
		}
		if role.Kind != "Role" {
			continue
		}
		byName := func(a, b rbacv1.PolicyRule) int { return strings.Compare(a.String(), b.String()) }
		slices.SortFunc(role.Rules, byName)
		slices.SortFunc(offline, byName)
		same(t, "the sample", role.Rules, offline)
	}
}

// Kinds that every cluster has map as a real mapper maps them.
func TestOfflineKnowsTheResourcesOfKubernetes(t *testing.T) {
	known, count := testrestmapper.TestOnlyStaticRESTMapper(clientgoscheme.Scheme), 0
	for gvk := range clientgoscheme.Scheme.AllKnownTypes() {
		if _, builtin := render.BuiltinScope(gvk.GroupKind()); !builtin {
			continue
		}
		want, err := known.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			t.Errorf("%s: %v", gvk, err)
			continue
		}
		got, err := Offline{}.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil || got.Resource != want.Resource {
			t.Errorf("%s is the resource %v (%v), want %v", gvk, got.Resource, err, want.Resource)
		}
		count++
	}
	if count < 40 {
		t.Errorf("only %d kinds were compared", count)
	}
}

const wide = `
framework: app
version: 1.0.0
permissions:
- {kind: Namespace}
- {kind: ConfigMap, anyNamespace: true}
- {group: rbac.authorization.k8s.io, kind: ClusterRole}
templates:
- name: all.yaml
  content: |
    {apiVersion: v1, kind: Namespace, metadata: {name: a}}
    ---
    {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b}}
    ---
    {apiVersion: v1, kind: Service, metadata: {name: a}}
    ---
    {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a}}
    ---
    {apiVersion: example.com/v1, kind: Widget, metadata: {name: a}}
`

// What is bound in a namespace, in others, and in the cluster adds up to the rules.
func TestGrants(t *testing.T) {
	v := compile(t, wide)
	want := Grant{
		Namespace: []rbacv1.PolicyRule{
			rule("", []string{"services"}, verbs...),
			rule("", []string{"configmaps"}, watchVerbs...),
			rule("example.com", []string{"widgets"}, watchVerbs...),
		},
		Elsewhere: []rbacv1.PolicyRule{rule("", []string{"configmaps"}, watchVerbs...)},
		Cluster: []rbacv1.PolicyRule{
			rule("", []string{"namespaces"}, watchVerbs...),
			rule("rbac.authorization.k8s.io", []string{"clusterroles"}, watchVerbs...),
		},
	}
	got := Grants(v, Offline{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	count := 0
	for _, r := range Rules(v, Offline{}) {
		count += len(r.Resources)
	}
	for _, r := range slices.Concat(got.Namespace, got.Cluster) {
		count -= len(r.Resources)
	}
	if count != 0 {
		t.Errorf("the grants differ from the rules by %d resources", count)
	}
	if diff := cmp.Diff([]schema.GroupVersionKind{{Group: "example.com", Version: "v1", Kind: "Widget"}}, Guessed(v)); diff != "" {
		t.Errorf("guessed (-want +got):\n%s", diff)
	}
}

// The manager gets the same verbs, in the form of constrained impersonation.
func TestImpersonation(t *testing.T) {
	rules := []rbacv1.PolicyRule{rule("apps", []string{"deployments"}, "get", "patch")}
	same(t, "impersonation", []rbacv1.PolicyRule{
		rule("apps", []string{"deployments"}, "impersonate-on:serviceaccount:get", "impersonate-on:serviceaccount:patch"),
	}, Impersonation(rules))
	same(t, "the rules themselves", []rbacv1.PolicyRule{rule("apps", []string{"deployments"}, "get", "patch")}, rules)
}

const granting = `
framework: app
version: 1.0.0
permissions:
- {group: rbac.authorization.k8s.io, kind: Role}
- {group: rbac.authorization.k8s.io, kind: RoleBinding}
- {group: rbac.authorization.k8s.io, kind: ClusterRole}
templates:
- name: all.yaml
  content: |
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: "{{ .Name }}-leader"}
    rules:
    - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, update], resourceNames: ["{{ .Name }}-leader"]}
    - {apiGroups: [""], resources: [pods], verbs: [list], resourceNames: [fixed]}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: "{{ .Name }}-leader"}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: "{{ .Name }}-leader"}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: "{{ .Name }}-view"}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: nodes}
    rules: [{apiGroups: [""], resources: [nodes], verbs: [get]}]
`

// An account may apply a role only if it has what the role grants; the manager never needs that.
func TestWhatAVersionGrantsItsAccountHolds(t *testing.T) {
	v := compile(t, granting)
	held := Held{
		Namespace: []rbacv1.PolicyRule{
			rule("coordination.k8s.io", []string{"leases"}, "get", "update"),
			{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}, ResourceNames: []string{"fixed"}},
			{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"}, Verbs: []string{"bind"}, ResourceNames: []string{"view"}},
		},
		Cluster: []rbacv1.PolicyRule{rule("", []string{"nodes"}, "get")},
	}
	grant := Grants(v, Offline{})
	if diff := cmp.Diff(held, grant.Held); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	used := []rbacv1.PolicyRule{rule(rbacv1.GroupName, []string{"rolebindings", "roles"}, watchVerbs...)}
	same(t, "what is used as the account", used, grant.Namespace)
	same(t, "the account", slices.Concat(used, held.Namespace), grant.Account().Namespace)
	all := Rules(v, Offline{})
	same(t, "the last of all rules", held.all(), all[len(all)-len(held.all()):])
}
