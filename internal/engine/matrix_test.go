// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/golden"
)

// moments are the states of the step "b/x", between two others, in which people ask for
// something.
func moments() map[string]func(*story) {
	const a, x = "a/w/w", "b/x/x"
	toX := func(s *story) { done(a)(s); s.settle() }
	failing := func(s *story) {
		toX(s)
		becomes(x, Outcome{Class: OutcomeFailed, Reason: v1alpha1.ReasonUnhealthy, Message: "crashes"})(s)
		s.settle()
	}
	return map[string]func(*story){
		"1 pending":   func(*story) {},
		"2 in flight": toX,
		"3 retrying":  failing,
		"4 stalled": func(s *story) {
			failing(s)
			passes(10 * time.Second)(s)
			s.settle()
			becomes(x, Outcome{Class: OutcomeFailed, Reason: v1alpha1.ReasonUnhealthy, Message: "crashes"})(s)
			s.settle()
		},
		"5 done": func(s *story) { toX(s); done(x)(s); s.settle() },
	}
}

// TestEveryActionAtEveryMoment: what becomes of each request, on the run, a phase and a
// step, for each state of the step; the same after the manager was killed in between.
func TestEveryActionAtEveryMoment(t *testing.T) {
	plan := func() *Program {
		return program(children(
			node("a", children(step("w", TaskApply))),
			node("b", children(step("x", TaskApply, undoneBy(node("revert", task(TaskRevert, 0)))))),
			node("c", children(step("y", TaskApply))),
		))
	}
	requests := []Request{
		{Action: v1alpha1.ActionPause},
		{Action: v1alpha1.ActionPause, Path: "b"},
		{Action: v1alpha1.ActionPause, Path: "b/x"},
		{Action: v1alpha1.ActionResume},
		{Action: v1alpha1.ActionCancel},
		{Action: v1alpha1.ActionCancel, Mode: v1alpha1.CancelUndo},
		{Action: v1alpha1.ActionCancel, Mode: v1alpha1.CancelForce},
		{Action: v1alpha1.ActionApprove, Path: "b"},
		{Action: v1alpha1.ActionRetry},
		{Action: v1alpha1.ActionRetry, Path: "b"},
		{Action: v1alpha1.ActionRetry, Path: "b/x"},
		{Action: v1alpha1.ActionSkip, Path: "b"},
		{Action: v1alpha1.ActionSkip, Path: "b/x"},
		{Action: v1alpha1.ActionForceComplete},
		{Action: v1alpha1.ActionForceComplete, Path: "b"},
		{Action: v1alpha1.ActionForceComplete, Path: "b/x"},
	}
	var log strings.Builder
	for _, r := range requests {
		fmt.Fprintf(&log, "%s %s%s\n", r.Action, r.Mode, r.Path)
		for _, moment := range slices.Sorted(maps.Keys(moments())) {
			var outcomes []string
			for _, killed := range []bool{false, true} {
				s := &story{program: plan(), facts: admitted(), now: epoch0}
				s.settle()
				moments()[moment](s)
				if killed {
					restarted(s)
					s.settle()
				}
				r.ID, r.By = "1", "alice"
				s.facts.Requests = []Request{r}
				s.settle()
				outcomes = append(outcomes, s.became())
			}
			if outcomes[0] != outcomes[1] {
				t.Errorf("%s at %s: %s; after a crash: %s", r.Action, moment, outcomes[0], outcomes[1])
			}
			fmt.Fprintf(&log, "  %-12s %s\n", moment[2:], outcomes[0])
		}
	}
	golden.Compare(t, "testdata/every-action-at-every-moment.golden", log.String())
}

// became tells the state of the run and of its steps, and the answer.
func (s *story) became() string {
	short := func(path string) string {
		n := s.state.Node(path)
		if !n.RetryAt.IsZero() {
			return "Retrying"
		}
		return string(n.Run)
	}
	answer := s.state.Answered["1"]
	verdict := "done"
	if answer.Refused {
		verdict = "refused"
	}
	return fmt.Sprintf("%s, steps %s %s %s; %s: %s", s.state.Run, short("a/w/w"), short("b/x/x"), short("c/y/y"), verdict, answer.Message)
}
