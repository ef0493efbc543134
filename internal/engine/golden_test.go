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

// event is what the world does between two decisions of a golden log.
type event func(*story)

// story plays a whole run: what the engine asks for is answered at once as waiting,
// and becomes what the script says.
type story struct {
	program *Program
	state   State
	facts   Facts
	now     time.Time
	log     strings.Builder
}

func becomes(path string, o Outcome) event {
	return func(s *story) {
		fmt.Fprintf(&s.log, "           %s becomes %s\n", path, o.Class)
		s.facts.Outcomes[path] = o
	}
}

func done(path string) event { return becomes(path, Outcome{Class: OutcomeDone}) }

func failed(path, message string) event {
	return becomes(path, Outcome{Class: OutcomeFailed, Reason: v1alpha1.ReasonJobFailed, Message: message})
}

func passes(d time.Duration) event { return func(s *story) { s.now = s.now.Add(d) } }

func stop(reason string) event {
	return func(s *story) {
		fmt.Fprintf(&s.log, "           asked to stop: %s\n", reason)
		s.facts.Stop = reason
	}
}

func restarted(s *story) {
	s.log.WriteString("           the manager is killed and started again\n")
	s.facts.Outcomes = map[string]Outcome{}
}

func ask(id, action, path string) event {
	return func(s *story) {
		s.facts.Requests = append(s.facts.Requests, Request{ID: id, Action: action, Path: path, By: "alice"})
	}
}

func cancel(id, mode string) event {
	return func(s *story) {
		s.facts.Requests = append(s.facts.Requests, Request{ID: id, Action: v1alpha1.ActionCancel, Mode: mode, By: "alice", Reason: "wrong size"})
	}
}

func truth(path string, value bool) event {
	return func(s *story) { s.facts.When[path] = Truth{Value: value} }
}

// settle decides until nothing more follows, as a controller does.
func (s *story) settle() {
	for range 100 {
		d := Decide(s.program, s.state, s.facts, s.now)
		at := fmt.Sprintf("%8s ", s.now.Sub(epoch0))
		for _, n := range d.Notes {
			mark := ""
			if n.Warning {
				mark = "! "
			}
			fmt.Fprintf(&s.log, "%s note %s%s: %s\n", at, mark, n.Reason, n.Message)
		}
		for _, id := range slices.Sorted(maps.Keys(d.State.Answered)) {
			if _, known := s.state.Answered[id]; !known {
				a := d.State.Answered[id]
				fmt.Fprintf(&s.log, "%s answer %s refused=%t: %s\n", at, id, a.Refused, a.Message)
			}
		}
		s.state = d.State
		for _, e := range d.Effects {
			fmt.Fprintf(&s.log, "%s do   %s\n", at, e.Key())
			switch e := e.(type) {
			case TaskEffect:
				s.facts.Outcomes[e.Path] = Outcome{Class: OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Message: "not ready"}
			case PruneEffect:
				s.facts.Prune = Outcome{Class: OutcomeDone}
			case SealEffect:
				s.facts.Sealed = Outcome{Class: OutcomeDone}
			}
		}
		if len(d.Effects) == 0 {
			wake := "never"
			if !d.Wake.IsZero() {
				wake = d.Wake.Sub(epoch0).String()
			}
			fmt.Fprintf(&s.log, "%s rest %s %q, look again %s\n", at, s.state.Run, s.state.Message, wake)
			return
		}
	}
	s.log.WriteString("does not settle\n")
}

func zookeeper() *Program {
	return program(children(
		node("network", children(step("services", TaskApply))),
		node("nodes", children(step("statefulset", TaskApply))),
		node("verify", children(step("quorum", TaskJob))),
	))
}

// goldenRun is a plan and what happens while it runs.
type goldenRun struct {
	program *Program
	events  []event
}

func TestGoldenRuns(t *testing.T) {
	tests := map[string]goldenRun{
		"serial deploy": {zookeeper(), []event{
			done("network/services/services"), passes(2 * time.Second),
			done("nodes/statefulset/statefulset"), passes(2 * time.Second), done("verify/quorum/quorum"),
		}},
		"job retried then stalled then retried by hand": {zookeeper(), []event{
			done("network/services/services"), done("nodes/statefulset/statefulset"),
			failed("verify/quorum/quorum", "exit code 1"), passes(9 * time.Second), passes(time.Second),
			failed("verify/quorum/quorum", "exit code 1 again"), passes(time.Hour),
			ask("1", "retry", "verify"), done("verify/quorum/quorum"),
		}},
		"refused by the API server then superseded": {zookeeper(), []event{
			becomes("network/services/services", Outcome{Class: OutcomeUser, Reason: v1alpha1.ReasonRefused, Message: `services "zk" is forbidden`}),
			passes(time.Hour), stop(v1alpha1.ReasonSuperseded),
		}},
		"rollout too slow but arrives after all": {zookeeper(), []event{
			done("network/services/services"), passes(10 * time.Second), passes(50 * time.Second),
			passes(10 * time.Second), passes(time.Minute), done("nodes/statefulset/statefulset"), done("verify/quorum/quorum"),
		}},
		"a running job is no safe point": {zookeeper(), []event{
			done("network/services/services"), done("nodes/statefulset/statefulset"),
			stop(v1alpha1.ReasonSuperseded), passes(5 * time.Second), done("verify/quorum/quorum"),
		}},
		"a waiting rollout is a safe point": {zookeeper(), []event{
			done("network/services/services"), stop(v1alpha1.ReasonDeleted),
		}},
		"killed while rolling out": {zookeeper(), []event{
			done("network/services/services"), restarted, done("nodes/statefulset/statefulset"), done("verify/quorum/quorum"),
		}},
		"parallel with dependencies": {program(parallel, children(
			node("a", children(step("x", TaskApply), step("y", TaskApply))),
			node("b", children(step("x", TaskApply))),
			node("c", after("a", "b"), children(step("x", TaskWait))),
		)), []event{
			done("b/x/x"), done("a/x/x"), done("a/y/y"), done("c/x/x"),
		}},
		"at most two at once": {program(children(node("p", parallel, atMost(2), children(
			step("a", TaskApply), step("b", TaskApply), step("c", TaskApply),
		)))), []event{done("p/b/b"), done("p/a/a"), done("p/c/c")}},
		"skipped phase and step": {program(children(
			node("maybe", conditional, children(step("x", TaskApply))),
			node("sure", children(step("x", TaskApply, conditional), step("y", TaskApply))),
		)), []event{truth("maybe", false), truth("sure/x", false), done("sure/y/y")}},
		"condition without a value": {program(children(node("maybe", conditional, children(step("x", TaskApply))))), []event{
			func(s *story) { s.facts.When["maybe"] = Truth{Err: "params.x is not set"} },
			truth("maybe", true), done("maybe/x/x"),
		}},
	}
	maps.Copy(tests, steeredRuns())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &story{program: test.program, facts: admitted(), now: epoch0}
			if strings.HasPrefix(name, "paused before") {
				ask("1", "pause", "")(s)
			}
			s.settle()
			for _, e := range test.events {
				e(s)
				s.settle()
			}
			golden.Compare(t, "testdata/"+strings.ReplaceAll(name, " ", "-")+".golden", s.log.String())
		})
	}
}
