// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/metric"
)

// status derives the Instance's status from what was observed and chosen. It never
// computes one from its own old value, but for the lock.
func (r *Reconciler) status(next *v1alpha1.Instance, o *observed, c engine.Choice) {
	s := &next.Status
	s.ObservedGeneration = next.Generation
	s.Epoch = max(s.Epoch, o.epoch())
	s.LastCompleted = o.baseline.Execution
	s.Version = ""
	if o.baseline.Completed != nil {
		s.Version = o.baseline.Completed.Version.Name
	}
	s.Outputs = outputs(next, o)
	s.Plan, s.Broken = planColumn(next, o), o.broken
	r.conditions(next, verdict(next, o, c))
	r.drifted(next, o.drift)
}

// outputs are those of the last completed run. Where that was deleted, what was known of it
// stays: they are not told anywhere else.
func outputs(inst *v1alpha1.Instance, o *observed) map[string]apiextensionsv1.JSON {
	if o.baseline.Execution == nil {
		return nil
	}
	if pe := o.run(o.baseline.Execution.UID); pe != nil {
		return pe.Status.Outputs
	}
	return inst.Status.Outputs
}

// outcome is the root condition before it is spread over the others.
type outcome struct {
	ready, reconciling, stalled, waiting bool
	reason, message                      string
}

// verdict says what the Instance is: the first rule that holds, wins.
func verdict(inst *v1alpha1.Instance, o *observed, c engine.Choice) outcome {
	active := activeRun(inst, o)
	switch {
	case o.facts.Deleting:
		return deleting(inst.Status.Active, active, c)
	case active != nil && active.Status.State == v1alpha1.RunStalled:
		return outcome{stalled: true, reason: v1alpha1.ReasonPlanStalled,
			message: fmt.Sprintf("plan %s is stalled: %s", active.Spec.Plan, active.Status.Message)}
	case active != nil && waitsForPerson(active):
		return outcome{reconciling: true, reason: v1alpha1.ReasonPlanRunning,
			message: fmt.Sprintf("plan %s is held: %s", active.Spec.Plan, active.Status.Message)}
	case inst.Status.Active != nil:
		return outcome{reconciling: true, reason: v1alpha1.ReasonPlanRunning, message: "plan " + inst.Status.Active.Plan + " is running"}
	case o.problem != nil:
		return outcome{waiting: o.problem.waits, reconciling: o.problem.waits, stalled: !o.problem.waits,
			reason: o.problem.reason, message: o.problem.message}
	case c.Blocked == v1alpha1.ReasonSuspended:
		return outcome{ready: o.baseline.Completed != nil && settled(o), reason: c.Blocked, message: c.Message}
	case c.Undecided:
		return outcome{reconciling: true, reason: v1alpha1.ReasonWaiting, message: c.Message}
	case c.Blocked != "":
		return outcome{stalled: true, reason: c.Blocked, message: c.Message}
	}
	return outcome{ready: true, reason: v1alpha1.ReasonReady, message: "version " + inst.Spec.Version + " is rolled out"}
}

// waitsForPerson says whether a run is under way but nothing goes on by itself.
func waitsForPerson(pe *v1alpha1.PlanExecution) bool {
	return pe.Status.Reason == v1alpha1.ReasonPaused || pe.Status.Reason == v1alpha1.ReasonAwaitingApproval
}

// settled says whether what is wanted is what was rolled out.
func settled(o *observed) bool {
	return o.facts.Desired != nil && o.facts.Completed != nil && o.facts.Desired.Digest == o.facts.Completed.Desired
}

// deleting says what a deletion waits for: the run that holds the Instance, in the same words
// from its admission to its end, so that they cost one write.
func deleting(lock *v1alpha1.ActiveExecution, active *v1alpha1.PlanExecution, c engine.Choice) outcome {
	out := outcome{reconciling: true, reason: v1alpha1.ReasonDeleting, message: "the Instance is being deleted"}
	switch {
	case lock == nil && c.Blocked != "":
		out.reconciling, out.stalled = false, true
		out.message += ": " + c.Message
	case lock == nil:
	case active != nil && active.Status.State == v1alpha1.RunStalled:
		out.reconciling, out.stalled = false, true
		out.message += fmt.Sprintf(": plan %s is stalled: %s", lock.Plan, active.Status.Message)
	case active != nil && waitsForPerson(active):
		out.message += fmt.Sprintf(": plan %s is held: %s", lock.Plan, active.Status.Message)
	default:
		out.message += ": plan " + lock.Plan + " is running"
	}
	return out
}

func activeRun(inst *v1alpha1.Instance, o *observed) *v1alpha1.PlanExecution {
	if inst.Status.Active == nil {
		return nil
	}
	return o.run(inst.Status.Active.UID)
}

func (r *Reconciler) conditions(inst *v1alpha1.Instance, v outcome) {
	set := func(kind string, present bool, status metav1.ConditionStatus) {
		if !present {
			meta.RemoveStatusCondition(&inst.Status.Conditions, kind)
			return
		}
		meta.SetStatusCondition(&inst.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: v.reason, Message: engine.Brief(v.message, engine.MaxMessage),
			ObservedGeneration: inst.Generation, LastTransitionTime: metav1.NewTime(r.Clock.Now()),
		})
	}
	ready := metav1.ConditionFalse
	if v.ready {
		ready = metav1.ConditionTrue
	}
	set(v1alpha1.ConditionReady, true, ready)
	set(v1alpha1.ConditionReconciling, v.reconciling, metav1.ConditionTrue)
	set(v1alpha1.ConditionStalled, v.stalled, metav1.ConditionTrue)
	set(v1alpha1.ConditionWaiting, v.waiting, metav1.ConditionTrue)
}

// planColumn is the newest admitted plan and its state, for people. What it said stays while
// the newest is not shown: it was removed after its end, or the cache is behind.
func planColumn(inst *v1alpha1.Instance, o *observed) string {
	var newest *v1alpha1.PlanExecution
	for i := range o.runs {
		pe := &o.runs[i]
		beside := pe.Status.Program != nil && pe.Status.Program.Shared
		if pe.Status.Epoch > 0 && !beside && (newest == nil || pe.Status.Epoch > newest.Status.Epoch) {
			newest = pe
		}
	}
	if a := inst.Status.Active; a != nil && (newest == nil || newest.UID != a.UID) {
		return a.Plan + ": " + string(v1alpha1.RunRunning)
	}
	if said := inst.Status.Plan; said != "" && o.facts.Active == "" && o.epoch() < inst.Status.Epoch {
		return said
	}
	if newest == nil {
		return ""
	}
	return newest.Spec.Plan + ": " + string(newest.Status.State)
}

func isStalled(inst *v1alpha1.Instance) bool {
	return meta.IsStatusConditionTrue(inst.Status.Conditions, v1alpha1.ConditionStalled)
}

// tell makes an event when the Instance's verdict changes; what its plans do, they tell.
func (r *Reconciler) tell(old, now *v1alpha1.Instance) {
	before := meta.FindStatusCondition(old.Status.Conditions, v1alpha1.ConditionReady)
	after := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionReady)
	if after == nil || (before != nil && before.Reason == after.Reason) {
		return
	}
	switch after.Reason {
	case v1alpha1.ReasonPlanRunning, v1alpha1.ReasonPlanStalled:
		return
	}
	kind := "Normal"
	if isStalled(now) {
		kind = "Warning"
	}
	r.Events.Eventf(now, nil, kind, after.Reason, "Reconcile", "%s", after.Message)
}

// stalled counts stalled Instances by framework, across reconciliations.
type stalled struct {
	mu      sync.Mutex
	members map[types.NamespacedName]string
}

func (s *stalled) set(m *metric.Set, key types.NamespacedName, framework string, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.members == nil {
		s.members = map[types.NamespacedName]string{}
	}
	counted, was := s.members[key]
	switch {
	case is && !was:
		s.members[key] = framework
		m.Stalled(framework, 1)
	case !is && was:
		delete(s.members, key)
		m.Stalled(counted, -1)
	}
}
