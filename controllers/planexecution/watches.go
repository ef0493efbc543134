// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/dynamic"
)

// workers is how many executions are worked on at once.
const workers = 8

// SetupWithManager watches executions, the Instances that admit them, and the
// objects whose health they wait for.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	labelled, err := predicate.LabelSelectorPredicate(selector())
	if err != nil {
		return err
	}
	b := ctrl.NewControllerManagedBy(mgr).
		Named("planexecution").
		For(&v1alpha1.PlanExecution{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Instance{}, handler.EnqueueRequestsFromMapFunc(activeOf)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers})
	for _, gvk := range apply.Watched() {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(gvk)
		b = b.Watches(u, handler.EnqueueRequestsFromMapFunc(r.holderOf), builder.WithPredicates(labelled))
	}
	b = b.WatchesRawSource(source.Func(r.listen))
	return b.Complete(r)
}

// activeOf are the executions that an Instance admitted.
func activeOf(_ context.Context, o client.Object) []reconcile.Request {
	inst, ok := o.(*v1alpha1.Instance)
	if !ok {
		return nil
	}
	var out []reconcile.Request
	for _, a := range archive.Admitted(inst) {
		out = append(out, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: inst.Namespace, Name: a.Name}})
	}
	return out
}

// holderOf is the execution that holds the Instance of an object.
func (r *Reconciler) holderOf(ctx context.Context, o client.Object) []reconcile.Request {
	key, ok := dynamic.InstanceOf(o)
	if !ok {
		return nil
	}
	return r.activeIn(ctx, key)
}

// selector matches the objects of any Instance.
func selector() metav1.LabelSelector {
	return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
		Key: v1alpha1.LabelInstance, Operator: metav1.LabelSelectorOpExists,
	}}}
}
