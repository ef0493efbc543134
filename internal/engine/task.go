// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// observe takes in what is known about a task that was started.
func (d *decider) observe(n *Node) {
	s := d.State.Node(n.Path)
	o := d.facts.Outcomes[n.Path]
	switch s.Run {
	case v1alpha1.RunRunning:
		d.observeRunning(n, s, o)
	case v1alpha1.RunStalled:
		// What only took too long may still arrive.
		d.wake(o.Due)
		if o.Class == OutcomeDone && (s.Reason == v1alpha1.ReasonTimeout || s.Reason == v1alpha1.ReasonUnhealthy) {
			d.succeed(n, s)
		}
	case v1alpha1.RunPending, v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunCancelled, v1alpha1.RunSkipped:
	}
}

func (d *decider) observeRunning(n *Node, s NodeState, o Outcome) {
	if !s.RetryAt.IsZero() {
		d.nextAttempt(n, s)
		return
	}
	switch n.Task.Kind {
	case TaskApprove:
		d.observeApproval(n, s)
		return
	case TaskManual:
		d.stall(n, s, v1alpha1.ReasonNoUndo, n.Task.Message)
		return
	case TaskApply, TaskDelete, TaskJob, TaskWait, TaskRestore, TaskRevert:
	}
	// A job that runs ends by its own deadline: until then its program goes on.
	runs := n.Task.Kind == TaskJob && o.Class == OutcomeWaiting
	late := !runs && n.Task.Timeout > 0 && !d.now.Before(s.AttemptAt.Add(n.Task.Timeout))
	switch o.Class {
	case OutcomeDone:
		d.succeed(n, s)
	case OutcomeUser:
		d.stall(n, s, o.Reason, o.Message)
	case OutcomeFailed:
		d.failAttempt(n, s, o.Reason, o.Message)
	case OutcomeTransient, OutcomeWaiting:
		if late {
			d.failAttempt(n, s, v1alpha1.ReasonTimeout,
				fmt.Sprintf("not done after %s: %s", n.Task.Timeout, o.Message))
			return
		}
		d.progress(n, s, o)
	case OutcomeNone:
	}
}

// observeApproval waits for a person, as long as the step's time-out lets it.
func (d *decider) observeApproval(n *Node, s NodeState) {
	late := s.AttemptAt.Add(n.Task.Timeout)
	switch {
	case n.Task.Timeout <= 0:
	case d.now.Before(late):
		d.wake(late)
	case n.Task.FailLate:
		message := fmt.Sprintf("%s: not approved within %s", n.Path, n.Task.Timeout)
		d.stall(n, s, v1alpha1.ReasonTimeout, message)
		d.State.Ending = &Ending{Run: v1alpha1.RunFailed, Reason: v1alpha1.ReasonTimeout, Message: message}
	default:
		d.stall(n, s, v1alpha1.ReasonTimeout, fmt.Sprintf("not approved within %s; it still can be: %s", n.Task.Timeout, n.Task.Message))
	}
}

// progress stores the message of a waiting task, but not too often.
func (d *decider) progress(n *Node, s NodeState, o Outcome) {
	d.wake(o.Due)
	if at := s.AttemptAt.Add(n.Task.Timeout); n.Task.Timeout > 0 && d.now.Before(at) {
		d.wake(at)
	}
	if o.Class == OutcomeTransient {
		d.Backoff = true
	}
	message := brief(o.Message)
	if message == "" || message == s.Message {
		return
	}
	last := s.ProgressAt
	if last.IsZero() {
		last = s.AttemptAt
	}
	if next := last.Add(progressEvery); d.now.Before(next) {
		d.wake(next)
		return
	}
	s.Reason, s.Message, s.ProgressAt = o.Reason, message, d.now
	d.State.Nodes[n.Path] = s
}

func (d *decider) succeed(n *Node, s NodeState) {
	s.Run, s.Reason, s.Message = v1alpha1.RunSucceeded, "", ""
	s.FinishedAt, s.RetryAt, s.ProgressAt = d.now, time.Time{}, time.Time{}
	d.State.Nodes[n.Path] = s
}

func (d *decider) stall(n *Node, s NodeState, reason, message string) {
	s.Run, s.Reason, s.Message = v1alpha1.RunStalled, reason, brief(message)
	s.RetryAt = time.Time{}
	d.State.Nodes[n.Path] = s
}

// failAttempt is followed by another attempt after a pause, or by a stall.
func (d *decider) failAttempt(n *Node, s NodeState, reason, message string) {
	r := n.Task.Retry
	if s.Attempt > r.Limit {
		if r.Limit > 0 {
			message = fmt.Sprintf("attempt %d of %d failed: %s", s.Attempt, r.Limit+1, message)
		}
		d.stall(n, s, reason, message)
		return
	}
	s.Reason = v1alpha1.ReasonRetrying
	s.Message = brief(fmt.Sprintf("attempt %d of %d failed: %s", s.Attempt, r.Limit+1, message))
	s.RetryAt = d.now.Add(r.pause(s.Attempt))
	d.State.Nodes[n.Path] = s
	d.note(n.Path, v1alpha1.ReasonRetrying, n.Path+": "+s.Message, true)
	d.wake(s.RetryAt)
}

// nextAttempt starts the next attempt once its pause is over.
func (d *decider) nextAttempt(n *Node, s NodeState) {
	if d.paused(n.Path) {
		return
	}
	if d.now.Before(s.RetryAt) || d.ending() != nil && !d.isUndo(n) {
		d.wake(s.RetryAt)
		return
	}
	d.beginAttempt(n, s)
}

// beginAttempt forgets the outcome of the attempt before: it was another one's.
func (d *decider) beginAttempt(n *Node, s NodeState) {
	s.Run, s.Attempt, s.AttemptAt = v1alpha1.RunRunning, s.Attempt+1, d.now
	s.RetryAt, s.ProgressAt = time.Time{}, time.Time{}
	if s.StartedAt.IsZero() {
		s.StartedAt = d.now
	}
	if n.Task.Kind == TaskApprove {
		s.Reason, s.Message = v1alpha1.ReasonAwaitingApproval, brief("waiting for approval: "+n.Task.Message)
		d.note(n.Path, s.Reason, n.Path+": "+n.Task.Message, false)
	}
	d.State.Nodes[n.Path] = s
	d.forgetOutcome(n.Path)
	d.WriteAhead = true
}

// forgetOutcome drops what is known about a task, without touching the caller's facts.
func (d *decider) forgetOutcome(forget string) {
	outcomes := make(map[string]Outcome, len(d.facts.Outcomes))
	for path, o := range d.facts.Outcomes {
		if path != forget {
			outcomes[path] = o
		}
	}
	d.facts.Outcomes = outcomes
}

// byPerson says whether only a person makes the task go on.
func (t *Task) byPerson() bool { return t.Kind == TaskApprove || t.Kind == TaskManual }

// effects collects the effect of a task whose attempt has none yet.
func (d *decider) effects(n *Node) {
	s := d.State.Node(n.Path)
	if s.Run != v1alpha1.RunRunning || !s.RetryAt.IsZero() || d.facts.Outcomes[n.Path].Class != OutcomeNone {
		return
	}
	if !n.Task.byPerson() {
		d.Effects = append(d.Effects, TaskEffect{Path: n.Path, Kind: n.Task.Kind, Attempt: s.Attempt})
	}
	if n.Task.Timeout > 0 {
		d.wake(s.AttemptAt.Add(n.Task.Timeout))
	}
}
