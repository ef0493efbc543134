// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
)

// SetupWithManager watches Frameworks, their versions, and definitions in the group of
// generated kinds.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("framework").
		For(&v1alpha1.Framework{}).
		Watches(&v1alpha1.FrameworkVersion{}, handler.EnqueueRequestsFromMapFunc(frameworkOf), builder.WithPredicates(judgedAnew)).
		Watches(&apiextensionsv1.CustomResourceDefinition{}, handler.EnqueueRequestsFromMapFunc(r.definedBy)).
		WatchesRawSource(source.Func(r.listen)).
		Complete(r)
}

// judgedAnew lets a version pass whose spec or verdict has changed: how many Instances use it
// is no part of its kind.
var judgedAnew = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	old, ok := e.ObjectOld.(*v1alpha1.FrameworkVersion)
	now, both := e.ObjectNew.(*v1alpha1.FrameworkVersion)
	if !ok || !both || old.Generation != now.Generation {
		return ok && both
	}
	before := meta.FindStatusCondition(old.Status.Conditions, v1alpha1.ConditionValid)
	after := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionValid)
	return !equality.Semantic.DeepEqual(before, after)
}}

func frameworkOf(_ context.Context, o client.Object) []reconcile.Request {
	v, ok := o.(*v1alpha1.FrameworkVersion)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: v.Spec.Framework}}}
}

// definedBy finds the Frameworks that a definition matters to: the one that it was made
// for, and those that want its name.
func (r *Reconciler) definedBy(ctx context.Context, o client.Object) []reconcile.Request {
	crd, ok := o.(*apiextensionsv1.CustomResourceDefinition)
	if !ok || crd.Spec.Group != v1alpha1.TypedGroup {
		return nil
	}
	var list v1alpha1.FrameworkList
	if err := r.Client.List(ctx, &list); err != nil {
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		fw := &list.Items[i]
		if crdgen.Owner(crd) == fw.Name || crdgen.Name(crdgen.Names(fw)) == crd.Name {
			out = append(out, reconcile.Request{NamespacedName: types.NamespacedName{Name: fw.Name}})
		}
	}
	return out
}

// listen wakes a Framework whose objects stand in its way, when one of them changes.
func (r *Reconciler) listen(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.Kinds.Subscribe(nil, func(framework string) {
		if r.waiting.has(framework) {
			queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: framework}})
		}
	})
	return nil
}

// waiting are Frameworks that wait for objects of their kinds to change.
type waiting struct {
	mu    sync.Mutex
	names map[string]bool
}

func (w *waiting) set(name string, waits bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !waits {
		delete(w.names, name)
		return
	}
	if w.names == nil {
		w.names = map[string]bool{}
	}
	w.names[name] = true
}

func (w *waiting) has(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.names[name]
}
