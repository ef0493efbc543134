// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

// change collects what the tasks of this run did: in the order of the program, then
// what took steps back in the order in which that happened.
func (r *Reconciler) change(ctx context.Context, n *run) (revision.Change, engine.Outcome) {
	c := &revision.Change{
		Listing: n.version.Listing,
		Retained: func(ref v1alpha1.ObjectReference) bool {
			return apply.Outlives(groupVersionKind(ref).GroupKind())
		},
	}
	for _, leaf := range n.executed() {
		if o := r.addTask(ctx, n, leaf, c); o.Class != engine.OutcomeNone {
			return *c, o
		}
	}
	return *c, engine.Outcome{}
}

// executed lists the tasks that were attempted, without those of steps that were taken back.
func (n *run) executed() []*engine.Node {
	var out, undone []*engine.Node
	root := n.plan.Program.Root
	reverted := map[string]bool{}
	root.Undoes(func(u *engine.Node) {
		if n.state.Node(u.Path).StartedAt.IsZero() {
			return
		}
		undone = append(undone, u)
		if step, _ := graph.UndoneStep(u.Path); u.Task.Kind == engine.TaskRevert && n.ran(u.Path) {
			for _, task := range n.plan.StepTasks(step) {
				reverted[task] = true
			}
		}
	})
	root.Leaves(func(leaf *engine.Node) {
		// One that is to run again has not started, and left something all the same.
		if n.state.Node(leaf.Path).Attempt > 0 && !reverted[leaf.Path] {
			out = append(out, leaf)
		}
	})
	slices.SortStableFunc(undone, func(a, b *engine.Node) int {
		return n.state.Node(a.Path).StartedAt.Compare(n.state.Node(b.Path).StartedAt)
	})
	return append(out, undone...)
}

// ran says whether a task did all that it is for. One that a person took for done did not.
func (n *run) ran(path string) bool {
	s := n.state.Node(path)
	return s.Run == v1alpha1.RunSucceeded && s.Reason != v1alpha1.ReasonForceCompleted
}

// addTask adds what one task did, or was about to do when the run ended.
func (r *Reconciler) addTask(ctx context.Context, n *run, leaf *engine.Node, c *revision.Change) engine.Outcome {
	switch leaf.Task.Kind {
	case engine.TaskDelete:
		if n.ran(leaf.Path) {
			removed(c, n.objects[leaf.Path])
		}
	case engine.TaskRevert:
		if n.ran(leaf.Path) {
			return r.addReverted(ctx, n, leaf.Path, c)
		}
	case engine.TaskRestore:
		if n.ran(leaf.Path) {
			c.Listing = func(string) []string { return nil } // what is not put back has to go
		}
		return r.addApplied(ctx, n, leaf, c)
	case engine.TaskApply:
		if n.ran(leaf.Path) {
			c.Tasks = append(c.Tasks, n.plan.Tasks[leaf.Path].Name)
		}
		return r.addApplied(ctx, n, leaf, c)
	case engine.TaskJob, engine.TaskWait, engine.TaskApprove, engine.TaskManual:
	}
	return engine.Outcome{}
}

func removed(c *revision.Change, refs []v1alpha1.ObjectReference) {
	for _, ref := range refs {
		key := revision.Key(ref)
		c.Deleted = append(c.Deleted, key)
		c.Applied = slices.DeleteFunc(c.Applied, func(o revision.Object) bool { return revision.Key(o.ObjectReference) == key })
	}
}

// addReverted adds what a step became again.
func (r *Reconciler) addReverted(ctx context.Context, n *run, path string, c *revision.Change) engine.Outcome {
	v, err := r.reverse(ctx, n, path)
	if err != nil {
		return apply.Classify(err)
	}
	removed(c, v.remove)
	return addRendered(n, path, v.restore, c)
}

// addApplied adds what a task applied, or was about to apply when the run ended.
func (r *Reconciler) addApplied(ctx context.Context, n *run, leaf *engine.Node, c *revision.Change) engine.Outcome {
	path := leaf.Path
	if len(n.objects[path]) == 0 {
		return engine.Outcome{}
	}
	if _, ok := n.rendered[path]; !ok {
		effect := engine.TaskEffect{Path: path, Kind: leaf.Task.Kind, Attempt: n.state.Node(path).Attempt}
		if _, outcome := r.prepareTask(ctx, n, effect); outcome.Class != engine.OutcomeNone {
			return outcome
		}
	}
	return addRendered(n, path, n.rendered[path], c)
}

func addRendered(n *run, path string, rendered []graph.Rendered, c *revision.Change) engine.Outcome {
	refs := n.references(path, rendered)
	for i, o := range rendered {
		object, err := revision.NewObject(o.Object, refs[i].UID, o.Task, o.Template)
		if err != nil {
			return apply.Classify(err)
		}
		key := revision.Key(object.ObjectReference)
		c.Deleted = slices.DeleteFunc(c.Deleted, func(k string) bool { return k == key })
		c.Applied = append(c.Applied, object)
	}
	return engine.Outcome{}
}
