// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// undone takes back every step that was started, newest first, one task at a time, and
// says whether nothing is left to take back.
func (d *decider) undone() bool {
	for _, step := range d.startedSteps() {
		for _, u := range step.Undo {
			if !d.State.Node(u.Path).started() && !d.State.Node(u.Path).Run.Terminal() {
				if d.paused(u.Path) {
					d.setRoot(v1alpha1.RunRunning, v1alpha1.ReasonPaused, pausedMessage)
					return false
				}
				d.beginAttempt(u, d.State.Node(u.Path))
				d.note(u.Path, v1alpha1.ReasonUndoing, "taking back step "+step.Path, false)
			}
			d.observe(u)
			switch s := d.State.Node(u.Path); s.Run {
			case v1alpha1.RunSucceeded, v1alpha1.RunSkipped:
				continue
			case v1alpha1.RunStalled:
				d.setRoot(v1alpha1.RunStalled, s.Reason, u.Path+": "+s.Message)
			default:
				d.effects(u)
				d.setRoot(v1alpha1.RunRunning, v1alpha1.ReasonUndoing, undoMessage(step, s))
			}
			return false
		}
	}
	return true
}

func undoMessage(step *Node, s NodeState) string {
	message := "taking back step " + step.Path
	if s.Message != "" {
		message += ": " + s.Message
	}
	return message
}

// startedSteps are the steps that were ever started, the newest first; of those that
// started together, the one that is declared last.
func (d *decider) startedSteps() []*Node {
	var steps []*Node
	d.program.Root.Walk(func(n *Node) {
		// A step that is to run again has not started, and did something all the same.
		attempted := slices.ContainsFunc(n.Children, func(c *Node) bool { return d.State.Node(c.Path).Attempt > 0 })
		if len(n.Undo) > 0 && (attempted || !d.State.Node(n.Path).StartedAt.IsZero()) {
			steps = append(steps, n)
		}
	})
	slices.Reverse(steps)
	slices.SortStableFunc(steps, func(a, b *Node) int {
		return d.State.Node(b.Path).StartedAt.Compare(d.State.Node(a.Path).StartedAt)
	})
	return steps
}
