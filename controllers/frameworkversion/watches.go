// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworkversion

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// SetupWithManager watches versions, their Frameworks, and the Instances that use them.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	appears := predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
	return ctrl.NewControllerManagedBy(mgr).
		Named("frameworkversion").
		For(&v1alpha1.FrameworkVersion{}).
		Watches(&v1alpha1.Framework{}, handler.EnqueueRequestsFromMapFunc(r.versionsOf), builder.WithPredicates(appears)).
		Watches(&v1alpha1.FrameworkVersion{}, handler.EnqueueRequestsFromMapFunc(r.siblingsOf), builder.WithPredicates(judged)).
		Watches(&v1alpha1.Instance{}, handler.EnqueueRequestsFromMapFunc(usedBy), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, moved))).
		Complete(r)
}

func usedBy(_ context.Context, o client.Object) []reconcile.Request {
	inst, ok := o.(*v1alpha1.Instance)
	if !ok {
		return nil
	}
	out := []reconcile.Request{{NamespacedName: types.NamespacedName{Name: inst.Spec.Framework + "-" + inst.Spec.Version}}}
	if runs := inst.Status.Version; runs != "" && runs != inst.Spec.Version {
		out = append(out, reconcile.Request{NamespacedName: types.NamespacedName{Name: inst.Spec.Framework + "-" + runs}})
	}
	return out
}

// moved lets an Instance pass that runs another version now.
var moved = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	old, ok := e.ObjectOld.(*v1alpha1.Instance)
	now, both := e.ObjectNew.(*v1alpha1.Instance)
	return ok && both && old.Status.Version != now.Status.Version
}}

// judged lets a version pass that is gone, or whose verdict or parameters may have changed:
// those that came later are held to it.
var judged = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		old, ok := e.ObjectOld.(*v1alpha1.FrameworkVersion)
		now, both := e.ObjectNew.(*v1alpha1.FrameworkVersion)
		return ok && both && (old.Status.Digest != now.Status.Digest ||
			meta.IsStatusConditionTrue(old.Status.Conditions, v1alpha1.ConditionValid) != meta.IsStatusConditionTrue(now.Status.Conditions, v1alpha1.ConditionValid))
	},
}

// siblingsOf are the other versions of the same Framework.
func (r *Reconciler) siblingsOf(ctx context.Context, o client.Object) []reconcile.Request {
	changed, ok := o.(*v1alpha1.FrameworkVersion)
	if !ok {
		return nil
	}
	var list v1alpha1.FrameworkVersionList
	if err := r.Client.List(ctx, &list, client.MatchingFields{v1alpha1.IndexFramework: changed.Spec.Framework}); err != nil {
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if v := &list.Items[i]; v.Name != changed.Name {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(v)})
		}
	}
	return out
}

func (r *Reconciler) versionsOf(ctx context.Context, o client.Object) []reconcile.Request {
	var list v1alpha1.FrameworkVersionList
	if err := r.Client.List(ctx, &list); err != nil {
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if list.Items[i].Spec.Framework == o.GetName() {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return out
}
