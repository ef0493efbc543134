// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package instance decides which plan an Instance runs next, admits one
// execution at a time, and keeps what is known about the Instance in its status.
package instance

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/impersonate"
	"kudo.dev/kudo/internal/lock"
	"kudo.dev/kudo/internal/metric"
	"kudo.dev/kudo/internal/requeue"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Accounts hands out clients that act as an Instance's account.
type Accounts interface {
	ClientFor(account impersonate.Account) (client.Client, error)
}

// Reconciler looks after Instances.
type Reconciler struct {
	// Client reads from the manager's cache and writes Kudo's own kinds.
	Client client.Client
	// Live reads from the API server.
	Live     client.Reader
	Accounts Accounts
	Reader   *apply.Reader
	Versions *graph.Cache
	Archive  *archive.Archive
	Lock     *lock.Ledger
	Events   events.EventRecorder
	Metrics  *metric.Set
	Clock    clock.PassiveClock
	Watches  *dynamic.Watcher

	stalled  stalled
	memory   memory[recollection]
	contents memory[lookedAt]
	rules    memory[evaluated]
	// released are Instances whose finalizer was taken off, until the cache shows that they went.
	released memory[bool]
}

// Reconcile observes, decides, acts, and writes status when something changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	inst := &v1alpha1.Instance{}
	if err := r.Client.Get(ctx, req.NamespacedName, inst); err != nil {
		if apierrors.IsNotFound(err) {
			r.abandon(req.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the Instance: %w", err)
	}
	if inst.DeletionTimestamp == nil {
		if goes, err := r.leaving(ctx, inst.Namespace); err != nil || goes {
			r.abandon(req.NamespacedName)
			return ctrl.Result{}, err
		}
	}
	if !controllerutil.ContainsFinalizer(inst, v1alpha1.FinalizerInstance) {
		return ctrl.Result{}, r.addFinalizer(ctx, inst)
	}
	if inst.DeletionTimestamp != nil && *r.released.of(inst, kept) {
		return ctrl.Result{}, nil
	}
	o, err := r.gather(ctx, inst)
	if err != nil {
		return requeue.OnConflict(err)
	}
	choice := engine.Choose(o.facts)
	if !choice.Wake.IsZero() {
		o.wakeIn(choice.Wake.Sub(o.facts.Now))
	}
	next := inst.DeepCopy()
	if err := r.act(ctx, next, o, choice); err != nil {
		refused := apply.Classify(err)
		if refused.Class != engine.OutcomeUser {
			return requeue.OnConflict(err)
		}
		// Nobody is helped by a loop: say what the API server said, and look again later.
		choice = engine.Choice{Blocked: refused.Reason, Message: refused.Message}
		o.wake = refusedPause
		if !holding(next, o) {
			next.Status.Active = nil // else its end is taken for a run that goes on
		}
	}
	if choice.Done {
		return requeue.OnConflict(r.finish(ctx, next, o))
	}
	driftErr := r.steady(ctx, next, o, choice)
	r.status(next, o, choice)
	r.stalled.set(r.Metrics, req.NamespacedName, inst.Spec.Framework, isStalled(next))
	if !reflect.DeepEqual(inst.Status, next.Status) {
		if err := r.store(ctx, next); err != nil {
			return requeue.OnConflict(client.IgnoreNotFound(err)) // gone, and the cache has not seen it
		}
		r.tell(inst, next)
	}
	if err := errors.Join(driftErr, r.collect(ctx, next, o)); err != nil {
		return requeue.OnConflict(err)
	}
	return ctrl.Result{RequeueAfter: o.wake}, nil
}

// abandon drops what is known of an Instance that nothing is done for any more.
func (r *Reconciler) abandon(key types.NamespacedName) {
	r.stalled.set(r.Metrics, key, "", false)
	r.forget(key)
	r.unobserve(key)
	r.released.forget(key)
}

// store writes status, guarded by resourceVersion. The answer confirms the lock.
func (r *Reconciler) store(ctx context.Context, next *v1alpha1.Instance) error {
	end := func(int64, bool) {}
	var epoch int64
	if a := next.Status.Active; a != nil {
		end, epoch = r.Lock.Begin(a.UID), a.Epoch
	}
	err := r.Client.Status().Update(ctx, next)
	end(epoch, err == nil)
	if err != nil {
		return fmt.Errorf("writing the status of the Instance: %w", err)
	}
	return nil
}

// addFinalizer is the webhook's work, where there is no webhook.
func (r *Reconciler) addFinalizer(ctx context.Context, inst *v1alpha1.Instance) error {
	if inst.DeletionTimestamp != nil {
		return nil
	}
	base := inst.DeepCopy()
	controllerutil.AddFinalizer(inst, v1alpha1.FinalizerInstance)
	if err := r.Client.Patch(ctx, inst, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("adding the finalizer: %w", err)
	}
	return nil
}
