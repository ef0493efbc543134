// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// A Git tool dry-runs the whole set, then applies it in one go, in any order, and again
// every few minutes for ever.
func TestTheWayOfAGitTool(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	fw := unique("git")
	apply := func(o *unstructured.Unstructured, options ...client.ApplyOption) error {
		options = append(options, client.FieldOwner("git"), client.ForceOwnership)
		return n.w.admin().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), options...)
	}
	objects := worstOrder(t, n.ns, fw)
	for _, o := range objects {
		if err := apply(o.DeepCopy(), client.DryRunAll); err != nil {
			t.Errorf("dry run of %s: %v", o.GetKind(), err)
		}
	}
	for _, o := range objects {
		if err := apply(o.DeepCopy()); err != nil {
			t.Fatalf("%s: %v", o.GetKind(), err)
		}
	}
	n.awaitReady("one")
	n.active("the execution of the set has run", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Name == "run" && pe.Status.State == v1alpha1.RunSucceeded
	})
	n.awaitReady("one")
	for _, o := range objects {
		before, after := o.DeepCopy(), o.DeepCopy()
		if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(o), before); err != nil {
			t.Fatal(err)
		}
		if err := apply(after); err != nil {
			t.Fatalf("%s, again: %v", o.GetKind(), err)
		}
		if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(o), after); err != nil {
			t.Fatal(err)
		}
		if before.GetGeneration() != after.GetGeneration() {
			t.Errorf("%s: the second pass changes it", o.GetKind())
		}
	}
	if runs := n.runs(); len(runs) != 2 {
		t.Errorf("runs %v, want that of the Instance and that of the set", runs)
	}
}

// worstOrder is a set in which everything comes before what it refers to.
func worstOrder(t *testing.T, ns, fw string) []*unstructured.Unstructured {
	t.Helper()
	fwv, err := version(fw, "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(fwv)
	if err != nil {
		t.Fatal(err)
	}
	version := &unstructured.Unstructured{Object: content}
	version.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("FrameworkVersion"))
	unstructured.RemoveNestedField(version.Object, "status")
	unstructured.RemoveNestedField(version.Object, "metadata", "creationTimestamp")
	execution, instance := parse(executionYAML), parse(instanceYAML)
	with("spec.framework", fw)(instance)
	with("spec.serviceAccountName", "git")(instance)
	role := parse("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: git}}")
	with("roleRef", map[string]any{"apiGroup": rbacv1.GroupName, "kind": "Role", "name": account})(role)
	with("subjects", []any{map[string]any{"kind": "ServiceAccount", "name": "git", "namespace": ns}})(role)
	account := parse("{apiVersion: v1, kind: ServiceAccount, metadata: {name: git}}")
	for _, o := range []*unstructured.Unstructured{execution, instance, role, account} {
		o.SetNamespace(ns)
	}
	framework := parse("{apiVersion: kudo.dev/v1alpha1, kind: Framework, metadata: {name: " + fw + "}}")
	return []*unstructured.Unstructured{execution, instance, role, account, version, framework}
}

// What an Instance waits for is named, and its coming is enough.
func TestLateReferences(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	fw := unique("late")
	n.create(instanceYAML, with("spec.framework", fw), with("spec.serviceAccountName", "later"))
	n.awaitVerdict("one", v1alpha1.ReasonVersionMissing, "FrameworkVersion "+fw+"-1.0.0 does not exist yet")
	fwv, err := version(fw, "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.w.admin().Create(t.Context(), fwv); err != nil {
		t.Fatal(err)
	}
	inst := n.awaitVerdict("one", v1alpha1.ReasonAccountMissing, "the ServiceAccount later does not exist yet")
	if !isTrue(inst.Status.Conditions, v1alpha1.ConditionWaiting) || isTrue(inst.Status.Conditions, v1alpha1.ConditionStalled) {
		t.Errorf("conditions %v: it waits, and needs nobody", inst.Status.Conditions)
	}
	n.patch(n.one(), `{"spec":{"serviceAccountName":"deployer"}}`)
	n.awaitReady("one")
}
