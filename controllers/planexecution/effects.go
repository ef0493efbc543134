// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/render"
	"kudo.dev/kudo/internal/revision"
)

// prepareTask renders what a task is about to write and names it.
func (r *Reconciler) prepareTask(ctx context.Context, n *run, e engine.TaskEffect) ([]v1alpha1.ObjectReference, engine.Outcome) {
	switch e.Kind {
	case engine.TaskWait, engine.TaskApprove, engine.TaskManual:
		return nil, engine.Outcome{}
	case engine.TaskRevert:
		v, err := r.reverse(ctx, n, e.Path)
		if err != nil {
			return nil, apply.Classify(err)
		}
		n.rendered[e.Path] = v.restore
		return v.references(n, e.Path), engine.Outcome{}
	case engine.TaskRestore:
		restored, err := r.restore(ctx, n)
		if err != nil {
			return nil, apply.Classify(err)
		}
		n.rendered[e.Path] = restored
		return n.references(e.Path, restored), engine.Outcome{}
	case engine.TaskApply, engine.TaskDelete, engine.TaskJob:
	}
	rendered, outcome := r.render(n, e.Path, e.Attempt)
	if outcome.Class != engine.OutcomeNone {
		return nil, outcome
	}
	if e.Kind == engine.TaskDelete {
		n.rendered[e.Path] = rendered
		refs, outcome := r.prepareDelete(ctx, n, e.Path, rendered)
		// What was meant before is on record; anything else is announced first.
		n.ahead = n.ahead || !slices.Equal(refs, n.objects[e.Path])
		return refs, outcome
	}
	found, awaited := r.consume(ctx, n, rendered)
	if found && awaited.Class == engine.OutcomeNone { // their pods see it
		if rendered, outcome = r.render(n, e.Path, e.Attempt); outcome.Class != engine.OutcomeNone {
			return nil, outcome
		}
	}
	if awaited.Class != engine.OutcomeNone {
		return nil, awaited
	}
	n.ahead = n.ahead || n.inputs.Tracked && len(n.objects[e.Path]) == 0 // the attempt may have begun long ago
	n.rendered[e.Path] = rendered
	return n.references(e.Path, rendered), engine.Outcome{}
}

// references names rendered objects, with the UIDs that are known of them.
func (n *run) references(path string, rendered []graph.Rendered) []v1alpha1.ObjectReference {
	refs := make([]v1alpha1.ObjectReference, 0, len(rendered))
	for _, o := range rendered {
		refs = append(refs, revision.Reference(o.Object))
	}
	return keepUIDs(refs, n.objects[path])
}

// render renders the objects of a task from the pinned inputs.
func (r *Reconciler) render(n *run, path string, attempt int32) ([]graph.Rendered, engine.Outcome) {
	task := n.plan.Tasks[path]
	who := graph.Run{ID: string(n.pe.UID), Trigger: n.pe.Spec.Trigger, Attempt: attempt}
	rendered, err := n.version.RenderTask(task, n.inputs, n.identity, who, r.scope(n, task))
	if err == nil && task.Kind() == engine.TaskJob {
		err = apply.PrepareJob(rendered[0].Object, apply.JobRun{
			Name:      revision.JobName(n.instance.Name, n.pe.UID, path, attempt),
			Execution: n.pe.Name, UID: n.pe.UID, Attempt: attempt, Timeout: n.plan.Timeout(path),
		})
	}
	if err != nil {
		return nil, misrendered(err)
	}
	return rendered, engine.Outcome{}
}

// scope says what kinds are. One that is not defined is nothing to wait for where it is only
// to be deleted: it is let through, and not found.
func (r *Reconciler) scope(n *run, task *graph.Task) graph.Scope {
	if task.Kind() != engine.TaskDelete {
		return r.Scope
	}
	return func(kind schema.GroupKind) (namespaced, known bool) {
		namespaced, known = r.Scope(kind)
		if !known && apply.Undefined(n.applier.Client.RESTMapper(), kind) {
			return true, true
		}
		return namespaced, known
	}
}

// misrendered is the outcome of what does not render. A kind that is not known may be in a
// moment: the API server's discovery follows a new definition, which may be of this plan.
func misrendered(err error) engine.Outcome {
	var wrong *render.Error
	if errors.As(err, &wrong) && wrong.Reason == render.ReasonUnknownKind {
		return engine.Outcome{Class: engine.OutcomeTransient, Reason: v1alpha1.ReasonRetrying, Message: err.Error()}
	}
	return engine.Outcome{Class: engine.OutcomeUser, Reason: v1alpha1.ReasonInvalidTemplate, Message: err.Error()}
}

// keepUIDs carries over what is known from an earlier try of the same objects.
func keepUIDs(refs, known []v1alpha1.ObjectReference) []v1alpha1.ObjectReference {
	uids := make(map[string]types.UID, len(known))
	for _, k := range known {
		uids[revision.Key(k)] = k.UID
	}
	for i := range refs {
		if uid, ok := uids[revision.Key(refs[i])]; ok {
			refs[i].UID = uid
		}
	}
	return refs
}

// learnUIDs completes what was stored before the answers came: without a UID an object
// is not recognised later on.
func learnUIDs(refs []v1alpha1.ObjectReference, answers []*unstructured.Unstructured) {
	for _, answer := range answers {
		keepUIDs(refs, []v1alpha1.ObjectReference{revision.Reference(answer)})
	}
}

// prepareDelete names what exists, in reverse order, by UID; and what an interrupted try
// removed already, because only its record says that it was there.
func (r *Reconciler) prepareDelete(ctx context.Context, n *run, path string, rendered []graph.Rendered) ([]v1alpha1.ObjectReference, engine.Outcome) {
	refs := []v1alpha1.ObjectReference{}
	for i := len(rendered) - 1; i >= 0; i-- {
		ref := revision.Reference(rendered[i].Object)
		live, err := n.applier.Find(ctx, ref)
		if err != nil {
			return nil, apply.Classify(err)
		}
		if live == nil {
			if known := keepUIDs([]v1alpha1.ObjectReference{ref}, n.objects[path]); known[0].UID != "" {
				refs = append(refs, known...)
			}
			continue
		}
		if !n.applier.Owner.Owns(live) {
			return nil, engine.Outcome{
				Class: engine.OutcomeUser, Reason: v1alpha1.ReasonNotOwned,
				Message: apply.Describe(ref) + " does not belong to this Instance: it is not deleted",
			}
		}
		ref.UID = live.GetUID()
		refs = append(refs, ref)
	}
	return refs, engine.Outcome{}
}

// performTask makes the effect of a task.
func (r *Reconciler) performTask(ctx context.Context, n *run, e engine.TaskEffect) engine.Outcome {
	switch e.Kind {
	case engine.TaskApply, engine.TaskRestore:
		return r.performApply(ctx, n, e)
	case engine.TaskRevert:
		return r.performRevert(ctx, n, e)
	case engine.TaskJob:
		return r.performJob(ctx, n, e)
	case engine.TaskDelete:
		return r.performDelete(ctx, n, e)
	case engine.TaskWait, engine.TaskApprove, engine.TaskManual:
	}
	return r.observeWait(n, n.state.Node(e.Path), n.plan.Tasks[e.Path])
}

func (r *Reconciler) performApply(ctx context.Context, n *run, e engine.TaskEffect) engine.Outcome {
	if err := r.recall(ctx, n); err != nil {
		return apply.Classify(err)
	}
	made := &applied{answers: make([]*unstructured.Unstructured, 0, len(n.rendered[e.Path])), at: r.Clock.Now()}
	for i, o := range n.rendered[e.Path] {
		task := n.taskOf(e.Path, o)
		policy := v1alpha1.ImmutableFail
		if task.Action.Apply != nil {
			policy = task.Action.Apply.OnImmutable
		}
		answer, err := n.applier.Apply(ctx, o.Object, policy)
		if err != nil {
			return apply.Classify(err)
		}
		n.objects[e.Path][i].UID = answer.GetUID()
		n.remember(answer)
		made.answers, made.tasks = append(made.answers, answer), append(made.tasks, task)
	}
	n.memory.applied[e.Key()] = made
	return r.observeApply(ctx, n, n.plan.Tasks[e.Path], made)
}

// taskOf is the task whose rules an object follows: that of a path, or the one that
// rendered it where it is only put back.
func (n *run) taskOf(path string, o graph.Rendered) *graph.Task {
	task := n.plan.Tasks[path]
	if original := n.version.Task(o.Task); task.Action.Apply == nil && original != nil {
		return original
	}
	return task
}

// performJob starts the job and stores its UID at once: a job that is gone later,
// with a UID on record, has run and is not made again.
func (r *Reconciler) performJob(ctx context.Context, n *run, e engine.TaskEffect) engine.Outcome {
	job, err := n.applier.Start(ctx, n.rendered[e.Path][0].Object)
	if err != nil {
		return apply.Classify(err)
	}
	n.objects[e.Path][0].UID = job.GetUID()
	n.changed = true
	n.memory.applied[e.Key()] = &applied{answers: []*unstructured.Unstructured{job}, at: r.Clock.Now()}
	return engine.Outcome{
		Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting,
		Message: "waiting for " + apply.Describe(revision.Reference(job)),
	}
}

func (r *Reconciler) performDelete(ctx context.Context, n *run, e engine.TaskEffect) engine.Outcome {
	for _, ref := range n.objects[e.Path] {
		if err := n.applier.Stop(ctx, ref); err != nil {
			return apply.Classify(err)
		}
	}
	n.memory.deleted[e.Key()] = n.objects[e.Path]
	return r.observeDelete(ctx, n, n.objects[e.Path])
}
