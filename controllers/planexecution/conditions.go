// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
)

// setConditions derives the conditions from the state of the run.
func setConditions(s *v1alpha1.PlanExecutionStatus, generation int64, now time.Time) {
	set := func(kind string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&s.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: engine.Brief(message, engine.MaxMessage),
			ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now),
		})
	}
	reason, message := s.Reason, s.Message
	if reason == "" {
		reason = v1alpha1.ReasonRunning
	}
	meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionWaiting)
	if len(s.Paused) > 0 && !s.State.Terminal() {
		set(v1alpha1.ConditionPaused, metav1.ConditionTrue, v1alpha1.ReasonPaused, "nothing more starts at "+strings.Join(s.Paused, ", "))
	} else {
		meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionPaused)
	}
	meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionReconciling)
	switch s.State {
	case v1alpha1.RunStalled, v1alpha1.RunFailed, v1alpha1.RunCancelled:
	default:
		meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionStalled)
	}
	switch s.State {
	case v1alpha1.RunSucceeded:
		set(v1alpha1.ConditionSucceeded, metav1.ConditionTrue, reason, message)
	case v1alpha1.RunFailed, v1alpha1.RunCancelled:
		set(v1alpha1.ConditionSucceeded, metav1.ConditionFalse, reason, message)
		// A tool that applied it must not take the end for a success.
		set(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message)
	case v1alpha1.RunStalled:
		set(v1alpha1.ConditionSucceeded, metav1.ConditionUnknown, reason, message)
		set(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message)
	case v1alpha1.RunPending, v1alpha1.RunRunning, v1alpha1.RunSkipped:
		set(v1alpha1.ConditionSucceeded, metav1.ConditionUnknown, reason, message)
		set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, reason, message)
	}
}

// wait says what an execution waits for. One that Kudo created is admitted in a
// moment: saying so would cost a write for nothing.
func (r *Reconciler) wait(ctx context.Context, pe *v1alpha1.PlanExecution, reason, message string) error {
	if q := openCancel(pe); q != nil {
		return r.withdraw(ctx, pe, q)
	}
	if pe.Spec.Trigger != "" && reason == v1alpha1.ReasonQueued {
		return nil
	}
	if c := meta.FindStatusCondition(pe.Status.Conditions, v1alpha1.ConditionWaiting); c != nil && c.Reason == reason {
		return nil
	}
	pe = pe.DeepCopy()
	now := metav1.NewTime(r.Clock.Now())
	for _, c := range []metav1.Condition{
		{Type: v1alpha1.ConditionSucceeded, Status: metav1.ConditionUnknown},
		{Type: v1alpha1.ConditionWaiting, Status: metav1.ConditionTrue},
		{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue},
	} {
		c.Reason, c.Message, c.ObservedGeneration, c.LastTransitionTime = reason, message, pe.Generation, now
		meta.SetStatusCondition(&pe.Status.Conditions, c)
	}
	if pe.Status.State == "" {
		pe.Status.State = v1alpha1.RunPending
	}
	pe.Status.ObservedGeneration = pe.Generation
	if err := r.Client.Status().Update(ctx, pe); err != nil {
		return fmt.Errorf("writing what the PlanExecution waits for: %w", err)
	}
	return nil
}

// answerEnded refuses requests to a run that has ended, once.
func (r *Reconciler) answerEnded(ctx context.Context, pe *v1alpha1.PlanExecution) error {
	if pe.DeletionTimestamp != nil || pe.Status.ObservedGeneration == pe.Generation {
		return nil
	}
	pe = pe.DeepCopy()
	for _, q := range pe.Spec.Requests {
		if answered(pe, q.ID) {
			continue
		}
		pe.Status.Requests = append(pe.Status.Requests, v1alpha1.RequestStatus{
			ID: q.ID, State: answerRefused, Message: "the run has ended", At: *stamp(r.Clock.Now()),
		})
	}
	pe.Status.ObservedGeneration = pe.Generation
	setConditions(&pe.Status, pe.Generation, r.Clock.Now())
	if err := r.Client.Status().Update(ctx, pe); err != nil {
		return fmt.Errorf("answering requests to a run that has ended: %w", err)
	}
	return nil
}

// lost stalls a run whose inputs or program can not be pinned or read. Any other
// error may pass by itself.
func (r *Reconciler) lost(ctx context.Context, n *run, err error) error {
	if q := openCancel(n.pe); q != nil {
		return r.withdraw(ctx, n.pe, q)
	}
	var missing *archive.ErrMissing
	if errors.As(err, &missing) || errors.Is(err, errGone) {
		return r.conclude(ctx, n, v1alpha1.RunStalled, v1alpha1.ReasonInputsLost, err.Error())
	}
	if o := apply.Classify(err); o.Class == engine.OutcomeUser {
		return r.conclude(ctx, n, v1alpha1.RunStalled, o.Reason, o.Message)
	}
	return err
}

// end fails a run that can not start.
func (r *Reconciler) end(ctx context.Context, n *run, reason, message string) error {
	return r.conclude(ctx, n, v1alpha1.RunFailed, reason, message)
}

// conclude stores a state that no plan leads to, once.
func (r *Reconciler) conclude(ctx context.Context, n *run, state v1alpha1.RunState, reason, message string) error {
	s := &n.pe.Status
	if stop := n.admission.Stop; stop != "" && state == v1alpha1.RunStalled {
		state, reason = v1alpha1.RunCancelled, stop
	}
	if s.State == state && s.Message == engine.Brief(message, engine.MaxMessage) {
		return nil
	}
	s.State, s.Reason, s.Message = state, reason, engine.Brief(message, engine.MaxMessage)
	s.ObservedGeneration = n.pe.Generation
	now := r.Clock.Now()
	if state.Terminal() {
		s.FinishedAt = stamp(now)
	}
	setConditions(s, n.pe.Generation, now)
	if err := r.Client.Status().Update(ctx, n.pe); err != nil {
		if apierrors.IsConflict(err) {
			return err
		}
		return fmt.Errorf("writing the status of the PlanExecution: %w", err)
	}
	r.Events.Eventf(n.instance, n.pe, "Warning", reason, "RunPlan", "%s: %s", n.pe.Spec.Plan, message)
	return nil
}
