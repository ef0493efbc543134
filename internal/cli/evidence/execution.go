// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"cmp"
	"fmt"
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Of picks the executions of an Instance, in the order of their admission; those that wait for
// it come last.
func Of(all []v1alpha1.PlanExecution, instance string) []v1alpha1.PlanExecution {
	var out []v1alpha1.PlanExecution
	for i := range all {
		if all[i].Spec.Instance == instance {
			out = append(out, all[i])
		}
	}
	waits := func(pe *v1alpha1.PlanExecution) int {
		if pe.Status.Epoch == 0 {
			return 1
		}
		return 0
	}
	slices.SortFunc(out, func(a, b v1alpha1.PlanExecution) int {
		return cmp.Or(cmp.Compare(waits(&a), waits(&b)), cmp.Compare(a.Status.Epoch, b.Status.Epoch),
			a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Current are the executions that are under way, the one that holds the Instance first; none
// if it is at rest.
func Current(inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution) []*v1alpha1.PlanExecution {
	var out []*v1alpha1.PlanExecution
	for i := range runs {
		pe := &runs[i]
		if pe.Status.State.Terminal() {
			continue
		}
		if a := inst.Status.Active; a != nil && a.UID == pe.UID {
			out = slices.Insert(out, 0, pe)
			continue
		}
		out = append(out, pe)
	}
	return out
}

// Shown are the executions that tell how an Instance is: what is under way, else the newest
// that was admitted.
func Shown(inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution) []*v1alpha1.PlanExecution {
	if current := Current(inst, runs); len(current) > 0 {
		return current
	}
	if len(runs) == 0 {
		return nil
	}
	return []*v1alpha1.PlanExecution{&runs[len(runs)-1]}
}

// References are the objects that tasks of an execution wrote, each once.
func References(tasks []v1alpha1.TaskStatus, known []v1alpha1.ObjectReference) []v1alpha1.ObjectReference {
	for i := range tasks {
		for _, ref := range tasks[i].Objects {
			ref.UID = ""
			if !slices.Contains(known, ref) {
				known = append(known, ref)
			}
		}
	}
	return known
}

// Written are all objects that an execution wrote.
func Written(pe *v1alpha1.PlanExecution) []v1alpha1.ObjectReference {
	var out []v1alpha1.ObjectReference
	for i := range pe.Status.Phases {
		for j := range pe.Status.Phases[i].Steps {
			step := &pe.Status.Phases[i].Steps[j]
			out = References(step.Undo, References(step.Tasks, out))
		}
	}
	return out
}

// Ended says whether a run has ended or stalls, and whether that is an error.
func Ended(pe *v1alpha1.PlanExecution) (bool, error) {
	switch state := pe.Status.State; {
	case state == v1alpha1.RunSucceeded:
		return true, nil
	case state == v1alpha1.RunStalled:
		return true, fmt.Errorf("plan %s is stalled: %s. Why: kubectl kudo -n %s diagnose %s", pe.Spec.Plan, pe.Status.Message, pe.Namespace, pe.Spec.Instance)
	case state.Terminal():
		return true, fmt.Errorf("plan %s ended %s (%s): %s", pe.Spec.Plan, state, pe.Status.Reason, pe.Status.Message)
	}
	return false, nil
}
