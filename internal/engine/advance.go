// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// advance starts whatever may start below a node that runs.
func (d *decider) advance(n *Node) {
	for i, c := range n.Children {
		s := d.State.Node(c.Path)
		switch {
		case s.Run.Terminal():
			continue
		case s.started():
			if c.Task == nil {
				d.advance(c)
			}
		case d.mayStart(n, i):
			d.begin(c)
		}
		if n.Strategy != v1alpha1.Parallel && !d.settle(c).Terminal() {
			return // serial means serial: nothing starts beside or after this child
		}
	}
}

// settle is the state of a child after what was just started below it.
func (d *decider) settle(c *Node) v1alpha1.RunState {
	if c.Task != nil {
		return d.State.Node(c.Path).Run
	}
	return d.derive(c)
}

// mayStart says whether the i-th child's turn has come.
func (d *decider) mayStart(parent *Node, i int) bool {
	if d.paused(parent.Children[i].Path) {
		return false
	}
	running := 0 // later siblings too: one that ended may be run again beside them
	for j, sibling := range parent.Children {
		run := d.settle(sibling)
		if j != i && run != v1alpha1.RunPending && !run.Terminal() {
			running++
		}
		if slices.Contains(parent.Children[i].DependsOn, sibling.Name) && !run.Terminal() {
			return false
		}
	}
	return parent.MaxParallel == 0 || running < parent.MaxParallel
}

// begin starts a node, or skips it.
func (d *decider) begin(n *Node) {
	if n.Conditional {
		truth, known := d.facts.When[n.Path]
		switch {
		case !known:
			d.wake(d.now.Add(time.Second)) // gathered by then
			return
		case truth.Err != "":
			d.stallUnstarted(n, truth.Err)
			return
		case !truth.Value:
			d.skip(n)
			return
		}
	}
	s := d.State.Node(n.Path)
	if n.Task != nil {
		d.beginAttempt(n, s)
		return
	}
	s.Run, s.StartedAt, s.Reason, s.Message = v1alpha1.RunRunning, d.now, "", ""
	d.State.Nodes[n.Path] = s
	d.advance(n)
}

// stallUnstarted records a condition without a value. The node has not started:
// it does as soon as the condition has a value.
func (d *decider) stallUnstarted(n *Node, message string) {
	s := d.State.Node(n.Path)
	s.Run, s.Reason, s.Message = v1alpha1.RunStalled, v1alpha1.ReasonExpression, brief(message)
	d.State.Nodes[n.Path] = s
	d.wake(d.now.Add(evaluateEvery))
}

func (d *decider) skip(n *Node) {
	n.Walk(func(c *Node) {
		d.State.Nodes[c.Path] = NodeState{Run: v1alpha1.RunSkipped, Reason: v1alpha1.ReasonSkipped, FinishedAt: d.now}
	})
	d.note(n.Path, v1alpha1.ReasonSkipped, n.Path+" skipped: its condition is false", false)
}

// Near returns the paths of the nodes that have not started and whose turn may come in
// the next moment: nothing that must come before them has yet to start. Their
// conditions are worth evaluating.
func Near(p *Program, s State) map[string]bool {
	near := map[string]bool{}
	var visit func(n *Node)
	visit = func(n *Node) {
		blocked := false
		for _, c := range n.Children {
			run := s.Node(c.Path)
			waits := slices.ContainsFunc(n.Children, func(sibling *Node) bool {
				return slices.Contains(c.DependsOn, sibling.Name) && !mayVanish(sibling) && !begun(s.Node(sibling.Path))
			})
			switch {
			case run.Run.Terminal():
			case begun(run):
				visit(c)
			case !blocked && !waits:
				near[c.Path] = true
				visit(c)
				blocked = n.Strategy != v1alpha1.Parallel && !mayVanish(c)
			}
		}
	}
	visit(p.Root)
	return near
}

// mayVanish says whether a node may end at once without doing anything: then what comes
// after it is near too.
func mayVanish(n *Node) bool {
	return n.Conditional || n.Task == nil && !slices.ContainsFunc(n.Children, func(c *Node) bool { return !mayVanish(c) })
}

// begun says whether a node was started or has ended.
func begun(s NodeState) bool { return s.started() || s.Run.Terminal() }
