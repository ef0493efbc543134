// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/install"
)

// What a package with roles and a kind of its own needs is more than kudo-impersonate-on has.
func TestGrantMakesAllThatAPackageNeeds(t *testing.T) {
	n := newTeam(t)
	n.says(0, []string{
		"+ create serviceaccount/engine",
		"+ create role/engine\n", "get, list, watch, create, patch, delete: widgets.example.com", "get, update: leases.coordination.k8s.io",
		"+ create rolebinding/kudo-impersonate-on",
		"+ create role/engine-impersonation\n", "impersonate-on:serviceaccount:delete: widgets.example.com",
		"power/one is ready",
	}, "deploy", "power", "one", "--service-account", "engine", "--grant", "--yes", "--wait")
	as := &rbacv1.Role{}
	if !n.exists(as, "engine-impersonation") {
		t.Fatal("the manager's role is not there")
	}
	for _, r := range as.Rules {
		if strings.Contains(r.String(), "leases") || strings.Contains(r.String(), "configmaps") {
			t.Errorf("the manager got more than is missing: %v", r)
		}
	}
	before := as.ResourceVersion
	out := n.says(0, []string{"role/engine is there", "role/engine-impersonation is there", "power/two is ready"},
		"deploy", "power", "two", "--service-account", "engine", "--grant", "--yes", "--wait")
	if strings.Contains(out, "+ create role") || strings.Contains(out, "~ update") {
		t.Errorf("the second time is not the same as the first:\n%s", out)
	}
	if n.exists(as, "engine-impersonation"); as.ResourceVersion != before {
		t.Error("a role was written although nothing changed")
	}
}

// Rights that somebody added stay, and one that was taken away comes back.
func TestGrantAddsAndTakesNothingAway(t *testing.T) {
	n := newTeam(t)
	n.store("one")
	role := &rbacv1.Role{}
	n.exists(role, "keeper")
	extra := rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"get"}}
	role.Rules = []rbacv1.PolicyRule{extra}
	if err := n.w.Admin().Update(t.Context(), role, client.FieldOwner("kubectl-kudo")); err != nil {
		t.Fatal(err)
	}
	n.says(1, []string{"making role/keeper: somebody else wrote it", "take another account"},
		"deploy", "store", "two", "--service-account", "keeper", "--grant", "--yes")
	role.Rules = nil
	role.ManagedFields = nil
	if err := n.w.Admin().Delete(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	n.says(0, []string{"+ create role/keeper", "rolebinding/keeper is there", "store/two is ready"},
		"deploy", "store", "two", "--service-account", "keeper", "--grant", "--yes", "--wait")
}

// outsider may deploy, and write roles, but has few rights of her own to give.
func (n *team) outsider() *team {
	n.Helper()
	must := func(o client.Object) {
		n.Helper()
		if err := n.w.Admin().Create(n.Context(), o); err != nil {
			n.Fatal(err)
		}
	}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.ns, Name: "dev"}}
	must(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "dev"}})
	must(&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "dev"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"roles", "rolebindings"}, Verbs: []string{"get", "create", "patch"}},
		{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, Verbs: []string{"get", "create", "patch", "impersonate"}},
	}})
	for name, ref := range map[string]rbacv1.RoleRef{"dev": {Kind: "Role", Name: "dev"}, "dev-edit": {Kind: "ClusterRole", Name: "kudo-edit"}} {
		ref.APIGroup = rbacv1.GroupName
		must(&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: name}, RoleRef: ref, Subjects: subjects})
	}
	must(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: n.ns + "-view"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "kudo-view"}, Subjects: subjects})
	config, err := install.AccountConfig(n.Context(), n.w.Cluster.Config, n.ns, "dev")
	if err != nil {
		n.Fatal(err)
	}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		n.Fatal(err)
	}
	out := *n
	out.kubeconfig = filepath.Join(n.TempDir(), "dev.kubeconfig")
	if err := os.WriteFile(out.kubeconfig, raw, 0o600); err != nil {
		n.Fatal(err)
	}
	return &out
}

// Who may not grant is told what an admin must run; that is enough, and nothing is made before.
func TestGrantByWhoLacksTheRights(t *testing.T) {
	n := newTeam(t)
	dev := n.outsider()
	out := dev.says(1, []string{"making role/engine: you may not grant rights that you do not have yourself", `"widgets"`, "After that, deploy without --grant"},
		"deploy", "power", "one", "--service-account", "engine", "--grant", "--yes")
	if n.exists(&corev1.ServiceAccount{}, "engine") || n.exists(&rbacv1.Role{}, "engine") {
		t.Error("half of the rights were made")
	}
	_, line, found := strings.Cut(out, "An admin must run: kubectl kudo ")
	line, _, _ = strings.Cut(line, "\n")
	if !found {
		t.Fatal("it does not say what an admin must run")
	}
	n.says(0, []string{"rolebinding/engine-impersonation is made"}, append(strings.Fields(line), "--yes")...)
	dev.says(0, []string{"power/one is ready"}, "deploy", "power", "one", "--service-account", "engine", "--yes", "--wait")
	dev.says(0, []string{"rolebinding/engine-impersonation is there", "power/two is made"}, "deploy", "power", "two", "--service-account", "engine", "--grant", "--yes")
}
