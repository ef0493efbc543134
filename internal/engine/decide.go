// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"strconv"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// progressEvery bounds how often the message of a waiting task is stored: a
// rollout tells every few seconds how far it is, and costs few writes.
const progressEvery = 10 * time.Second

// evaluateEvery is how soon a rule or condition is evaluated again that keeps something
// from starting: what it observes may have changed.
const evaluateEvery = 30 * time.Second

// AttemptKey names one attempt of a task within an execution.
func AttemptKey(path string, attempt int32) string {
	return path + "#" + strconv.Itoa(int(attempt))
}

// Decide says what a run does next. It is deterministic and total; the same
// facts again produce no new state; a terminal state has no effects.
func Decide(p *Program, s State, f Facts, now time.Time) Decision {
	d := &decider{program: p, facts: f, now: now}
	d.State = s.clone()
	switch {
	case s.Run.Terminal():
		return Decision{State: s}
	case !f.Admitted && s.StartedAt.IsZero():
		return Decision{State: s}
	}
	d.answerRequests()
	if e := d.ending(); e != nil && d.State.StartedAt.IsZero() {
		d.finish(e.Run, e.Reason, "ended before it started: "+e.Message)
		return d.Decision
	}
	if d.start(); d.State.StartedAt.IsZero() {
		return d.Decision
	}
	p.Root.Leaves(d.observe)
	if d.ending() == nil {
		d.advance(p.Root)
		d.conclude(d.derive(p.Root))
	} else {
		d.derive(p.Root)
	}
	if e := d.ending(); e != nil && !d.State.Run.Terminal() {
		d.end(e)
	}
	return d.Decision
}

type decider struct {
	Decision
	program *Program
	facts   Facts
	now     time.Time
}

// start begins the run, once the plan's requirements are met and nobody holds it.
func (d *decider) start() {
	if !d.State.StartedAt.IsZero() {
		return
	}
	if r := d.facts.Require; r.Class != OutcomeNone && r.Class != OutcomeDone {
		d.setRoot(v1alpha1.RunStalled, r.Reason, r.Message)
		d.wake(d.now.Add(evaluateEvery))
		return
	}
	if d.paused("") {
		d.setRoot(v1alpha1.RunPending, v1alpha1.ReasonPaused, pausedMessage)
		return
	}
	d.State.StartedAt = d.now
	d.State.Run = v1alpha1.RunPending
	d.program.Root.Walk(func(n *Node) {
		if n.Path != "" {
			d.State.Nodes[n.Path] = NodeState{Run: v1alpha1.RunPending}
		}
	})
	d.note("", v1alpha1.ReasonRunning, "plan "+d.program.Plan+" started", false)
	d.answerRequests()
}

// derive computes the states of phases and steps from those of their tasks.
func (d *decider) derive(n *Node) v1alpha1.RunState {
	if n.Task != nil {
		return d.State.Node(n.Path).Run
	}
	counts := map[v1alpha1.RunState]int{}
	for _, c := range n.Children {
		counts[d.derive(c)]++
	}
	if n.Path == "" {
		return combine(counts, len(n.Children))
	}
	s := d.State.Node(n.Path)
	if s.Run == v1alpha1.RunSkipped || s.Run == v1alpha1.RunPending || (s.Run == v1alpha1.RunStalled && s.StartedAt.IsZero()) {
		return s.Run
	}
	run := combine(counts, len(n.Children))
	if run == s.Run || s.Run == v1alpha1.RunCancelled {
		return s.Run
	}
	s.Run, s.Reason, s.Message = run, "", ""
	if run.Terminal() {
		s.FinishedAt = d.now
		if len(n.Children) > 0 && n.Children[0].Task != nil {
			d.note(n.Path, v1alpha1.ReasonSucceeded, "step "+n.Path+" succeeded", false)
		}
	}
	d.State.Nodes[n.Path] = s
	return run
}

// combine computes a parent's state from those of its children.
func combine(counts map[v1alpha1.RunState]int, total int) v1alpha1.RunState {
	switch {
	case counts[v1alpha1.RunStalled] > 0:
		return v1alpha1.RunStalled
	case counts[v1alpha1.RunSucceeded]+counts[v1alpha1.RunSkipped] == total:
		return v1alpha1.RunSucceeded
	default:
		return v1alpha1.RunRunning
	}
}

// conclude ends the run where it is complete, and collects the effects of what runs.
func (d *decider) conclude(root v1alpha1.RunState) {
	d.program.Root.Leaves(d.effects)
	switch root {
	case v1alpha1.RunSucceeded:
		if d.paused("") {
			d.setRoot(v1alpha1.RunRunning, v1alpha1.ReasonPaused, pausedMessage)
		} else if d.prune() && d.seal() {
			d.finish(v1alpha1.RunSucceeded, v1alpha1.ReasonSucceeded, "plan "+d.program.Plan+" succeeded")
		}
	case v1alpha1.RunStalled:
		reason, message := d.firstStall()
		d.setRoot(v1alpha1.RunStalled, reason, message)
		d.fail(reason, message)
	default:
		d.setRoot(v1alpha1.RunRunning, d.runningReason(), d.runningMessage())
	}
}

// prune says whether nothing is left to remove. Who takes the run for done does not wait
// for what can not be removed.
func (d *decider) prune() bool {
	if d.facts.Prune.Class == OutcomeUser && d.forced() {
		return true
	}
	return d.closing(PruneEffect{}, d.facts.Prune)
}

// seal says whether the applied revision is written.
func (d *decider) seal() bool {
	return d.closing(SealEffect{}, d.facts.Sealed)
}

func (d *decider) closing(e Effect, o Outcome) bool {
	switch o.Class {
	case OutcomeDone:
		return true
	case OutcomeNone:
		d.Effects = append(d.Effects, e)
	case OutcomeTransient:
		d.Backoff = true
	case OutcomeWaiting:
		d.wake(o.Due)
	case OutcomeUser, OutcomeFailed:
		d.setRoot(v1alpha1.RunStalled, o.Reason, o.Message)
		return false
	}
	message := e.Key() + " under way"
	if o.Message != "" {
		message += ": " + o.Message
	}
	d.setRoot(v1alpha1.RunRunning, v1alpha1.ReasonRunning, message)
	return false
}

func (d *decider) firstStall() (reason, message string) {
	d.program.Root.Walk(func(n *Node) {
		s := d.State.Node(n.Path)
		if reason == "" && n.Path != "" && s.Run == v1alpha1.RunStalled && s.Reason != "" {
			reason, message = s.Reason, n.Path+": "+s.Message
		}
	})
	return reason, message
}

// runningReason says what a run that is under way waits for, where that is a person.
func (d *decider) runningReason() string {
	reason := v1alpha1.ReasonRunning
	works := false
	d.program.Root.Leaves(func(n *Node) {
		s := d.State.Node(n.Path)
		switch {
		case s.Run != v1alpha1.RunRunning:
		case n.Task.Kind == TaskApprove:
			reason = v1alpha1.ReasonAwaitingApproval
		default:
			works = works || s.RetryAt.IsZero()
		}
	})
	switch {
	case works:
		return v1alpha1.ReasonRunning
	case len(d.State.Paused) > 0:
		return v1alpha1.ReasonPaused
	}
	return reason
}

// runningMessage names the tasks that run, for people.
func (d *decider) runningMessage() string {
	var first string
	more := 0
	d.program.Root.Leaves(func(n *Node) {
		s := d.State.Node(n.Path)
		if s.Run != v1alpha1.RunRunning {
			return
		}
		if first != "" {
			more++
			return
		}
		first = n.Path
		if s.Message != "" {
			first += ": " + s.Message
		}
	})
	if more > 0 {
		first = fmt.Sprintf("%s (and %d more)", first, more)
	}
	switch {
	case len(d.State.Paused) == 0:
		return first
	case first == "":
		return pausedMessage
	}
	return "paused; still under way: " + first
}
