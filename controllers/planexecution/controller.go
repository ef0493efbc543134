// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package planexecution decides, with the engine, what to do next inside one run
// of a plan, and does it as the Instance's account.
package planexecution

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/impersonate"
	"kudo.dev/kudo/internal/lock"
	"kudo.dev/kudo/internal/metric"
	"kudo.dev/kudo/internal/requeue"
)

// Accounts hands out clients that act as an Instance's account.
type Accounts interface {
	ClientFor(account impersonate.Account) (client.Client, error)
	CoreFor(account impersonate.Account) (corev1client.CoreV1Interface, error)
}

// Reconciler runs PlanExecutions.
type Reconciler struct {
	// Client reads from the manager's cache and writes Kudo's own kinds.
	Client client.Client
	// Live reads from the API server: the lock is never read from a cache.
	Live     client.Reader
	Accounts Accounts
	Reader   *apply.Reader
	Versions *graph.Cache
	Archive  *archive.Archive
	Lock     *lock.Ledger
	Scope    graph.Scope
	Watches  *dynamic.Watcher
	Events   events.EventRecorder
	Metrics  *metric.Set
	Clock    clock.PassiveClock

	memory memory
}

// Reconcile observes, decides, acts, and writes status when something changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	pe := &v1alpha1.PlanExecution{}
	if err := r.Client.Get(ctx, req.NamespacedName, pe); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(req.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the PlanExecution: %w", err)
	}
	if pe.DeletionTimestamp != nil || pe.Status.State.Terminal() {
		r.forget(req.NamespacedName)
		r.Lock.Forget(pe.UID)
		return r.conflict(ctrl.Result{}, r.answerEnded(ctx, pe))
	}
	run, err := r.open(ctx, pe)
	if err != nil || run == nil {
		return r.conflict(ctrl.Result{}, err)
	}
	result, err := r.proceed(ctx, run)
	if err != nil {
		r.Lock.Forget(pe.UID) // what was written may be newer than the cache: it is read again
	}
	return r.conflict(result, err)
}

// conflict makes a lost race a new try instead of an error in the log.
func (r *Reconciler) conflict(result ctrl.Result, err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: requeue.Pause}, nil
	}
	if gone(err) {
		return ctrl.Result{}, nil
	}
	return result, err
}

// gone says whether the execution itself was removed while it was worked on.
func gone(err error) bool {
	var status apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &status) && status.Status().Details != nil &&
		status.Status().Details.Group == v1alpha1.GroupVersion.Group && status.Status().Details.Kind == "planexecutions"
}
