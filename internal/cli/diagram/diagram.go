// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package diagram draws plans as graphs: as text, for Mermaid and for Graphviz.
package diagram

import (
	"fmt"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Plan is a plan to draw.
type Plan struct {
	// Name of the plan.
	Name string
	// Of says whose plan it is.
	Of string
	// Strategy of the phases.
	Strategy v1alpha1.Strategy
	// Phases of the plan.
	Phases []Phase
	// Then says what follows if the plan fails; empty if it waits for a person.
	Then string
}

// Phase is a phase to draw.
type Phase struct {
	Node

	// Strategy of the steps.
	Strategy v1alpha1.Strategy
	// Steps of the phase.
	Steps []Node
}

// Node is what phases and steps have in common.
type Node struct {
	// Name within the parent.
	Name string
	// Does says in words what a step does.
	Does []string
	// When is the condition under which it runs.
	When string
	// After names siblings that must have ended before it starts.
	After []string
	// State of it in a run; empty where none is shown.
	State v1alpha1.RunState
}

// New makes the graph of a plan of a version, with the states of a run if one is given.
func New(spec *v1alpha1.FrameworkVersionSpec, plan *v1alpha1.Plan, run *v1alpha1.PlanExecution) *Plan {
	out := &Plan{Name: plan.Name, Of: spec.Framework + " " + spec.Version, Strategy: serial(plan.Strategy), Then: then(plan.OnFailure)}
	states := statesOf(run)
	for i := range plan.Phases {
		p := &plan.Phases[i]
		phase := Phase{
			Node:     Node{Name: p.Name, When: p.When, After: after(out.Strategy, p.DependsOn, i, func(i int) string { return plan.Phases[i].Name }), State: states[p.Name]},
			Strategy: serial(p.Strategy),
		}
		for j := range p.Steps {
			s := &p.Steps[j]
			phase.Steps = append(phase.Steps, Node{
				Name: s.Name, When: s.When, Does: does(spec, s), State: states[p.Name+"/"+s.Name],
				After: after(phase.Strategy, s.DependsOn, j, func(i int) string { return p.Steps[i].Name }),
			})
		}
		out.Phases = append(out.Phases, phase)
	}
	return out
}

func serial(s v1alpha1.Strategy) v1alpha1.Strategy {
	if s == "" {
		return v1alpha1.Serial
	}
	return s
}

// after are the siblings before a node: the one before it, or those that it names.
func after(s v1alpha1.Strategy, named []string, i int, name func(int) string) []string {
	if s == v1alpha1.Parallel || i == 0 {
		return named
	}
	return []string{name(i - 1)}
}

func then(f *v1alpha1.OnFailure) string {
	var parts []string
	switch {
	case f == nil:
		return ""
	case f.Undo:
		parts = append(parts, "take back what was started")
	}
	switch {
	case f.Plan != "":
		parts = append(parts, "run plan "+f.Plan)
	case f.Rollback:
		parts = append(parts, "run plan "+v1alpha1.PlanRollback)
	}
	if len(parts) == 0 {
		return "end as Failed"
	}
	return strings.Join(parts, ", ")
}

func statesOf(run *v1alpha1.PlanExecution) map[string]v1alpha1.RunState {
	out := map[string]v1alpha1.RunState{}
	if run == nil {
		return out
	}
	for _, phase := range run.Status.Phases {
		out[phase.Name] = phase.State
		for _, step := range phase.Steps {
			out[phase.Name+"/"+step.Name] = step.State
		}
	}
	return out
}

// does says in words what the tasks of a step do.
func does(spec *v1alpha1.FrameworkVersionSpec, s *v1alpha1.Step) []string {
	switch {
	case s.Wait != nil:
		return []string{describe("", &v1alpha1.TaskAction{Wait: s.Wait})}
	case s.Approve != nil:
		return []string{describe("", &v1alpha1.TaskAction{Approve: s.Approve})}
	}
	var out []string
	for _, t := range s.Tasks {
		for i := range spec.Tasks {
			if spec.Tasks[i].Name == t.Task {
				out = append(out, describe(t.Task, &spec.Tasks[i].TaskAction))
			}
		}
	}
	return out
}

func describe(name string, a *v1alpha1.TaskAction) string {
	switch {
	case a.Apply != nil:
		return "apply " + strings.Join(a.Apply.Templates, ", ")
	case a.Delete != nil && a.Delete.Objects != "":
		return "delete " + a.Delete.Objects
	case a.Delete != nil:
		return "delete " + strings.Join(a.Delete.Templates, ", ")
	case a.Job != nil:
		return "job " + a.Job.Template
	case a.Approve != nil:
		return "approve: " + a.Approve.Message
	case a.Wait != nil && a.Wait.For != nil:
		return fmt.Sprintf("wait for %s", a.Wait.For.Duration)
	case a.Wait != nil:
		return "wait until " + strings.Join(strings.Fields(a.Wait.Until), " ")
	}
	return "task " + name
}
