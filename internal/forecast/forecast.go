// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package forecast says what a run of a plan would do if everything it does succeeds at
// once: it asks the engine that the manager asks, step by step, and renders what the
// manager would render.
package forecast

import (
	"fmt"
	"path"
	"slices"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

// Forecast of a run.
type Forecast struct {
	// Plan that runs.
	Plan string
	// Tasks in the order in which they start; those of one wave start together.
	Tasks []Task
	// Skipped are the phases, steps and tasks that do not run.
	Skipped []Skipped
	// Doubts are what only the cluster can say at that moment, with what was assumed.
	Doubts []string
}

// Task is one that runs.
type Task struct {
	// Path of the task, and of its step.
	Path, Step string
	// Wave counts from 1.
	Wave int
	Name string
	Kind engine.TaskKind
	// Objects that it applies, deletes or, for a job, starts; in order.
	Objects []graph.Rendered
	// Waits says what the task waits for: a time, an expression, a person.
	Waits string
}

// Skipped is a part of a plan that does not run, and the condition that says so.
type Skipped struct{ Path, When string }

// Subject is what a plan runs for.
type Subject struct {
	Version  *graph.Version
	Inputs   *revision.Inputs
	Identity graph.Identity
	// Objects are what the version's observations see, by name; nil without a cluster.
	Objects map[string]any
	// Scope of kinds; nil without a cluster.
	Scope graph.Scope
}

// epoch is the time of a forecast: nothing in it depends on one.
var epoch = time.Unix(0, 0).UTC()

// Of says what the plan in the inputs would do. The error is the one with which a run
// would stall: a template or object that is wrong.
func Of(s Subject) (*Forecast, error) {
	plan := s.Version.Plan(s.Inputs.Plan)
	if plan == nil {
		return nil, fmt.Errorf("version %s has no plan %q", s.Version.Spec.Version, s.Inputs.Plan)
	}
	w := &walker{Subject: s, plan: plan, out: &Forecast{Plan: s.Inputs.Plan}, doubted: map[string]bool{}}
	w.facts = engine.Facts{
		Admitted: true, Outcomes: map[string]engine.Outcome{},
		Prune: engine.Outcome{Class: engine.OutcomeDone}, Sealed: engine.Outcome{Class: engine.OutcomeDone},
	}
	if o := s.Version.Require(plan, s.Inputs, s.Identity, s.Objects); o.Class != engine.OutcomeNone {
		w.doubt("the plan starts only once what it requires holds: " + o.Message)
	}
	if err := w.walk(); err != nil {
		return nil, err
	}
	w.skipped()
	return w.out, nil
}

type walker struct {
	Subject

	plan    *graph.Plan
	facts   engine.Facts
	state   engine.State
	out     *Forecast
	doubted map[string]bool
}

func (w *walker) doubt(text string) {
	if !w.doubted[text] {
		w.doubted[text] = true
		w.out.Doubts = append(w.out.Doubts, text)
	}
}

// walk lets the engine decide until the run has ended.
func (w *walker) walk() error {
	started := map[string]bool{}
	wave := 1
	for !w.state.Run.Terminal() {
		w.conditions()
		w.state = engine.Decide(w.plan.Program, w.state, w.facts, epoch).State
		begun := len(w.out.Tasks)
		err := error(nil)
		w.plan.Program.Root.Leaves(func(n *engine.Node) {
			if err != nil || started[n.Path] || w.state.Node(n.Path).Run != v1alpha1.RunRunning {
				return
			}
			started[n.Path] = true
			err = w.begin(n, wave)
		})
		if err != nil {
			return err
		}
		if len(w.out.Tasks) == begun && !w.state.Run.Terminal() {
			if w.state.Run == v1alpha1.RunStalled || wave > maxWaves {
				return fmt.Errorf("plan %s can not be followed to its end: %s", w.out.Plan, w.state.Message)
			}
		}
		wave++
	}
	w.renumber()
	return nil
}

// maxWaves bounds a forecast; a plan has fewer nodes.
const maxWaves = 5000

// renumber closes the gaps that decisions without a start leave.
func (w *walker) renumber() {
	last, number := 0, 0
	for i := range w.out.Tasks {
		if t := &w.out.Tasks[i]; t.Wave != last {
			last, number = t.Wave, number+1
		}
		w.out.Tasks[i].Wave = number
	}
}

// conditions evaluates those whose turn may have come. One without a value is assumed to
// hold: that shows more than it hides.
func (w *walker) conditions() {
	w.facts.When = w.Version.Conditions(w.plan, w.plan.Near(w.state), w.Inputs, w.Identity, w.Objects)
	for at, truth := range w.facts.When {
		if truth.Err != "" {
			w.doubt(at + " is decided when its turn comes, and shown as if it ran: " + w.plan.When(at))
			w.facts.When[at] = engine.Truth{Value: true}
		}
	}
}

// begin takes a task in that starts, and lets it succeed.
func (w *walker) begin(n *engine.Node, wave int) error {
	task := w.plan.Tasks[n.Path]
	t := Task{Path: n.Path, Step: path.Dir(n.Path), Wave: wave, Name: task.Name, Kind: n.Task.Kind}
	switch n.Task.Kind {
	case engine.TaskApprove:
		t.Waits = "approval: " + n.Task.Message
		w.facts.Requests = append(w.facts.Requests, engine.Request{ID: n.Path, Action: v1alpha1.ActionApprove, Path: n.Path})
	case engine.TaskWait:
		t.Waits = waits(task)
	case engine.TaskApply, engine.TaskDelete, engine.TaskJob:
		who := graph.Run{ID: string(w.Identity.UID), Trigger: w.Inputs.Trigger, Attempt: 1}
		objects, err := w.Version.RenderTask(task, w.Inputs, w.Identity, who, w.Scope)
		if err != nil {
			return fmt.Errorf("%s: %w", n.Path, err)
		}
		if t.Objects = objects; n.Task.Kind == engine.TaskDelete {
			slices.Reverse(t.Objects)
		}
	case engine.TaskRestore, engine.TaskRevert, engine.TaskManual:
	}
	w.facts.Outcomes[n.Path] = engine.Outcome{Class: engine.OutcomeDone}
	w.out.Tasks = append(w.out.Tasks, t)
	return nil
}

func waits(t *graph.Task) string {
	if t.Action.Wait.For != nil {
		return t.Action.Wait.For.Duration.String()
	}
	return t.Action.Wait.Until
}

// skipped collects the uppermost parts that did not run.
func (w *walker) skipped() {
	var visit func(n *engine.Node)
	visit = func(n *engine.Node) {
		if n.Path != "" && w.state.Node(n.Path).Run == v1alpha1.RunSkipped {
			w.out.Skipped = append(w.out.Skipped, Skipped{Path: n.Path, When: w.plan.When(n.Path)})
			return
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(w.plan.Program.Root)
}
