// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// retry begins the next attempt of every task at or below a node that stalled or that
// waits for its next attempt; where there is none, it runs again from a node that ended.
func (d *decider) retry(n *Node, r Request) (string, error) {
	if d.State.StartedAt.IsZero() {
		return "tried again" + r.because(), nil // what a plan requires is tried with every decision
	}
	var again []string
	held := ""
	d.active(n, func(leaf *Node) {
		s := d.State.Node(leaf.Path)
		if s.Run != v1alpha1.RunStalled && (s.Run != v1alpha1.RunRunning || s.RetryAt.IsZero()) {
			return
		}
		if d.paused(leaf.Path) {
			held = leaf.Path
			return
		}
		s.Reason, s.Message = "", ""
		d.beginAttempt(leaf, s)
		again = append(again, leaf.Path)
	})
	switch {
	case len(again) > 0:
		message := "retried " + strings.Join(again, ", ") + r.because()
		d.note("", v1alpha1.ReasonRetrying, message, false)
		return message, nil
	case held != "":
		return "", fmt.Errorf("%s is paused: resume it first", held)
	case n.Path == "" || d.State.Ending != nil:
		if d.State.Run == v1alpha1.RunStalled {
			return "tried again" + r.because(), nil // a condition without a value, the end of the run
		}
		return "", errors.New("nothing is stalled: name the step to run again from")
	}
	return d.rerun(n, r)
}

// rerun takes a phase, step or task that ended, and everything after it, back to where
// it had not started. Attempts go on counting, so that every effect has a key of its own.
func (d *decider) rerun(n *Node, r Request) (string, error) {
	if run := d.State.Node(n.Path).Run; !run.Terminal() {
		return "", fmt.Errorf("nothing at %s is stalled: it is %s", n.Path, run)
	}
	from := d.after(n)
	for _, c := range from {
		if c.Task != nil && d.jobRuns(c) {
			return "", fmt.Errorf("the job of %s runs: wait for its end", c.Path)
		}
	}
	for _, c := range from {
		s := d.State.Node(c.Path)
		d.State.Nodes[c.Path] = NodeState{Run: v1alpha1.RunPending, Attempt: s.Attempt}
		d.forgetOutcome(c.Path)
	}
	d.program.Root.Walk(func(c *Node) {
		// A parent that ended starts again in its turn: its siblings may run meanwhile.
		if c.Path != "" && c.Path != n.Path && covers(c.Path, n.Path) && d.State.Node(c.Path).Run.Terminal() {
			d.State.Nodes[c.Path] = NodeState{Run: v1alpha1.RunPending}
		}
	})
	message := "run again from " + n.Path + r.because()
	d.note("", v1alpha1.ReasonRetrying, message, false)
	return message, nil
}

// after lists a node, everything below it, and everything that comes after it: later
// siblings where the parent is serial, those that depend on it where not; on every level.
func (d *decider) after(n *Node) []*Node {
	var out []*Node
	add := func(c *Node) {
		c.Walk(func(x *Node) {
			if !slices.Contains(out, x) {
				out = append(out, x)
			}
		})
	}
	d.program.Root.Walk(func(parent *Node) {
		i := slices.IndexFunc(parent.Children, func(c *Node) bool { return covers(c.Path, n.Path) })
		if i < 0 {
			return
		}
		if parent.Children[i] == n {
			add(n)
		}
		later := map[string]bool{parent.Children[i].Name: true}
		for changed := true; changed; {
			changed = false
			for j, c := range parent.Children {
				follows := parent.Strategy != v1alpha1.Parallel && j > i ||
					slices.ContainsFunc(c.DependsOn, func(dep string) bool { return later[dep] })
				if follows && !later[c.Name] {
					later[c.Name], changed = true, true
					add(c)
				}
			}
		}
	})
	return out
}
