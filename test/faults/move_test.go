// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// manual is the name of what a person runs.
const manual = "by-hand"

// byHand runs a plan that nothing but a person runs. A rollback takes the place of what
// is stalled.
func byHand(plan string) func(context.Context, client.Client, *v1alpha1.Instance) error {
	return func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		return c.Create(ctx, &v1alpha1.PlanExecution{
			ObjectMeta: metav1.ObjectMeta{Namespace: inst.Namespace, Name: manual},
			Spec:       v1alpha1.PlanExecutionSpec{Instance: inst.Name, Plan: plan, Preempt: plan == v1alpha1.PlanRollback},
		})
	}
}

func renewed(_ context.Context, _ client.Client, inst *v1alpha1.Instance) bool {
	return settled(inst) && inst.Status.Plan == "renew: Succeeded"
}

// backedUp says whether a run beside others has ended and the Instance knows.
func backedUp(ctx context.Context, c client.Client, inst *v1alpha1.Instance) bool {
	pe := &v1alpha1.PlanExecution{}
	err := c.Get(ctx, client.ObjectKey{Namespace: inst.Namespace, Name: manual}, pe)
	return err == nil && pe.Status.State == v1alpha1.RunSucceeded && settled(inst) && len(inst.Status.Shared) == 0
}

var upgrade = patched(func(inst *v1alpha1.Instance) { inst.Spec.Version = "2.0.0" })

// stuck is an upgrade that ends where its Job fails.
var stuck = move{act: upgrade, ended: func(_ context.Context, _ client.Client, inst *v1alpha1.Instance) bool {
	return stalled(inst, v1alpha1.ReasonPlanStalled)
}}

// takeBack ends the upgrade and takes back what it did.
func takeBack(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
	if inst.Status.Active == nil {
		return errors.New("there is nothing to take back")
	}
	pe := &v1alpha1.PlanExecution{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: inst.Namespace, Name: inst.Status.Active.Name}, pe); err != nil {
		return err
	}
	base := pe.DeepCopy()
	pe.Spec.Requests = append(pe.Spec.Requests, v1alpha1.Request{ID: "back", Action: v1alpha1.ActionCancel, Mode: v1alpha1.CancelUndo})
	return c.Patch(ctx, pe, client.MergeFrom(base))
}

// stalledFor is the end of a move that leaves the Instance to a person.
func stalledFor(reason string) func(context.Context, client.Client, *v1alpha1.Instance) bool {
	return func(_ context.Context, _ client.Client, inst *v1alpha1.Instance) bool {
		return inst.Status.Active == nil && stalled(inst, reason)
	}
}

func stalled(inst *v1alpha1.Instance, reason string) bool {
	c := meta.FindStatusCondition(inst.Status.Conditions, v1alpha1.ConditionStalled)
	return inst.Status.ObservedGeneration == inst.Generation && c != nil && c.Status == metav1.ConditionTrue && c.Reason == reason
}
