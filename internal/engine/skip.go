// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// skipByRequest goes on without a phase, step or task. What it did so far stays.
func (d *decider) skipByRequest(n *Node, r Request) (string, error) {
	if n.Path == "" {
		return "", errors.New("name the phase or step to skip; to end the run, cancel it")
	}
	message := "skipped" + r.because()
	if err := d.close(n, message, func(*NodeState) v1alpha1.RunState { return v1alpha1.RunSkipped }, v1alpha1.ReasonSkipped); err != nil {
		return "", err
	}
	d.note(n.Path, v1alpha1.ReasonSkipped, n.Path+" "+message, true)
	return message, nil
}

// forceComplete takes a phase, a step or the run for done: what was started counts as
// succeeded, what was not as skipped.
func (d *decider) forceComplete(n *Node, r Request) (string, error) {
	message := "taken for done" + r.because()
	state := func(s *NodeState) v1alpha1.RunState {
		if s.StartedAt.IsZero() {
			return v1alpha1.RunSkipped
		}
		return v1alpha1.RunSucceeded
	}
	if err := d.close(n, message, state, v1alpha1.ReasonForceCompleted); err != nil {
		return "", err
	}
	d.note(n.Path, v1alpha1.ReasonForceCompleted, name(n)+" "+message, true)
	return message, nil
}

// close ends a node and everything below it that has not ended. A running job is not
// closed: its program would go on beside what comes next.
func (d *decider) close(n *Node, message string, state func(*NodeState) v1alpha1.RunState, reason string) error {
	if run := d.State.Node(n.Path).Run; n.Path != "" && run.Terminal() {
		return fmt.Errorf("%s has ended: it is %s", n.Path, run)
	}
	var open []*Node
	var err error
	collect := func(c *Node) {
		if c.Task != nil && d.jobRuns(c) {
			err = fmt.Errorf("the job of %s runs: wait for its end, or cancel the run with mode %s", c.Path, v1alpha1.CancelForce)
		}
		if c.Path != "" && !d.State.Node(c.Path).Run.Terminal() {
			open = append(open, c)
		}
	}
	if e := d.State.Ending; e != nil && e.Undo {
		d.active(n, collect)
	} else {
		n.Walk(collect)
	}
	if err == nil && len(open) == 0 && n.Path != "" {
		err = fmt.Errorf("nothing at %s is open", n.Path)
	}
	if err != nil {
		return err
	}
	for _, c := range open {
		s := d.State.Node(c.Path)
		s.Run, s.Reason, s.Message = state(&s), reason, brief(message)
		s.FinishedAt, s.RetryAt, s.ProgressAt = d.now, time.Time{}, time.Time{}
		d.State.Nodes[c.Path] = s
	}
	return nil
}

// forced says whether a person took the whole run for done.
func (d *decider) forced() bool {
	return slices.ContainsFunc(d.facts.Requests, func(r Request) bool {
		a, answered := d.State.Answered[r.ID]
		return r.Action == v1alpha1.ActionForceComplete && r.Path == "" && answered && !a.Refused
	})
}
