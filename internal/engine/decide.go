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
	case s.StartedAt.IsZero() && f.Stop != "":
		d.finish(v1alpha1.RunCancelled, f.Stop, "ended before it started: "+stopMessage(f.Stop))
		return d.Decision
	}
	if d.start(); d.State.StartedAt.IsZero() {
		return d.Decision
	}
	if f.Stop == "" {
		d.answerRequests()
	}
	p.Root.Leaves(d.observe)
	if f.Stop == "" {
		d.advance(p.Root)
	}
	root := d.derive(p.Root)
	d.conclude(root)
	return d.Decision
}

type decider struct {
	Decision
	program *Program
	facts   Facts
	now     time.Time
}

// start begins the run, once the plan's requirements are met.
func (d *decider) start() {
	if !d.State.StartedAt.IsZero() {
		return
	}
	if r := d.facts.Require; r.Class != OutcomeNone && r.Class != OutcomeDone {
		d.setRoot(v1alpha1.RunStalled, r.Reason, r.Message)
		d.wake(d.now.Add(evaluateEvery))
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
	if run == s.Run {
		return run
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

// conclude ends the run where it is complete or asked to stop, and collects
// the effects of what runs.
func (d *decider) conclude(root v1alpha1.RunState) {
	if d.facts.Stop != "" {
		d.stop()
		return
	}
	d.program.Root.Leaves(d.effects)
	switch root {
	case v1alpha1.RunSucceeded:
		if d.prune() && d.seal() {
			d.finish(v1alpha1.RunSucceeded, v1alpha1.ReasonSucceeded, "plan "+d.program.Plan+" succeeded")
		}
	case v1alpha1.RunStalled:
		reason, message := d.firstStall()
		d.setRoot(v1alpha1.RunStalled, reason, message)
	default:
		d.setRoot(v1alpha1.RunRunning, v1alpha1.ReasonRunning, d.runningMessage())
	}
}

// stop ends the run at a safe point. Until then nothing new is done.
func (d *decider) stop() {
	if !d.safe() {
		d.setRoot(v1alpha1.RunRunning, d.facts.Stop, "ends once its job has ended: "+d.runningMessage())
		return
	}
	// A revision that can not be written must not keep anyone from getting out.
	if d.seal() || d.facts.Sealed.Class == OutcomeUser {
		d.cancelRunning()
		d.finish(v1alpha1.RunCancelled, d.facts.Stop, stopMessage(d.facts.Stop))
	}
}

// prune says whether nothing is left to remove.
func (d *decider) prune() bool {
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

// safe says whether no effect is in flight: everything that runs only waits.
// A running job is not safe: its program would go on beside the next run.
func (d *decider) safe() bool {
	safe := true
	d.program.Root.Leaves(func(n *Node) {
		s := d.State.Node(n.Path)
		if s.Run == v1alpha1.RunRunning && s.RetryAt.IsZero() && n.Task.Kind == TaskJob &&
			d.facts.Outcomes[n.Path].Class == OutcomeWaiting {
			safe = false
		}
	})
	return safe
}

// cancelRunning marks everything that has not ended as cancelled.
func (d *decider) cancelRunning() {
	d.program.Root.Walk(func(n *Node) {
		s := d.State.Node(n.Path)
		if n.Path == "" || s.Run.Terminal() || s.Run == v1alpha1.RunPending {
			return
		}
		s.Run, s.Reason, s.FinishedAt, s.RetryAt = v1alpha1.RunCancelled, d.facts.Stop, d.now, time.Time{}
		d.State.Nodes[n.Path] = s
	})
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
		return fmt.Sprintf("%s (and %d more)", first, more)
	}
	return first
}

func (d *decider) setRoot(run v1alpha1.RunState, reason, message string) {
	if d.State.Run == run && d.State.Reason == reason && d.State.Message == message {
		return
	}
	if run == v1alpha1.RunStalled && (d.State.Run != run || d.State.Message != message) {
		d.note("", reason, message, true)
	}
	d.State.Run, d.State.Reason, d.State.Message = run, reason, message
}

func (d *decider) finish(run v1alpha1.RunState, reason, message string) {
	d.State.Run, d.State.Reason, d.State.Message = run, reason, message
	d.State.FinishedAt = d.now
	d.Effects, d.WriteAhead, d.Wake, d.Backoff = nil, false, time.Time{}, false
	d.note("", reason, message, run == v1alpha1.RunFailed)
}

func (d *decider) note(path, reason, message string, warning bool) {
	d.Notes = append(d.Notes, Note{Path: path, Reason: reason, Message: message, Warning: warning})
}

func (d *decider) wake(at time.Time) {
	if !at.IsZero() && (d.Wake.IsZero() || at.Before(d.Wake)) {
		d.Wake = at
	}
}

func stopMessage(reason string) string {
	switch reason {
	case v1alpha1.ReasonSuperseded:
		return "a newer desired state takes over"
	case v1alpha1.ReasonDeleted:
		return "the Instance is being deleted"
	case v1alpha1.ReasonPreempted:
		return "another execution takes over"
	}
	return reason
}
