// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"fmt"
	"math"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/expr"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/render"
)

// Bounds of plans: what is stored about a run must fit into its status.
const (
	maxNodes   = 2000
	maxTimeout = 30 * 24 * time.Hour
	// waitName names the task of a step that waits by itself.
	waitName = "wait"
	// approveName names the task of a step that waits for a person by itself.
	approveName = "approve"
	// What follows an approval that does not come in time.
	approvalStalls, approvalFails = "Stall", "Fail"
)

// Plan is a compiled plan.
type Plan struct {
	// Program for the engine.
	Program *engine.Program
	// Lifecycle says that the plan takes the Instance to what is wanted: it has such a
	// name, a parameter triggers it, or it applies or deletes objects.
	Lifecycle bool
	// Shared says that the plan runs beside others: it changes no object of the Instance.
	Shared bool
	// Tasks by path.
	Tasks map[string]*Task

	conditions map[string]*expr.Program
	require    []rule
}

// Task is a compiled task.
type Task struct {
	Name string
	// Action is what the task does.
	Action v1alpha1.TaskAction

	// builtin is the kind of a task that no author writes.
	builtin   engine.TaskKind
	readyWhen *expr.Program
	until     *expr.Program
	patches   []render.PatchSpec
}

// Timeout of one attempt of the task at a path.
func (p *Plan) Timeout(path string) time.Duration {
	if n := p.Program.Find(path); n != nil && n.Task != nil {
		return n.Task.Timeout
	}
	return 0
}

// When is the condition of the phase or step at a path; empty for none.
func (p *Plan) When(path string) string {
	if c := p.conditions[path]; c != nil {
		return c.Source()
	}
	return ""
}

// Kind of the task for the engine.
func (t *Task) Kind() engine.TaskKind {
	switch {
	case t.builtin != "":
		return t.builtin
	case t.Action.Approve != nil:
		return engine.TaskApprove
	case t.Action.Apply != nil:
		return engine.TaskApply
	case t.Action.Delete != nil:
		return engine.TaskDelete
	case t.Action.Job != nil:
		return engine.TaskJob
	default:
		return engine.TaskWait
	}
}

func (c *compiler) tasks() {
	for i := range c.spec.Tasks {
		t := &c.spec.Tasks[i]
		path := c.path.Child("tasks").Index(i)
		if c.out.tasks[t.Name] != nil {
			c.add(field.Duplicate(path.Child("name"), t.Name))
			continue
		}
		c.out.tasks[t.Name] = c.task(t.Name, t.TaskAction, path)
	}
}

func (c *compiler) task(name string, a v1alpha1.TaskAction, path *field.Path) *Task {
	t := &Task{Name: name, Action: a}
	if n := actions(a); n != 1 {
		c.add(field.Invalid(path, field.OmitValueType{}, fmt.Sprintf("task %q sets %d of apply, delete, job, wait and approve: set exactly one", name, n)))
		return t
	}
	switch {
	case a.Apply != nil:
		at := path.Child("apply")
		c.templateNames(a.Apply.Templates, at.Child("templates"))
		t.readyWhen = c.expression(expr.ReadyWhen, a.Apply.ReadyWhen, at.Child("readyWhen"))
		for _, p := range a.Apply.Patches {
			spec := render.PatchSpec{Content: p.Patch}
			if p.Target != nil {
				spec.Target = &render.Selector{Group: p.Target.Group, Version: p.Target.Version, Kind: p.Target.Kind, Name: p.Target.Name}
			}
			t.patches = append(t.patches, spec)
		}
	case a.Delete != nil:
		if len(a.Delete.Templates) == 0 {
			c.add(field.Required(path.Child("delete", "templates"), "name the templates whose objects are to be deleted"))
		}
		c.templateNames(a.Delete.Templates, path.Child("delete", "templates"))
	case a.Job != nil:
		c.templateNames([]string{a.Job.Template}, path.Child("job", "template"))
	case a.Wait != nil:
		t.until = c.wait(a.Wait, path.Child("wait"))
	case a.Approve != nil:
		c.approve(a.Approve, path.Child("approve"))
	}
	return t
}

func (c *compiler) approve(a *v1alpha1.ApproveTask, path *field.Path) {
	if strings.Contains(a.Message, "${") {
		c.add(field.Forbidden(path.Child("message"), "${CEL} is "+NotYetSupported))
	}
}

// actions counts what a task does.
func actions(a v1alpha1.TaskAction) int {
	n := 0
	for _, set := range []bool{
		a.Apply != nil, a.Delete != nil, a.Job != nil, a.Exec != nil, a.Wait != nil,
		a.Approve != nil, a.Patch != nil, a.Restart != nil, a.Instance != nil, a.Call != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

func (c *compiler) wait(w *v1alpha1.WaitTask, path *field.Path) *expr.Program {
	if (w.Until == "") == (w.For == nil) {
		c.add(field.Invalid(path, field.OmitValueType{}, "set exactly one of until and for"))
	}
	if w.For != nil {
		c.duration(w.For.Duration, path.Child("for"))
	}
	return c.expression(expr.Until, w.Until, path.Child("until"))
}

func (c *compiler) duration(d time.Duration, path *field.Path) {
	if d <= 0 || d > maxTimeout {
		c.add(field.Invalid(path, d.String(), fmt.Sprintf("must be more than 0 and at most %s", maxTimeout)))
	}
}

func (c *compiler) templateNames(names []string, path *field.Path) {
	if c.out.templates == nil {
		return
	}
	for i, n := range names {
		if !c.out.templates.Has(n) {
			c.add(field.Invalid(path.Index(i), n, "there is no such template"+params.Hint(n, c.out.templates.Names())))
		}
	}
}

func (c *compiler) plans() {
	if len(c.spec.Plans) > 0 && find(c.spec.Plans, v1alpha1.PlanDeploy, planName).Name == "" {
		c.add(field.Required(c.path.Child("plans"), "there is no plan named deploy: an Instance could never be made"))
	}
	if len(c.spec.Plans) == 0 {
		c.add(field.Required(c.path.Child("plans"), "there is neither a plan nor a template"))
	}
	for i := range c.spec.Plans {
		p := &c.spec.Plans[i]
		path := c.path.Child("plans").Index(i)
		if c.out.Plans[p.Name] != nil {
			c.add(field.Duplicate(path.Child("name"), p.Name))
			continue
		}
		c.out.PlanNames = append(c.out.PlanNames, p.Name)
		c.out.Plans[p.Name] = c.plan(p, path)
	}
}

func (c *compiler) plan(p *v1alpha1.Plan, path *field.Path) *Plan {
	out := &Plan{Tasks: map[string]*Task{}, conditions: map[string]*expr.Program{}}
	switch p.Name {
	case v1alpha1.PlanDeploy, v1alpha1.PlanUpdate, v1alpha1.PlanUpgrade, v1alpha1.PlanCleanup:
		out.Lifecycle = true
	}
	out.require = c.rules(p.Require, path.Child("require"), expr.When)
	if p.Name == v1alpha1.PlanRollback {
		c.add(field.Forbidden(path.Child("name"), "rollback is built in: it puts back what the last completed run left"))
	}
	root := &engine.Node{Strategy: p.Strategy}
	out.Program = &engine.Program{Plan: p.Name, Root: root, OnFailure: c.onFailure(p, path.Child("onFailure"))}
	siblings := make([]sibling, 0, len(p.Phases))
	nodes := 0
	for i := range p.Phases {
		ph := &p.Phases[i]
		siblings = append(siblings, sibling{ph.Name, ph.DependsOn})
		node := c.phase(out, ph, path.Child("phases").Index(i))
		node.Walk(func(*engine.Node) { nodes++ })
		node.Undoes(func(*engine.Node) { nodes++ })
		root.Children = append(root.Children, node)
	}
	c.add(checkOrder(siblings, p.Strategy, path.Child("phases"), "name")...)
	c.shared(out, p, path)
	if nodes > maxNodes {
		c.add(field.TooMany(path.Child("phases"), nodes, maxNodes))
	}
	return out
}

func (c *compiler) phase(plan *Plan, p *v1alpha1.Phase, path *field.Path) *engine.Node {
	node := &engine.Node{
		Name: p.Name, Path: p.Name, Strategy: p.Strategy, MaxParallel: int(p.MaxParallel), DependsOn: p.DependsOn,
	}
	c.condition(plan, node, p.When, path)
	if len(p.Steps) == 0 {
		c.add(field.Required(path.Child("steps"), "a phase has at least one step"))
	}
	siblings := make([]sibling, 0, len(p.Steps))
	for i := range p.Steps {
		s := &p.Steps[i]
		siblings = append(siblings, sibling{s.Name, s.DependsOn})
		node.Children = append(node.Children, c.step(plan, node.Path, s, path.Child("steps").Index(i)))
	}
	c.add(checkOrder(siblings, p.Strategy, path.Child("steps"), "name")...)
	return node
}

func (c *compiler) step(plan *Plan, parent string, s *v1alpha1.Step, path *field.Path) *engine.Node {
	node := &engine.Node{Name: s.Name, Path: parent + "/" + s.Name, Strategy: s.Strategy, DependsOn: s.DependsOn}
	c.condition(plan, node, s.When, path)
	c.duration(s.Timeout.Duration, path.Child("timeout"))
	if d := s.Retry.Backoff.Duration; d <= 0 || d > maxTimeout {
		c.add(field.Invalid(path.Child("retry", "backoff"), d.String(), "must be more than 0"))
	}
	if exclusive := len(s.Tasks) > 0; exclusive == (s.Wait != nil || s.Approve != nil) || s.Wait != nil && s.Approve != nil {
		c.add(field.Invalid(path, field.OmitValueType{}, "a step has either tasks, or a wait, or an approve"))
		return node
	}
	if s.Wait != nil || s.Approve != nil {
		node.Children = []*engine.Node{c.single(plan, node, s, path)}
		c.undo(plan, node, s, path.Child("undo"))
		return node
	}
	siblings := make([]sibling, 0, len(s.Tasks))
	for i, st := range s.Tasks {
		siblings = append(siblings, sibling{st.Task, st.DependsOn})
		t := c.out.tasks[st.Task]
		if t == nil {
			c.add(field.Invalid(path.Child("tasks").Index(i).Child("task"), st.Task, "there is no such task"+params.Hint(st.Task, c.taskNames())))
			continue
		}
		node.Children = append(node.Children, plan.leaf(node.Path, st.Task, st.DependsOn, t, s))
	}
	c.add(checkOrder(siblings, s.Strategy, path.Child("tasks"), "task")...)
	c.undo(plan, node, s, path.Child("undo"))
	return node
}

// single is the task of a step that waits by itself.
func (c *compiler) single(plan *Plan, node *engine.Node, s *v1alpha1.Step, path *field.Path) *engine.Node {
	if s.Approve != nil {
		c.approve(s.Approve, path.Child("approve"))
		return plan.leaf(node.Path, approveName, nil, &Task{Name: approveName, Action: v1alpha1.TaskAction{Approve: s.Approve}}, s)
	}
	t := &Task{Name: waitName, Action: v1alpha1.TaskAction{Wait: s.Wait}, until: c.wait(s.Wait, path.Child("wait"))}
	return plan.leaf(node.Path, waitName, nil, t, s)
}

func (c *compiler) taskNames() []string {
	names := make([]string, 0, len(c.spec.Tasks))
	for _, t := range c.spec.Tasks {
		names = append(names, t.Name)
	}
	return names
}

func (c *compiler) condition(plan *Plan, node *engine.Node, source string, path *field.Path) {
	if p := c.expression(expr.When, source, path.Child("when")); p != nil {
		node.Conditional = true
		plan.conditions[node.Path] = p
	}
}

// leaf makes the node of a task below a path.
func (p *Plan) leaf(parent, name string, dependsOn []string, t *Task, s *v1alpha1.Step) *engine.Node {
	node := &engine.Node{Name: name, Path: parent + "/" + name, DependsOn: dependsOn}
	node.Task = &engine.Task{Kind: t.Kind(), Timeout: s.Timeout.Duration, Retry: engine.Retry{
		Limit: *s.Retry.Limit, Backoff: s.Retry.Backoff.Duration, Factor: s.Retry.Factor,
	}}
	if a := t.Action.Approve; a != nil {
		node.Task.Message, node.Task.FailLate = a.Message, a.OnTimeout == approvalFails
	}
	if t.Action.Wait != nil && t.Action.Wait.For != nil {
		// A wait for a time ends by itself; its time-out must not come first.
		node.Task.Timeout = max(node.Task.Timeout, min(t.Action.Wait.For.Duration, math.MaxInt64-time.Minute)+time.Minute)
	}
	p.Tasks[node.Path] = t
	p.Lifecycle = p.Lifecycle || t.Action.Apply != nil || t.Action.Delete != nil
	return node
}
