// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
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

// emptied removes what stands in the namespace but for the Instance, as the namespace
// controller may: in any order, and over and over.
func (n *tenant) emptied() {
	n.Helper()
	for _, o := range []client.Object{
		&appsv1.Deployment{}, &corev1.ConfigMap{}, &corev1.Secret{}, &rbacv1.RoleBinding{}, &rbacv1.Role{}, &corev1.ServiceAccount{},
		&v1alpha1.PlanExecution{}, &appsv1.ControllerRevision{},
	} {
		if err := n.w.admin().DeleteAllOf(n.Context(), o, client.InNamespace(n.ns)); err != nil {
			n.Fatalf("removing all of %T: %v", o, err)
		}
	}
}

// An Instance at rest in a namespace that goes: what is removed before it is not put back,
// no plan starts, and nothing is said to be wrong. All that Kudo writes there is that the
// finalizer goes.
func TestNothingIsPutBackInATerminatingNamespace(t *testing.T) {
	t.Parallel()
	n, other := newTenant(t), newTenant(t)
	for _, n := range []*tenant{n, other} {
		n.create(instanceYAML)
		n.awaitReady("one")
		n.comesBack(n.config())
		n.comesBack(n.server())
		n.event("Normal", v1alpha1.ReasonPutBack, "ConfigMap "+n.ns+"/one-config was deleted")
		n.event("Normal", v1alpha1.ReasonPutBack, "Deployment "+n.ns+"/one-server was deleted")
	}
	if err := n.w.admin().Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.ns}}); err != nil {
		t.Fatal(err)
	}
	from, err := n.w.Cluster.Audit.Now()
	if err != nil {
		t.Fatal(err)
	}
	other.comesBack(other.config()) // by then the manager knows that the namespace goes
	n.emptied()
	// What comes back elsewhere was removed later: by then the manager has seen all of it.
	other.comesBack(other.config())
	other.comesBack(other.server())
	n.emptied()
	other.change("memory: 2Gi")
	other.awaitReady("one")
	if err := n.w.admin().Delete(t.Context(), n.one()); err != nil {
		t.Fatal(err)
	}
	n.awaitGone(n.one())
	requests, err := n.w.Cluster.Audit.Since(from)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, r := range cluster.Writes(cluster.By(install.ManagerUser, requests)) {
		if r.Namespace == n.ns {
			got = append(got, fmt.Sprintf("%s %s %d", r.Verb, r.Resource, r.Code))
		}
	}
	if diff := cmp.Diff([]string{"patch instances 200"}, got); diff != "" {
		t.Errorf("written there (-want +got):\n%s", diff)
	}
	log, err := os.ReadFile(n.w.Process.Log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, `"level":"error"`) && strings.Contains(line, `"`+n.ns+`"`) {
			t.Errorf("the manager's log: %s", line)
		}
	}
}
