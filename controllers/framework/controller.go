// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package framework keeps the table of a Framework's versions and its generated kind, and
// turns the objects of such kinds into Instances.
package framework

import (
	"context"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdinstall"
	"kudo.dev/kudo/internal/requeue"
)

// Reconciler looks after Frameworks.
type Reconciler struct {
	// Client reads from the manager's cache and writes Kudo's own kinds.
	Client    client.Client
	Installer *crdinstall.Installer
	Kinds     *Kinds
	Events    events.EventRecorder
	Clock     clock.PassiveClock

	waiting waiting
}

// Reconcile derives the table of versions and the generated kind, and writes status when
// it changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	fw := &v1alpha1.Framework{}
	if err := r.Client.Get(ctx, req.NamespacedName, fw); err != nil {
		if apierrors.IsNotFound(err) {
			r.Kinds.Forget(req.Name)
			r.waiting.set(req.Name, false)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the Framework: %w", err)
	}
	f, err := r.gather(ctx, fw)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.waiting.set(fw.Name, true) // before objects are looked at: one may change meanwhile
	var found verdict
	if fw.DeletionTimestamp != nil {
		done, held, err := r.finalize(ctx, fw, f)
		if done || err != nil {
			return requeue.OnConflict(err)
		}
		found = held
	} else if found, err = r.establish(ctx, fw, f); err != nil {
		return requeue.OnConflict(err)
	}
	r.waiting.set(fw.Name, found.waits)
	if found.pending {
		return ctrl.Result{}, nil // the verdict wakes us, and says what can be told
	}
	next := fw.DeepCopy()
	r.status(next, f.versions, found)
	if reflect.DeepEqual(fw.Status, next.Status) {
		return ctrl.Result{RequeueAfter: found.again}, nil
	}
	if err := r.Client.Status().Update(ctx, next); err != nil {
		return requeue.OnConflict(client.IgnoreNotFound(fmt.Errorf("writing the status of the Framework: %w", err)))
	}
	r.tell(fw, next)
	return ctrl.Result{RequeueAfter: found.again}, nil
}

// tell makes an event when the verdict about the kind changes.
func (r *Reconciler) tell(old, now *v1alpha1.Framework) {
	before := meta.FindStatusCondition(old.Status.Conditions, v1alpha1.ConditionEstablished)
	after := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionEstablished)
	if after == nil || (before != nil && before.Reason == after.Reason && before.Message == after.Message) {
		return
	}
	kind := corev1.EventTypeNormal
	if meta.IsStatusConditionTrue(now.Status.Conditions, v1alpha1.ConditionStalled) {
		kind = corev1.EventTypeWarning
	} else if after.Status != metav1.ConditionTrue {
		return // on its way
	}
	r.Events.Eventf(now, nil, kind, after.Reason, "Generate", "%s", after.Message)
}
