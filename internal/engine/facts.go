// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import "time"

// Facts are what was observed since the last decision.
type Facts struct {
	// Admitted says that the Instance names this execution as its active one.
	Admitted bool
	// Stop is the reason to end at the next safe point; empty to go on.
	Stop string
	// When holds the truth of the conditions of nodes by path.
	When map[string]Truth
	// Require is what became of the plan's requirements: the zero value means they are met.
	Require Outcome
	// Outcomes of tasks by path. A task without one has had no effect yet in this attempt,
	// as far as is known.
	Outcomes map[string]Outcome
	// Prune is what became of the removal of objects that nothing renders any more.
	Prune Outcome
	// Sealed says that the applied revision is written, or that the run has none.
	Sealed Outcome
	// Requests of people, in their order.
	Requests []Request
}

// Truth of a condition.
type Truth struct {
	Value bool
	// Err says why the condition has no value; empty when it has one.
	Err string
}

// Request of a person.
type Request struct {
	ID, Action, Path, Mode, By, Reason string
}

// Class says what kind of outcome a task's attempt had.
type Class string

// The classes of outcomes.
const (
	// OutcomeNone: no effect yet, as far as is known.
	OutcomeNone Class = ""
	// OutcomeWaiting: the effect was made, its result is awaited.
	OutcomeWaiting Class = "Waiting"
	// OutcomeDone: the effect was made and its result is there.
	OutcomeDone Class = "Done"
	// OutcomeTransient: the effect could not be made, and may work in a moment.
	OutcomeTransient Class = "Transient"
	// OutcomeFailed: this attempt failed, another may work.
	OutcomeFailed Class = "Failed"
	// OutcomeUser: it can not work until a person changes something.
	OutcomeUser Class = "User"
)

// Outcome of a task's attempt.
type Outcome struct {
	Class   Class
	Reason  string
	Message string
	// Due is when a waiting outcome will be known by itself; zero if only an event tells.
	Due time.Time
}

// Effect is something that must be done. Effects are made at least once, so all
// are idempotent; Key tells one from another.
type Effect interface {
	// Key is unique within an execution.
	Key() string
}

// TaskEffect makes the attempt of a task.
type TaskEffect struct {
	Path    string
	Kind    TaskKind
	Attempt int32
}

// PruneEffect removes the objects that nothing renders any more.
type PruneEffect struct{}

// SealEffect writes the applied revision.
type SealEffect struct{}

// Key is the path and the attempt.
func (e TaskEffect) Key() string { return AttemptKey(e.Path, e.Attempt) }

// Key is constant: a run prunes once.
func (PruneEffect) Key() string { return "prune" }

// Key is constant: a run is sealed once.
func (SealEffect) Key() string { return "seal" }

// Note is a transition worth telling: the source of events and condition messages.
type Note struct {
	// Path of the node; empty for the execution itself.
	Path    string
	Reason  string
	Message string
	// Warning says that a person should look.
	Warning bool
}

// Decision is what follows from a state and facts.
type Decision struct {
	State   State
	Effects []Effect
	// WriteAhead says that State must be stored before Effects are made.
	WriteAhead bool
	// Wake is when to decide again although nothing happened; zero for never.
	Wake time.Time
	// Backoff says that something failed that may work in a moment.
	Backoff bool
	Notes   []Note
}
