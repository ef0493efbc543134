// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package frameworkversion compiles FrameworkVersions, reports the permissions that
// they need, and holds those that are in use.
package frameworkversion

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/requeue"
)

// Reconciler looks after FrameworkVersions.
type Reconciler struct {
	// Client reads from the manager's cache and writes Kudo's own kinds.
	Client   client.Client
	Mapper   meta.RESTMapper
	Versions *graph.Cache
	Events   events.EventRecorder
	Clock    clock.PassiveClock
}

// Reconcile compiles the version and writes its status when something changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	fwv := &v1alpha1.FrameworkVersion{}
	if err := r.Client.Get(ctx, req.NamespacedName, fwv); err != nil {
		if apierrors.IsNotFound(err) {
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the FrameworkVersion: %w", err)
	}
	var users v1alpha1.InstanceList
	if err := r.Client.List(ctx, &users, client.MatchingFields{v1alpha1.IndexVersion: fwv.Name}); err != nil {
		return ctrl.Result{}, fmt.Errorf("listing the users of the FrameworkVersion: %w", err)
	}
	if done, err := r.finalize(ctx, fwv, len(users.Items)); done || err != nil {
		if err == nil {
			r.Versions.Forget(&fwv.Spec)
		}
		return ctrl.Result{}, err
	}
	next := fwv.DeepCopy()
	if err := r.status(ctx, next, len(users.Items)); err != nil {
		return ctrl.Result{}, err
	}
	if reflect.DeepEqual(fwv.Status, next.Status) {
		return ctrl.Result{}, nil
	}
	if err := r.Client.Status().Update(ctx, next); err != nil {
		return requeue.OnConflict(fmt.Errorf("writing the status of the FrameworkVersion: %w", err))
	}
	r.tell(fwv, next)
	return ctrl.Result{}, nil
}

// finalize holds a version that is in use and lets go of one that is not.
func (r *Reconciler) finalize(ctx context.Context, fwv *v1alpha1.FrameworkVersion, users int) (done bool, err error) {
	has := controllerutil.ContainsFinalizer(fwv, v1alpha1.FinalizerVersion)
	base := fwv.DeepCopy()
	switch {
	case fwv.DeletionTimestamp == nil && !has:
		controllerutil.AddFinalizer(fwv, v1alpha1.FinalizerVersion)
	case fwv.DeletionTimestamp != nil && has && users == 0:
		controllerutil.RemoveFinalizer(fwv, v1alpha1.FinalizerVersion)
		done = true
	default:
		return fwv.DeletionTimestamp != nil && !has, nil
	}
	err = r.Client.Patch(ctx, fwv, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	if err != nil {
		return true, client.IgnoreNotFound(fmt.Errorf("changing the finalizer: %w", err))
	}
	return done, nil
}

func (r *Reconciler) tell(old, now *v1alpha1.FrameworkVersion) {
	before := meta.FindStatusCondition(old.Status.Conditions, v1alpha1.ConditionReady)
	after := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionReady)
	if after == nil || (before != nil && before.Reason == after.Reason) {
		return
	}
	kind := "Normal"
	if after.Status != metav1.ConditionTrue {
		kind = "Warning"
	}
	r.Events.Eventf(now, nil, kind, after.Reason, "Compile", "%s", after.Message)
}
