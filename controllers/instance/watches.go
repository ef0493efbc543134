// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
)

// workers is how many Instances are worked on at once.
const workers = 8

// SetupWithManager watches Instances, their executions, and what they refer to.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	account := &metav1.PartialObjectMetadata{}
	account.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	b := ctrl.NewControllerManagedBy(mgr).
		Named("instance").
		For(&v1alpha1.Instance{}). // status too: wiped, it comes back
		Watches(&v1alpha1.PlanExecution{}, handler.EnqueueRequestsFromMapFunc(instanceOf)).
		Watches(&v1alpha1.FrameworkVersion{}, handler.EnqueueRequestsFromMapFunc(r.usersOf),
			builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, recompiled))).
		WatchesMetadata(account, handler.EnqueueRequestsFromMapFunc(r.usersOfAccount), builder.WithPredicates(appears)).
		WatchesMetadata(namespace, handler.EnqueueRequestsFromMapFunc(r.instancesIn), builder.WithPredicates(goes)).
		WatchesRawSource(source.Func(r.listen)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers})
	for _, gvk := range apply.Watched() {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(gvk)
		b = b.Watches(u, handler.EnqueueRequestsFromMapFunc(ownerOf), builder.WithPredicates(touched))
	}
	return b.Complete(r)
}

// appears lets creations and deletions pass: nothing else about an account matters.
var appears = predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}

// recompiled lets a version pass whose verdict changed.
var recompiled = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	old, ok := e.ObjectOld.(*v1alpha1.FrameworkVersion)
	now, both := e.ObjectNew.(*v1alpha1.FrameworkVersion)
	return ok && both && (old.Status.Digest != now.Status.Digest ||
		meta.IsStatusConditionTrue(old.Status.Conditions, v1alpha1.ConditionSealed) != meta.IsStatusConditionTrue(now.Status.Conditions, v1alpha1.ConditionSealed))
}}

// goes lets a namespace pass that is being deleted.
var goes = predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetDeletionTimestamp() != nil })

func (r *Reconciler) instancesIn(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, client.InNamespace(o.GetName()))
}

func instanceOf(_ context.Context, o client.Object) []reconcile.Request {
	pe, ok := o.(*v1alpha1.PlanExecution)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pe.Namespace, Name: pe.Spec.Instance}}}
}

func (r *Reconciler) usersOf(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, client.MatchingFields{v1alpha1.IndexVersion: o.GetName()})
}

func (r *Reconciler) usersOfAccount(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, client.InNamespace(o.GetNamespace()), client.MatchingFields{v1alpha1.IndexAccount: o.GetName()})
}

func (r *Reconciler) requests(ctx context.Context, opts ...client.ListOption) []reconcile.Request {
	var list v1alpha1.InstanceList
	if err := r.Client.List(ctx, &list, opts...); err != nil {
		return nil
	}
	out := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return out
}
