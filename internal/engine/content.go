// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// triggerContent is the beginning of the trigger of a run because what pods consume changed.
const triggerContent = "content/"

// TakesContent says whether a run of a plan takes over what pods consume now; else it
// keeps what the last completed run took over. named is the plan that a change runs: without
// one nothing waits for it, so every plan does.
func TakesContent(plan, named string, deployed bool) bool {
	whole := []string{v1alpha1.PlanDeploy, v1alpha1.PlanUpdate, v1alpha1.PlanUpgrade}
	return !deployed || named == "" || plan == named || slices.Contains(whole, plan)
}

// contentChanged runs the plan for a change of what pods consume, once for each change. Nil
// where nothing is to be done.
func (f InstanceFacts) contentChanged() *Choice {
	d := f.Desired
	if d.ContentPlan == "" || d.Content == "" || !d.ContentChanged {
		return nil
	}
	start := &Start{Plan: d.ContentPlan, Trigger: triggerContent + d.Content}
	for range len(f.Runs) + 1 {
		old := f.find(start)
		switch {
		case old == nil:
			return &Choice{Start: start, Discard: f.stale(start)}
		case !old.State.Terminal():
			return &Choice{Admit: old, Discard: f.stale(start)}
		case old.UID == f.Completed.UID:
			return nil // it ran, and could not take over what it can not read
		}
		if reason, message := old.needsPerson(); reason != "" {
			return &Choice{Admit: f.oldestUserRun(false), Blocked: reason, Message: message}
		}
		start = &Start{Plan: d.ContentPlan, Trigger: triggerAgain + old.UID}
	}
	return nil
}

// contentFailed holds an Instance whose newest run was for a change of what pods consume
// and needs a person, until that or the spec changes. Nil where there is no such run.
func (f InstanceFacts) contentFailed() *Choice {
	last := f.newest(func(r Run) bool { return r.Lifecycle && !r.forRecovery() })
	if last == nil || !strings.HasPrefix(last.Trigger, triggerContent) || last.Generation != f.Desired.Generation || last.Desired != f.Desired.Digest {
		return nil
	}
	if now := f.Desired.Content; now != "" && last.Trigger != triggerContent+now {
		return nil
	}
	reason, message := last.needsPerson()
	if reason == "" {
		return nil
	}
	return &Choice{Admit: f.oldestUserRun(false), Discard: f.stale(nil), Blocked: reason, Message: message}
}
