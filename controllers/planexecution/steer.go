// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"fmt"
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// openCancel is the cancel of a person that nobody has answered; nil if there is none.
func openCancel(pe *v1alpha1.PlanExecution) *v1alpha1.Request {
	for i := range pe.Spec.Requests {
		q := &pe.Spec.Requests[i]
		if q.Action == v1alpha1.ActionCancel && !answered(pe, q.ID) {
			return q
		}
	}
	return nil
}

// asked is a request as the engine sees it.
func asked(q v1alpha1.Request) engine.Request {
	return engine.Request{ID: q.ID, Action: q.Action, Path: q.Path, Mode: q.Mode, By: q.By, Reason: q.Reason}
}

func answered(pe *v1alpha1.PlanExecution, id string) bool {
	return slices.ContainsFunc(pe.Status.Requests, func(a v1alpha1.RequestStatus) bool { return a.ID == id })
}

// withdraw ends an execution that can not run, as a person asks: it has done nothing, or
// nothing that the engine could be asked about.
func (r *Reconciler) withdraw(ctx context.Context, pe *v1alpha1.PlanExecution, q *v1alpha1.Request) error {
	pe = pe.DeepCopy()
	now := r.Clock.Now()
	message := asked(*q).Cancelled()
	s := &pe.Status
	s.State, s.Reason, s.Message, s.FinishedAt = v1alpha1.RunCancelled, v1alpha1.ReasonCancelled, message, stamp(now)
	s.ObservedGeneration = pe.Generation
	s.Requests = append(s.Requests, v1alpha1.RequestStatus{ID: q.ID, State: answerDone, Message: message, At: *stamp(now)})
	setConditions(s, pe.Generation, now)
	if err := r.Client.Status().Update(ctx, pe); err != nil {
		return fmt.Errorf("cancelling the PlanExecution: %w", err)
	}
	r.Events.Eventf(pe, nil, "Normal", v1alpha1.ReasonCancelled, "RunPlan", "%s: %s", pe.Spec.Plan, message)
	return nil
}
