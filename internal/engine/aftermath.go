// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// needsPerson says why a run that ended is not followed by another by itself; empty if it is.
func (r Run) needsPerson() (reason, message string) {
	const then = ": change the spec, or run a plan by hand"
	switch {
	case r.State == v1alpha1.RunFailed:
		return v1alpha1.ReasonPlanFailed, "plan " + r.Plan + " failed (PlanExecution " + r.Name + ")" + then
	case r.State == v1alpha1.RunCancelled && r.Reason == v1alpha1.ReasonCancelled:
		return v1alpha1.ReasonPlanCancelled, "plan " + r.Plan + " was " + r.Message + " (PlanExecution " + r.Name + ")" + then
	}
	return "", ""
}

// afterFailure runs what the plan that failed last names to follow, once, for as long as
// the Instance's spec stays. Nil where nothing follows.
func (f InstanceFacts) afterFailure() *Choice {
	last := f.newest(func(r Run) bool {
		return !strings.HasPrefix(r.Trigger, TriggerOnFailure) && (!r.forRecovery() || r.FollowedBy != "")
	})
	if last == nil || last.State != v1alpha1.RunFailed || last.FollowedBy == "" || last.Generation != f.Desired.Generation ||
		last.FollowedBy == v1alpha1.PlanRollback && f.Completed == nil {
		return nil
	}
	start := &Start{Plan: last.FollowedBy, Trigger: TriggerOnFailure + last.UID}
	switch old := f.find(start); {
	case old == nil:
		return &Choice{Start: start, Discard: f.stale(start)}
	case !old.State.Terminal():
		return &Choice{Admit: old, Discard: f.stale(start)}
	}
	return nil
}

// rolledBack holds an Instance that was rolled back from what it wants, until its spec
// changes: its spec is never written. Nil where it was not.
func (f InstanceFacts) rolledBack() *Choice {
	last := f.newest(func(r Run) bool { return r.Lifecycle && !r.forRecovery() })
	if last == nil || last.Plan != v1alpha1.PlanRollback || last.State != v1alpha1.RunSucceeded ||
		last.Generation != f.Desired.Generation || f.Completed == nil || f.Completed.Desired == f.Desired.Digest {
		return nil
	}
	return &Choice{
		Admit: f.oldestUserRun(false), Discard: f.stale(nil), Blocked: v1alpha1.ReasonRolledBack,
		Message: "rolled back to what ran before, version " + last.Version + " (PlanExecution " + last.Name + "): change the spec, or run a plan by hand",
	}
}
