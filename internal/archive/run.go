// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// Concerns says whether an execution is one of this very Instance, and not of an
// earlier one of the same name.
func Concerns(pe *v1alpha1.PlanExecution, inst *v1alpha1.Instance) bool {
	if owner := metav1.GetControllerOf(pe); owner != nil {
		return owner.UID == inst.UID
	}
	return pe.DeletionTimestamp == nil && (pe.Status.InstanceUID == "" || pe.Status.InstanceUID == inst.UID)
}

// Run is an execution of an Instance as the engine sees it.
func Run(pe *v1alpha1.PlanExecution, inst *v1alpha1.Instance) engine.Run {
	s := pe.Status
	run := engine.Run{
		Name: pe.Name, UID: string(pe.UID), Plan: pe.Spec.Plan, Trigger: pe.Spec.Trigger,
		State: s.State, Reason: s.Reason, Epoch: s.Epoch, Started: s.StartedAt != nil,
		Created: pe.CreationTimestamp.Time, ByUser: !metav1.IsControlledBy(pe, inst), Preempt: pe.Spec.Preempt,
		FollowedBy: s.FollowedBy, Message: s.Message,
	}
	if s.FinishedAt != nil {
		run.Finished = s.FinishedAt.Time
	}
	if p := s.Program; p != nil {
		run.Lifecycle, run.Version, run.Desired, run.Account = p.Lifecycle, p.Version, p.Desired, p.Account
		run.Generation = strconv.FormatInt(p.Generation, 10)
		run.Shared = p.Shared
	} else {
		run.Desired = engine.DesiredBy(pe.Spec.Trigger)
	}
	return run
}

// Run is the last lifecycle run that succeeded, also when it was deleted since; nil if
// there is none.
func (b *Baseline) Run() *engine.Run {
	if b.Completed == nil {
		return nil
	}
	return &engine.Run{
		Name: b.Execution.Name, UID: string(b.Execution.UID), Epoch: b.Execution.Epoch, Plan: b.Completed.Plan,
		Version: b.Completed.Version.Name, Desired: b.Completed.Desired, State: v1alpha1.RunSucceeded, Lifecycle: true,
		Deployed: b.Whole(),
	}
}

// Admitted lists the executions that an Instance admits: those that run beside others, and the
// one that holds it.
func Admitted(inst *v1alpha1.Instance) []v1alpha1.ActiveExecution {
	out := slices.Clone(inst.Status.Shared)
	if a := inst.Status.Active; a != nil {
		out = append(out, *a)
	}
	return out
}
