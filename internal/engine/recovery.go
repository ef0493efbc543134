// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// TriggerRecovery is the beginning of the trigger of a run that repairs something; the
// name of the rule and a number follow.
const TriggerRecovery = "recovery/"

// Incident is a recovery rule whose condition holds.
type Incident struct {
	Rule, Plan string
	// When is the condition, for people.
	When string
	// Preempt lets the rule end a run that is under way.
	Preempt bool
	// Since when the condition holds, without a break that was seen.
	Since time.Time
	// For is how long it must hold.
	For time.Duration
	// Attempts that the rule has within Window.
	Attempts int
	Window   time.Duration
}

// ForRecovery says whether a run of this trigger repairs something. It says nothing about
// what the spec wants: it keeps what the last completed run took over.
func ForRecovery(trigger string) bool { return strings.HasPrefix(trigger, TriggerRecovery) }

func (r Run) forRecovery() bool { return ForRecovery(r.Trigger) }

// of says whether a run was started by a rule, and as which of its runs.
func (i Incident) of(r Run) (number int, is bool) {
	rest, is := strings.CutPrefix(r.Trigger, TriggerRecovery+i.Rule+"/")
	if !is {
		return 0, false
	}
	number, err := strconv.Atoi(rest)
	return number, err == nil
}

// due says when the plan of a rule may start: once its condition has held for long enough,
// counted from the end of what ran last. A rule that preempts counts while others run.
func (f InstanceFacts) due(i Incident) time.Time {
	since := i.Since
	for _, r := range f.Runs {
		if _, own := i.of(r); (own || !i.Preempt) && r.Epoch > 0 && r.Finished.After(since) {
			since = r.Finished
		}
	}
	return since.Add(i.For)
}

// allowed says whether the limit of a rule lets another run start now, and when it does else.
func (f InstanceFacts) allowed(i Incident) (now bool, next time.Time) {
	begun := 0
	for _, r := range f.Runs {
		_, own := i.of(r)
		if free := r.Created.Add(i.Window); own && f.Now.Before(free) {
			if begun++; next.IsZero() || free.Before(next) {
				next = free
			}
		}
	}
	return begun < i.Attempts, next
}

// attempt names the next run of a rule: one that was created and not admitted, else another.
func (f InstanceFacts) attempt(i Incident) (start *Start, admit *Run) {
	last := 0
	for k := range f.Runs {
		r := &f.Runs[k]
		number, own := i.of(*r)
		if own && r.Waits() && r.Plan == i.Plan {
			return nil, r
		}
		last = max(last, number)
	}
	return &Start{Plan: i.Plan, Trigger: fmt.Sprintf("%s%s/%d", TriggerRecovery, i.Rule, last+1)}, nil
}

// recovery runs the plan of the first rule that has held for long enough. Of rules that
// preempt only, where preempting is true.
func (f InstanceFacts) recovery(preempting bool) Choice {
	var out Choice
	if !f.deployed() || f.Completed == nil {
		return out
	}
	for _, i := range f.Incidents {
		if preempting && !i.Preempt {
			continue
		}
		if due := f.due(i); f.Now.Before(due) {
			out.wakeAt(due)
			continue
		}
		allowed, next := f.allowed(i)
		start, admit := f.attempt(i)
		if admit == nil && !allowed {
			out.wakeAt(next)
			out.Blocked = v1alpha1.ReasonRecoveryLimit
			out.Message = fmt.Sprintf("recovery rule %s: %d runs of plan %s within %s did not help, its condition still holds (%s). "+
				"Repair it, or run a plan by hand; the rule tries again after %s",
				i.Rule, i.Attempts, i.Plan, i.Window, i.When, next.UTC().Format(time.RFC3339))
			return out
		}
		if f.Unsure {
			out.Undecided = true
			out.Message = fmt.Sprintf("looking whether the recovery rule %s still holds (%s)", i.Rule, i.When)
			return out
		}
		return Choice{Start: start, Admit: admit, Discard: f.stale(i.wanted(start, admit))}
	}
	return out
}

// wanted is what is not stale although nothing has admitted it.
func (i Incident) wanted(start *Start, admit *Run) *Start {
	if admit != nil {
		return &Start{Plan: admit.Plan, Trigger: admit.Trigger}
	}
	return start
}

// wakeAt makes sure that the Instance is looked at again at some time.
func (c *Choice) wakeAt(at time.Time) {
	if !at.IsZero() && (c.Wake.IsZero() || at.Before(c.Wake)) {
		c.Wake = at
	}
}

// preemptedBy says whether a rule takes the place of a run now. People's runs go on as
// long as they make progress, and what takes the Instance back or repairs it always does.
func (f InstanceFacts) preemptedBy(active *Run) (now bool, wake time.Time) {
	if active.forRecovery() || active.Plan == v1alpha1.PlanRollback || active.ByUser && active.State != v1alpha1.RunStalled {
		return false, time.Time{}
	}
	c := f.recovery(true)
	return c.Start != nil || c.Admit != nil, c.Wake
}
