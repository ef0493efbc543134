// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// ending says how the run is to end; nil while it goes on. The Instance's word comes
// before what a person or a failure began, but for an end by force.
func (d *decider) ending() *Ending {
	if e := d.State.Ending; e != nil && e.Force {
		return e
	}
	if d.facts.Stop != "" {
		return &Ending{Run: v1alpha1.RunCancelled, Reason: d.facts.Stop, Message: stopMessage(d.facts.Stop)}
	}
	return d.State.Ending
}

// end ends the run at a safe point. Until then nothing new is done but to take back.
func (d *decider) end(e *Ending) {
	d.Effects = nil // not WriteAhead: what a person has just retried is stored first
	if !e.Force && !d.safe() {
		d.setRoot(v1alpha1.RunRunning, e.Reason, "ends once its job has ended: "+d.runningMessage())
		return
	}
	if e.Undo {
		d.cancelRunning(e)
		if !d.undone() {
			return
		}
	}
	// A revision that can not be written must not keep anyone from getting out.
	if d.seal() || d.facts.Sealed.Class == OutcomeUser {
		d.cancelRunning(e)
		message := e.Message
		if of := d.program.OnFailure; of != nil && e.Run == v1alpha1.RunFailed && of.Plan != "" {
			d.State.FollowedBy = of.Plan
			message += "; plan " + of.Plan + " follows"
		}
		d.finish(e.Run, e.Reason, message)
	}
}

// fail begins the end of a run whose plan says what follows a failure.
func (d *decider) fail(reason, message string) {
	of := d.program.OnFailure
	if of == nil {
		return
	}
	failed := false
	d.program.Root.Leaves(func(n *Node) {
		s := d.State.Node(n.Path)
		// Only a person knows what became of a job that is gone, and whether to approve.
		failed = failed || s.Run == v1alpha1.RunStalled && !s.StartedAt.IsZero() &&
			s.Reason != v1alpha1.ReasonOutcomeUnknown && n.Task.Kind != TaskApprove
	})
	if failed {
		d.State.Ending = &Ending{Run: v1alpha1.RunFailed, Reason: reason, Message: brief(message), Undo: of.Undo}
		d.note("", reason, "plan "+d.program.Plan+" failed: "+message, true)
	}
}

// safe says whether no effect is in flight: everything that runs only waits.
// A running job is not safe: its program would go on beside the next run.
func (d *decider) safe() bool {
	safe := true
	d.program.Root.Leaves(func(n *Node) { safe = safe && !d.jobRuns(n) })
	d.program.Root.Undoes(func(n *Node) { safe = safe && !d.jobRuns(n) })
	return safe
}

// jobRuns says whether a task is a job whose program runs now.
func (d *decider) jobRuns(n *Node) bool {
	s := d.State.Node(n.Path)
	return n.Task.Kind == TaskJob && s.Run == v1alpha1.RunRunning && s.RetryAt.IsZero() &&
		d.facts.Outcomes[n.Path].Class == OutcomeWaiting
}

// cancelRunning marks everything that has not ended as cancelled.
func (d *decider) cancelRunning(e *Ending) {
	d.program.Root.Walk(func(n *Node) {
		s := d.State.Node(n.Path)
		if n.Path == "" || s.Run.Terminal() || s.Run == v1alpha1.RunPending {
			return
		}
		if n.Task != nil && e.Force && d.jobRuns(n) {
			s.Message = "ended by force while its job ran: what became of it is unknown"
		}
		s.Run, s.Reason, s.FinishedAt, s.RetryAt = v1alpha1.RunCancelled, e.Reason, d.now, time.Time{}
		if n.Task != nil && e.Force && d.jobRuns(n) {
			s.Reason = v1alpha1.ReasonOutcomeUnknown
		}
		d.State.Nodes[n.Path] = s
	})
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
