// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/params"
)

// UndoPrefix stands between the path of a step and the names of the tasks that take it
// back. No task of a step has a path with it: names hold no '/'.
const UndoPrefix = "/undo/"

// Names of the tasks that take back a step whose author names none.
const (
	revertName = "revert"
	manualName = "manual"
)

// UndoneStep returns the path of the step that the task at a path takes back.
func UndoneStep(path string) (step string, undoes bool) {
	step, _, undoes = strings.Cut(path, UndoPrefix)
	return step, undoes
}

// StepTasks returns the paths of the tasks of a step in declared order.
func (p *Plan) StepTasks(step string) []string {
	var paths []string
	if n := p.Program.Find(step); n != nil {
		for _, t := range n.Children {
			paths = append(paths, t.Path)
		}
	}
	return paths
}

// undo compiles what takes a step back: the tasks that the author names; else objects
// become again what the last completed run left, and a job needs a person.
func (c *compiler) undo(plan *Plan, node *engine.Node, s *v1alpha1.Step, path *field.Path) {
	add := func(name string, t *Task) *engine.Node {
		u := plan.leaf(strings.TrimSuffix(node.Path+UndoPrefix, "/"), name, nil, t, s)
		node.Undo = append(node.Undo, u)
		return u
	}
	for i, st := range s.Undo {
		t := c.out.tasks[st.Task]
		switch {
		case t == nil:
			c.add(field.Invalid(path.Index(i).Child("task"), st.Task, "there is no such task"+params.Hint(st.Task, c.taskNames())))
			continue
		case len(st.DependsOn) > 0:
			c.add(field.Forbidden(path.Index(i).Child("dependsOn"), "tasks that take a step back run one after another"))
		}
		add(st.Task, t)
	}
	if len(s.Undo) > 0 {
		return
	}
	jobs, reverts := []string{}, false
	for _, n := range node.Children {
		jobs = appendJob(jobs, n)
		reverts = reverts || n.Task.Kind == engine.TaskApply || n.Task.Kind == engine.TaskDelete
	}
	if len(jobs) > 0 {
		u := add(manualName, &Task{Name: manualName, builtin: engine.TaskManual})
		u.Task.Timeout, u.Task.Retry.Limit = 0, 0
		u.Task.Message = "the step ran the job " + strings.Join(jobs, ", ") + " and names no undo: take it back by hand, then request skip or forceComplete of " + u.Path
	}
	if reverts {
		add(revertName, &Task{Name: revertName, builtin: engine.TaskRevert})
	}
}

func appendJob(jobs []string, n *engine.Node) []string {
	if n.Task.Kind == engine.TaskJob {
		return append(jobs, n.Name)
	}
	return jobs
}

// onFailure compiles what follows when a step can not be done.
func (c *compiler) onFailure(p *v1alpha1.Plan, path *field.Path) *engine.OnFailure {
	of := p.OnFailure
	if of == nil {
		return nil
	}
	out := &engine.OnFailure{Undo: of.Undo, Plan: of.Plan}
	if of.Rollback {
		out.Plan = v1alpha1.PlanRollback
	}
	names := make([]string, 0, len(c.spec.Plans))
	for _, other := range c.spec.Plans {
		names = append(names, other.Name)
	}
	switch {
	case of.Plan != "" && of.Rollback:
		c.add(field.Forbidden(path, "set plan or rollback, not both"))
	case out.Plan == "" && !of.Undo && !of.Fail:
		c.add(field.Required(path, "set at least one of undo, plan, rollback and fail"))
	case out.Plan == "":
	case p.Name == v1alpha1.PlanCleanup:
		c.add(field.Forbidden(path, "nothing follows cleanup: set undo or fail"))
	case of.Plan == p.Name:
		c.add(field.Invalid(path.Child("plan"), of.Plan, "a plan can not follow itself"))
	case of.Plan == v1alpha1.PlanCleanup:
		c.add(field.Invalid(path.Child("plan"), of.Plan, "cleanup runs on deletion only"))
	case of.Plan != "" && find(c.spec.Plans, of.Plan, planName).Name == "":
		c.add(field.Invalid(path.Child("plan"), of.Plan, "there is no such plan"+params.Hint(of.Plan, names)))
	}
	return out
}
