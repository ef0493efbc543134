// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// answerRequests carries out each request of a person once. What can not be judged until
// the run has started is left for later.
func (d *decider) answerRequests() {
	for _, r := range d.facts.Requests {
		if _, done := d.State.Answered[r.ID]; done || !d.canAnswer(r) {
			continue
		}
		message, err := d.carryOut(r)
		a := Answer{Message: message, At: d.now}
		if err != nil {
			a.Refused, a.Message = true, err.Error()
		}
		if d.State.Answered == nil {
			d.State.Answered = map[string]Answer{}
		}
		d.State.Answered[r.ID] = a
	}
}

// canAnswer says whether a request has a meaning in the present state.
func (d *decider) canAnswer(r Request) bool {
	switch r.Action {
	case v1alpha1.ActionPause, v1alpha1.ActionResume, v1alpha1.ActionCancel:
		return true
	case v1alpha1.ActionRetry:
		if d.State.StartedAt.IsZero() {
			return d.State.Run == v1alpha1.RunStalled
		}
	}
	return !d.State.StartedAt.IsZero()
}

// carryOut does what a person asks for, and says what was done or why not.
func (d *decider) carryOut(r Request) (message string, err error) {
	if r.Action == v1alpha1.ActionCancel {
		return d.cancel(r)
	}
	if e := d.ending(); e != nil && !e.Undo {
		return "", fmt.Errorf("the run ends (%s): only a cancel with mode %s still changes that", e.Reason, v1alpha1.CancelForce)
	}
	n := d.program.Root
	if r.Path != "" {
		if n = d.program.Find(r.Path); n == nil {
			return "", fmt.Errorf("there is no phase, step or task %q in plan %s", r.Path, d.program.Plan)
		}
	}
	switch r.Action {
	case v1alpha1.ActionPause:
		return d.pause(n, r)
	case v1alpha1.ActionResume:
		return d.resume(n, r)
	case v1alpha1.ActionApprove:
		return d.approve(n, r)
	case v1alpha1.ActionRetry:
		return d.retry(n, r)
	case v1alpha1.ActionSkip:
		return d.skipByRequest(n, r)
	case v1alpha1.ActionForceComplete:
		return d.forceComplete(n, r)
	}
	return "", fmt.Errorf("%q is no action", r.Action)
}

// because says who asked and why, for the record.
func (r Request) because() string {
	text := ""
	if r.By != "" {
		text = " by " + r.By
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return text
}

// Cancelled says that a run was cancelled, by whom and why, as it is stored.
func (r Request) Cancelled() string { return brief("cancelled" + r.because()) }

// waitsForJob is what a cancel that can not end the run at once is answered besides.
const waitsForJob = "; the run ends once its job has ended: cancel with mode " + v1alpha1.CancelForce + " to end it now"

// cancel begins the end of the run. A later cancel may force or undo what an earlier one
// only asked for.
func (d *decider) cancel(r Request) (string, error) {
	if r.Path != "" {
		return "", fmt.Errorf("cancel ends the whole run: leave path empty, or skip %s", r.Path)
	}
	undo, force := r.Mode == v1alpha1.CancelUndo, r.Mode == v1alpha1.CancelForce
	if old := d.State.Ending; old != nil && old.Undo && !force {
		return "", fmt.Errorf("the run takes back what it did already: cancel with mode %s to end it at once", v1alpha1.CancelForce)
	}
	message := r.Cancelled()
	d.State.Ending = &Ending{
		Run: v1alpha1.RunCancelled, Reason: v1alpha1.ReasonCancelled, Message: message, Undo: undo, Force: force,
	}
	if !force && !d.safe() {
		return Brief(message, MaxMessage-len(waitsForJob)) + waitsForJob, nil
	}
	return message, nil
}

const pausedMessage = "paused: nothing more starts until it is resumed"

// paused says whether nothing may start at a path.
func (d *decider) paused(path string) bool {
	return slices.ContainsFunc(d.State.Paused, func(p string) bool { return covers(p, path) })
}

func (d *decider) pause(n *Node, r Request) (string, error) {
	if run := d.State.Node(n.Path).Run; n.Path != "" && run.Terminal() {
		return "", fmt.Errorf("%s has ended: it is %s", n.Path, run)
	}
	if !slices.Contains(d.State.Paused, n.Path) {
		d.State.Paused = append(d.State.Paused, n.Path)
		slices.Sort(d.State.Paused)
	}
	message := "paused" + r.because()
	d.note(n.Path, v1alpha1.ReasonPaused, name(n)+" "+message, false)
	return message, nil
}

// resume takes back every pause at or below a path.
func (d *decider) resume(n *Node, r Request) (string, error) {
	left := slices.DeleteFunc(slices.Clone(d.State.Paused), func(p string) bool { return covers(n.Path, p) })
	if len(left) == len(d.State.Paused) {
		if d.paused(n.Path) {
			return "", fmt.Errorf("what is paused stands above %s: resume that", n.Path)
		}
		return "", fmt.Errorf("%s is not paused", name(n))
	}
	if d.State.Paused = left; len(left) == 0 {
		d.State.Paused = nil
	}
	message := "resumed" + r.because()
	d.note(n.Path, v1alpha1.ReasonResumed, name(n)+" "+message, false)
	return message, nil
}

// approve lets everything at or below a path go on that waits for approval.
func (d *decider) approve(n *Node, r Request) (string, error) {
	approved := 0
	message := "approved" + r.because()
	d.active(n, func(leaf *Node) {
		s := d.State.Node(leaf.Path)
		if leaf.Task.Kind != TaskApprove || (s.Run != v1alpha1.RunRunning && s.Run != v1alpha1.RunStalled) {
			return
		}
		approved++
		d.succeed(leaf, s)
		d.note(leaf.Path, v1alpha1.ReasonApproved, leaf.Path+" "+message, false)
	})
	if approved == 0 {
		return "", fmt.Errorf("nothing at %s waits for approval", name(n))
	}
	return message, nil
}

// active calls f for every task at or below a node, of those whose turn it is: while a
// run takes back what it did, the tasks that do so.
func (d *decider) active(n *Node, f func(*Node)) {
	if e := d.State.Ending; e == nil || !e.Undo {
		if n.Task == nil || !d.isUndo(n) {
			n.Leaves(f)
		}
		return
	}
	if n.Task != nil {
		if d.isUndo(n) {
			f(n)
		}
		return
	}
	n.Undoes(f)
}

func (d *decider) isUndo(n *Node) bool {
	found := false
	d.program.Root.Undoes(func(u *Node) { found = found || u == n })
	return found
}

// name names a node for people.
func name(n *Node) string {
	if n.Path == "" {
		return "the run"
	}
	return n.Path
}
