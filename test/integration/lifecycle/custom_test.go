// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
)

// defines lets the account define kinds and make objects of these, and the manager as it.
func (n *tenant) defines(group string) {
	n.Helper()
	name := "defines-" + n.ns
	own := []rbacv1.PolicyRule{rule("apiextensions.k8s.io", "customresourcedefinitions"), rule(group, "widgets", "gadgets", "things")}
	var as []rbacv1.PolicyRule
	for _, r := range own {
		verbs := []string{}
		for _, v := range r.Verbs {
			verbs = append(verbs, "impersonate-on:serviceaccount:"+v)
		}
		as = append(as, rbacv1.PolicyRule{APIGroups: r.APIGroups, Resources: r.Resources, Verbs: verbs})
	}
	bind := func(name, namespace, account string) *rbacv1.ClusterRoleBinding {
		return &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
		}
	}
	for _, o := range []client.Object{
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: own}, bind(name, n.ns, account),
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name + "-as"}, Rules: as}, bind(name+"-as", install.Namespace, install.ServiceAccount),
	} {
		if err := n.w.admin().Create(n.Context(), o); err != nil {
			n.Fatal(err)
		}
	}
}

// A kind and its object in one plan: the manager learns of the new kind at once, also of a
// second one of the same group, and what defines data is never removed with its template.
func TestAKindAndItsObjectInOnePlan(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	fw := n.framework("custom.yaml")
	n.defines(fw + ".example.com")
	start := time.Now()
	n.create(instanceYAML, with("spec.framework", fw))
	n.awaitReady("one")
	t.Logf("the first kind and its object took %s", time.Since(start).Round(time.Millisecond))
	n.change("gadget: true")
	n.awaitReady("one")
	if diff := cmp.Diff([]string{"deploy Succeeded", "deploy Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	for _, kind := range []string{"Widget", "Gadget"} {
		o := parseIn(n.ns, "{apiVersion: "+fw+".example.com/v1, kind: "+kind+", metadata: {name: one}}")
		if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Fatal(err)
		}
		if len(o.GetOwnerReferences()) != 1 {
			t.Errorf("owners of the %s: %v", kind, o.GetOwnerReferences())
		}
	}
	n.change("widget: false")
	n.awaitReady("one")
	n.awaitGone(parseIn(n.ns, "{apiVersion: "+fw+".example.com/v1, kind: Widget, metadata: {name: one}}"))
	n.defined("widgets." + fw + ".example.com")
	if err := n.w.admin().Delete(t.Context(), n.one()); err != nil {
		t.Fatal(err)
	}
	n.awaitGone(n.one())
	n.defined("gadgets." + fw + ".example.com")
}

// A kind that is defined after its object is wanted: the plan says what it waits for, and
// goes on by itself.
func TestAKindThatComesLate(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	fw := n.framework("late.yaml")
	n.defines(fw + ".example.com")
	n.create(instanceYAML, with("spec.framework", fw))
	waits := "Thing." + fw + ".example.com is not known to the cluster; install its CustomResourceDefinition first"
	n.active("the plan waits for the kind", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Status.State == v1alpha1.RunRunning && strings.Contains(pe.Status.Message, waits)
	})
	crd := definition(fw, "v1")
	if err := n.w.admin().Create(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	n.awaitReady("one")
	if diff := cmp.Diff([]string{"deploy Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// An object that is to be deleted and whose kind is not defined is gone; one of which only
// the version is not served is not, and the plan says so.
func TestADeleteOfAKindThatIsNotDefined(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	fw := n.framework("gone.yaml")
	n.defines(fw + ".example.com")
	n.create(instanceYAML, with("spec.framework", fw))
	n.awaitReady("one")
	crd := definition(fw, "v2")
	if err := n.w.admin().Create(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	thing := parse("{apiVersion: " + fw + ".example.com/v2, kind: Thing, metadata: {name: two, namespace: " + n.ns + "}}")
	n.await("the kind is served", func(ctx context.Context) (bool, string) {
		err := n.w.admin().Create(ctx, thing)
		return err == nil, fmt.Sprint(err)
	})
	n.create(instanceYAML, named("two"), with("spec.framework", fw))
	n.stalled("deploy", v1alpha1.ReasonRefused, `no matches for kind "Thing" in version "`+fw+`.example.com/v1"`)
}

// definition is one of the kind Thing.
func definition(framework, version string) *unstructured.Unstructured {
	return parse(fmt.Sprintf(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.%[1]s.example.com},
	  spec: {group: %[1]s.example.com, scope: Namespaced, names: {kind: Thing, plural: things}, versions: [{name: %[2]s, served: true, storage: true,
	    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}`, framework, version))
}

// defined tests that a definition is there, and stays.
func (n *tenant) defined(name string) {
	n.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := n.w.admin().Get(n.Context(), client.ObjectKey{Name: name}, crd); err != nil || crd.DeletionTimestamp != nil {
		n.Errorf("the definition %s has not stayed: %v, %v", name, err, crd.DeletionTimestamp)
	}
}
