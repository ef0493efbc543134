// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/revision"
)

// poll says when to look again: never for what is watched, by the manager or as the
// account, and wakes the execution by itself.
func (r *Reconciler) poll(n *run, ref v1alpha1.ObjectReference) time.Time {
	if r.Reader.IsWatched(groupVersionKind(ref)) {
		return time.Time{}
	}
	instance := types.NamespacedName{Namespace: n.instance.Namespace, Name: n.instance.Name}
	run := types.NamespacedName{Namespace: n.pe.Namespace, Name: n.pe.Name}
	if r.Watches.Need(holder(run), instance, n.watch(ref)) {
		return time.Time{}
	}
	return r.Clock.Now().Add(pollEvery)
}

// watch is the one that sees an object of the run.
func (n *run) watch(ref v1alpha1.ObjectReference) dynamic.Key {
	return dynamic.KeyFor(types.NamespacedName{Namespace: n.instance.Namespace, Name: n.instance.Spec.ServiceAccountName}, ref)
}

// unchanged says whether a watch knows that an object is still as an answer had it.
func (r *Reconciler) unchanged(n *run, answer *unstructured.Unstructured) bool {
	seen, ok := r.Watches.Get(n.watch(revision.Reference(answer)), answer.GetName())
	return ok && seen != nil && seen.UID == answer.GetUID() && seen.ResourceVersion == answer.GetResourceVersion()
}

func holder(run types.NamespacedName) string { return "run/" + run.String() }

// forget drops what is only of use while an execution runs.
func (r *Reconciler) forget(run types.NamespacedName) {
	r.memory.forget(run)
	r.Watches.Release(holder(run))
}

// listen wakes the execution that holds the Instance of what a watch sees.
func (r *Reconciler) listen(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.Watches.Subscribe(func(e dynamic.Event) {
		if e.Observed {
			return // it is looked at where a condition is evaluated
		}
		for _, request := range r.activeIn(ctx, e.Instance) {
			queue.Add(request)
		}
	})
	return nil
}

// activeIn is the execution that holds an Instance.
func (r *Reconciler) activeIn(ctx context.Context, instance types.NamespacedName) []reconcile.Request {
	inst := &v1alpha1.Instance{}
	if err := r.Client.Get(ctx, instance, inst); err != nil {
		return nil
	}
	return activeOf(ctx, inst)
}
