// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"slices"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// State is what PlanExecution.status holds of a run, without what only people read.
type State struct {
	Run        v1alpha1.RunState
	Reason     string
	Message    string
	StartedAt  time.Time
	FinishedAt time.Time
	// Nodes by path, without the root.
	Nodes map[string]NodeState
	// Answered are the ids of the requests that were carried out or refused.
	Answered map[string]Answer
	// Paused are the paths below which nothing more starts, sorted; "" is all of the run.
	Paused []string
	// Ending says that the run is to end before it is done; nil while it goes on.
	Ending *Ending
	// FollowedBy names the plan that runs because this one failed.
	FollowedBy string
}

// Ending says how a run ends that is not done.
type Ending struct {
	// Run is the state in which it ends: Cancelled or Failed.
	Run             v1alpha1.RunState
	Reason, Message string
	// Undo takes back what was started first.
	Undo bool
	// Force does not even wait for a running job.
	Force bool
}

// NodeState is the state of a phase, step or task.
type NodeState struct {
	Run        v1alpha1.RunState
	Reason     string
	Message    string
	StartedAt  time.Time
	FinishedAt time.Time

	// Attempt, of a task, counted from 1.
	Attempt int32
	// AttemptAt is when that attempt started.
	AttemptAt time.Time
	// RetryAt is when the next attempt starts; zero when none is due.
	RetryAt time.Time
	// ProgressAt is when the message of a running attempt last changed.
	ProgressAt time.Time
}

// Answer to a request.
type Answer struct {
	Refused bool
	Message string
	At      time.Time
}

func (s State) clone() State {
	s.Nodes = maps.Clone(s.Nodes)
	if s.Nodes == nil {
		s.Nodes = map[string]NodeState{}
	}
	s.Answered = maps.Clone(s.Answered)
	s.Paused = slices.Clone(s.Paused)
	return s
}

// Node returns the state of a node; one that is not recorded is Pending.
func (s State) Node(path string) NodeState {
	n, ok := s.Nodes[path]
	if !ok {
		n.Run = v1alpha1.RunPending
	}
	return n
}

// started says whether a node was ever started.
func (n NodeState) started() bool {
	return n.Run != v1alpha1.RunPending && n.Run != v1alpha1.RunSkipped && !n.StartedAt.IsZero()
}

// Done counts the steps that are done with, and all steps of the program. A step that
// failed or was cancelled is not: it would read as further along than before.
func (s State) Done(p *Program) (done, total int) {
	for _, phase := range p.Root.Children {
		for _, step := range phase.Children {
			total++
			if run := s.Node(step.Path).Run; run == v1alpha1.RunSucceeded || run == v1alpha1.RunSkipped {
				done++
			}
		}
	}
	return done, total
}
