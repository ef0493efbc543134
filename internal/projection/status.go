// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/params"
)

// Settled says whether an Instance's status describes its newest spec. Until then there is
// nothing to tell: its controller writes soon.
func Settled(inst *v1alpha1.Instance) bool { return inst.Status.ObservedGeneration == inst.Generation }

// Mirror gives the status of an object from that of its Instance and from the run that
// holds it, if any. generation is that of the object, old its status until now.
func Mirror(old v1alpha1.TypedStatus, generation int64, inst *v1alpha1.Instance, run *v1alpha1.PlanExecution) v1alpha1.TypedStatus {
	s := v1alpha1.TypedStatus{
		ObservedGeneration: generation, Instance: inst.Name,
		Version: inst.Status.Version, Plan: inst.Status.Plan, Outputs: inst.Status.Outputs,
		Replicas: old.Replicas, Selector: old.Selector,
	}
	for _, c := range inst.Status.Conditions {
		c.ObservedGeneration = generation
		s.Conditions = append(s.Conditions, c)
	}
	if a := inst.Status.Active; a != nil && run != nil && run.UID == a.UID && !run.Status.State.Terminal() {
		s.Execution = execution(run)
	}
	return s
}

// Rolled says whether what the Instance wants is what runs.
func Rolled(inst *v1alpha1.Instance) bool {
	return Settled(inst) && meta.IsStatusConditionTrue(inst.Status.Conditions, v1alpha1.ConditionReady)
}

// Replicas reads the replicas parameter of an Instance.
func Replicas(inst *v1alpha1.Instance, parameter string) *int32 {
	raw, ok := inst.Spec.Parameters[parameter]
	if parameter == "" || !ok {
		return nil
	}
	v, err := params.Decode(raw.Raw)
	n, isInteger := v.(int64)
	if err != nil || !isInteger || n < 0 || n >= 1<<31 {
		return nil
	}
	out := int32(n)
	return &out
}

func execution(run *v1alpha1.PlanExecution) *v1alpha1.TypedExecution {
	out := &v1alpha1.TypedExecution{Name: run.Name, Plan: run.Spec.Plan, State: run.Status.State, Message: run.Status.Message}
	if out.State == "" {
		out.State = v1alpha1.RunPending
	}
	for _, phase := range run.Status.Phases {
		for _, step := range phase.Steps {
			out.StepsTotal++
			switch {
			case step.State == v1alpha1.RunSucceeded || step.State == v1alpha1.RunSkipped:
				out.StepsDone++
			case out.Step == "" && (step.State == v1alpha1.RunRunning || step.State == v1alpha1.RunStalled):
				out.Phase, out.Step = phase.Name, step.Name
			}
		}
	}
	return out
}

// Problem is a status that says why there is no Instance, or why it is not what is wanted:
// nothing goes on until a person changes something.
func Problem(old v1alpha1.TypedStatus, generation int64, reason, message string, now metav1.Time) v1alpha1.TypedStatus {
	s := *old.DeepCopy()
	s.ObservedGeneration, s.Execution = generation, nil
	meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionReconciling)
	for _, c := range []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}, {Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue},
	} {
		c.Reason, c.Message, c.ObservedGeneration, c.LastTransitionTime = reason, message, generation, now
		meta.SetStatusCondition(&s.Conditions, c)
	}
	return s
}
