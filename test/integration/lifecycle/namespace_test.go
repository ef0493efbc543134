// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
)

// everywhere lets the account write ConfigMaps in all namespaces, and the manager as it.
func (n *tenant) everywhere() {
	n.Helper()
	name := "everywhere-" + n.ns
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{rule("", "configmaps")}}
	bind := func(name, role, namespace, account string) *rbacv1.ClusterRoleBinding {
		return &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
		}
	}
	for _, o := range []client.Object{
		role, bind(name, name, n.ns, account), bind(name+"-as", "kudo-impersonate-on", install.Namespace, install.ServiceAccount),
	} {
		if err := n.w.admin().Create(n.Context(), o); err != nil {
			n.Fatal(err)
		}
	}
}

// Case 50: a namespace that is missing is named; made, and asked again, the run goes on.
// What stands elsewhere has no owner there, and goes with its Instance all the same.
func TestAnObjectElsewhere(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.everywhere()
	other := unique("other-")
	n.create(instanceYAML, with("spec.parameters", map[string]any{"elsewhere": other}))
	pe := n.active("plan deploy stalls", func(pe *v1alpha1.PlanExecution) bool { return pe.Status.State == v1alpha1.RunStalled })
	if want := `namespaces "` + other + `" not found. Create the namespace`; pe.Status.Reason != v1alpha1.ReasonRefused || !strings.Contains(pe.Status.Message, want) {
		t.Errorf("it says %s: %q, want %q", pe.Status.Reason, pe.Status.Message, want)
	}
	if err := n.w.admin().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: other}}); err != nil {
		t.Fatal(err)
	}
	n.retry(pe, "made")
	n.awaitReady("one")
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: "one-elsewhere"}}
	if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(cm), cm); err != nil {
		t.Fatal(err)
	}
	if len(cm.OwnerReferences) > 0 {
		t.Errorf("owners %v: the garbage collector removes what has its owner elsewhere", cm.OwnerReferences)
	}
	if err := n.w.admin().Delete(t.Context(), n.one()); err != nil {
		t.Fatal(err)
	}
	n.awaitGone(n.one())
	n.awaitGone(cm)
}

// Cases 48 and 50: in a namespace that goes nothing can be created, so no cleanup plan
// runs, and nothing holds the namespace up.
func TestATerminatingNamespace(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.ns}}
	for _, o := range []client.Object{ns, n.one()} { // as the namespace controller does
		if err := n.w.admin().Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	n.awaitGone(n.one())
	if jobs := n.jobs(); len(jobs) > 0 {
		t.Errorf("jobs %v", jobs)
	}
}
