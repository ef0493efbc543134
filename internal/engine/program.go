// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package engine decides what happens next: inside one run of a plan (Decide),
// and which plan an Instance runs next (Choose). It is pure: no I/O, clock,
// randomness, logging or client, here or in what it imports.
package engine

import (
	"strings"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// TaskKind is what a leaf of a program does.
type TaskKind string

// The kinds of tasks.
const (
	TaskApply  TaskKind = "apply"
	TaskDelete TaskKind = "delete"
	TaskJob    TaskKind = "job"
	TaskWait   TaskKind = "wait"
	// TaskApprove waits for a person.
	TaskApprove TaskKind = "approve"
	// TaskRestore puts the objects of the Instance back as the last completed run left them.
	TaskRestore TaskKind = "restore"
	// TaskRevert does the same for the objects of one step.
	TaskRevert TaskKind = "revert"
	// TaskManual stands for something that only a person can take back.
	TaskManual TaskKind = "manual"
)

// Program is a compiled plan. It is immutable.
type Program struct {
	// Plan is the plan's name.
	Plan string
	// Root is the plan itself; its children are phases, theirs steps, theirs tasks.
	Root *Node
	// OnFailure says what follows when a step can not be done; nil to wait for a person.
	OnFailure *OnFailure
}

// OnFailure says what follows when a step can not be done.
type OnFailure struct {
	// Undo takes back what was started before the run ends.
	Undo bool
	// Plan that runs next, in an execution of its own; empty for none.
	Plan string
}

// Node is a plan, phase, step or task. A node without children is a task.
type Node struct {
	// Name within the parent.
	Name string
	// Path from the root, joined by '/'; empty for the root.
	Path string
	// Strategy in which the children run.
	Strategy v1alpha1.Strategy
	// MaxParallel bounds how many children run at once; 0 means no bound.
	MaxParallel int
	// DependsOn names siblings that must have ended before this node starts.
	DependsOn []string
	// Conditional says that Facts.When decides whether the node is skipped.
	Conditional bool
	// Children in their declared order.
	Children []*Node
	// Task, on leaves only.
	Task *Task
	// Undo, on steps, are the tasks that take the step back, in their order.
	Undo []*Node
}

// Task is a leaf's work.
type Task struct {
	Kind TaskKind
	// Timeout of one attempt.
	Timeout time.Duration
	// Retry says what follows a failed attempt.
	Retry Retry
	// Message of an approval, or of what only a person can take back.
	Message string
	// FailLate ends the run as Failed when an approval does not come in time.
	FailLate bool
}

// Retry says how often a failed attempt is followed by another.
type Retry struct {
	// Limit is the number of attempts after the first.
	Limit int32
	// Backoff is the pause before the second attempt.
	Backoff time.Duration
	// Factor multiplies the pause after each attempt.
	Factor int32
}

// maxBackoff bounds the pause between attempts.
const maxBackoff = 5 * time.Minute

// pause before the attempt that follows the given one.
func (r Retry) pause(attempt int32) time.Duration {
	d := r.Backoff
	for i := int32(1); i < attempt && d < maxBackoff; i++ {
		d *= time.Duration(max(r.Factor, 1))
	}
	return min(d, maxBackoff)
}

// Leaves calls f for every task in declared order, without those that take steps back.
func (n *Node) Leaves(f func(*Node)) {
	if n.Task != nil {
		f(n)
	}
	for _, c := range n.Children {
		c.Leaves(f)
	}
}

// Walk calls f for the node and everything below it, parents first, without the tasks
// that take steps back.
func (n *Node) Walk(f func(*Node)) {
	f(n)
	for _, c := range n.Children {
		c.Walk(f)
	}
}

// Undoes calls f for every task that takes a step back, in declared order.
func (n *Node) Undoes(f func(*Node)) {
	n.Walk(func(c *Node) {
		for _, u := range c.Undo {
			f(u)
		}
	})
}

// Find returns the node with a path, or nil.
func (p *Program) Find(path string) *Node {
	var found *Node
	match := func(n *Node) {
		if n.Path == path {
			found = n
		}
	}
	p.Root.Walk(match)
	p.Root.Undoes(match)
	return found
}

// covers says whether a path lies at or below another; "" covers everything.
func covers(above, path string) bool {
	return above == "" || path == above || strings.HasPrefix(path, above+"/")
}
