// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Immutable fields: a change of one fails in the API server's words, or makes the object
// anew, with or without what depends on it, as the author has said.
func TestImmutableFields(t *testing.T) {
	t.Parallel()
	fields := map[string]struct {
		object       func() client.Object
		there, again string
	}{
		"the selector of a Deployment":   {func() client.Object { return &appsv1.Deployment{} }, "selector: two", "selector: one"},
		"the claims of a StatefulSet":    {func() client.Object { return &appsv1.StatefulSet{} }, "storage: 2Gi", "storage: 1Gi"},
		"the template of an applied Job": {func() client.Object { return &batchv1.Job{} }, `image: "busybox:2"`, `image: "busybox:1"`},
	}
	for _, mode := range []v1alpha1.ImmutablePolicy{v1alpha1.ImmutableFail, v1alpha1.ImmutableRecreate, v1alpha1.ImmutableOrphan} {
		for field, tc := range fields {
			t.Run(string(mode)+" "+field, func(t *testing.T) {
				t.Parallel()
				n := newTenant(t)
				n.grant(append(rules(), rule("apps", "statefulsets")))
				n.create(instanceYAML, with("spec.framework", n.framework("immutable.yaml", "MODE", string(mode))))
				n.awaitReady("one")
				before := n.object(tc.object())
				child := n.dependant(tc.object(), before)
				n.change(tc.there)
				if mode == v1alpha1.ImmutableFail {
					n.stalled("deploy", v1alpha1.ReasonRefused, "immutable")
					n.change(tc.again)
				}
				n.awaitReady("one")
				after := n.object(tc.object())
				if same := before.GetUID() == after.GetUID(); same != (mode == v1alpha1.ImmutableFail) {
					t.Errorf("the same object: %v", same)
				}
				if mode == v1alpha1.ImmutableRecreate {
					n.awaitGone(child)
					return
				}
				if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(child), child); err != nil || child.DeletionTimestamp != nil {
					t.Errorf("what depends on it has not stayed: %v", err)
				}
				orphan := !slices.ContainsFunc(child.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == before.GetUID() })
				if orphan != (mode == v1alpha1.ImmutableOrphan) {
					t.Errorf("owners %v", child.OwnerReferences)
				}
			})
		}
	}
}

// object reads the object of that kind that belongs to the Instance "one".
func (n *tenant) object(o client.Object) client.Object {
	n.Helper()
	if err := n.w.admin().Get(n.Context(), client.ObjectKey{Namespace: n.ns, Name: "one"}, o); err != nil {
		n.Fatal(err)
	}
	return o
}

// dependant makes an object that depends on another, as a pod does.
func (n *tenant) dependant(kind, owner client.Object) *corev1.ConfigMap {
	n.Helper()
	gvks, _, err := n.w.admin().Scheme().ObjectKinds(kind)
	if err != nil {
		n.Fatal(err)
	}
	child := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "dependant", OwnerReferences: []metav1.OwnerReference{{
		APIVersion: gvks[0].GroupVersion().String(), Kind: gvks[0].Kind, Name: owner.GetName(), UID: types.UID(string(owner.GetUID())),
	}}}}
	if err := n.w.admin().Create(n.Context(), child); err != nil && !apierrors.IsAlreadyExists(err) {
		n.Fatal(err)
	}
	return child
}
