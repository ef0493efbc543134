// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

// base is the content that the last completed run left; empty before the first.
func (r *Reconciler) base(ctx context.Context, n *run) (*revision.Applied, error) {
	if n.inputs.Base == nil || n.inputs.Base.Applied == "" {
		return &revision.Applied{}, nil
	}
	return r.Archive.Applied(ctx, n.pe.Namespace, n.inputs.Base.Applied)
}

// restore lists all objects of the Instance as the last completed run left them.
func (r *Reconciler) restore(ctx context.Context, n *run) ([]graph.Rendered, error) {
	base, err := r.base(ctx, n)
	if err != nil {
		return nil, err
	}
	out := make([]graph.Rendered, 0, len(base.Objects))
	for _, o := range base.Objects {
		restored, err := r.restored(ctx, n, o)
		if err != nil {
			return nil, err
		}
		out = append(out, restored)
	}
	return out, nil
}

// restored is a recorded object as it can be applied again. The content of a Secret is
// not on record: it is rendered again, and must be what it was.
func (r *Reconciler) restored(ctx context.Context, n *run, o revision.Object) (graph.Rendered, error) {
	if len(o.Content) == 0 {
		return r.renderedAgain(ctx, n, o)
	}
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(o.Content, &u.Object); err != nil {
		return graph.Rendered{}, fmt.Errorf("decoding %s: %w", apply.Describe(o.ObjectReference), err)
	}
	return graph.Rendered{Object: u, Template: o.Template, Task: o.Task}, nil
}

func (r *Reconciler) renderedAgain(ctx context.Context, n *run, o revision.Object) (graph.Rendered, error) {
	in, err := r.Archive.Inputs(ctx, n.pe.Namespace, n.inputs.Base.Inputs)
	if err != nil {
		return graph.Rendered{}, err
	}
	version, err := r.pinnedVersion(ctx, in)
	if err != nil {
		return graph.Rendered{}, err
	}
	lost := &apply.Refusal{
		Reason:  v1alpha1.ReasonInputsLost,
		Message: apply.Describe(o.ObjectReference) + " can not be put back: its content is not on record, and what renders it is no longer the same",
	}
	task := version.Task(o.Task)
	if task == nil {
		return graph.Rendered{}, lost
	}
	rendered, err := version.RenderTask(task, in, n.identity, graph.Run{}, r.Scope)
	if err != nil {
		return graph.Rendered{}, fmt.Errorf("rendering %s again: %w", apply.Describe(o.ObjectReference), err)
	}
	for _, again := range rendered {
		if revision.Key(revision.Reference(again.Object)) != revision.Key(o.ObjectReference) {
			continue
		}
		if digest, err := revision.Digest(again.Object.Object); err != nil || digest != o.Digest {
			return graph.Rendered{}, lost
		}
		return again, nil
	}
	return graph.Rendered{}, lost
}

// reversal is what takes back what a step did to objects.
type reversal struct {
	// restore are the objects that the last completed run had left.
	restore []graph.Rendered
	// remove are the objects that the step created; never data.
	remove []v1alpha1.ObjectReference
}

// references names everything that the reversal touches: first what it puts back.
func (v *reversal) references(n *run, path string) []v1alpha1.ObjectReference {
	return append(n.references(path, v.restore), v.remove...)
}

// reverse finds out what takes back the step of an undo task.
func (r *Reconciler) reverse(ctx context.Context, n *run, path string) (*reversal, error) {
	base, err := r.base(ctx, n)
	if err != nil {
		return nil, err
	}
	step, _ := graph.UndoneStep(path)
	out := &reversal{}
	seen := map[string]bool{}
	for _, task := range n.plan.StepTasks(step) {
		for _, ref := range n.objects[task] {
			key := revision.Key(ref)
			if kind := n.plan.Tasks[task].Kind(); seen[key] || kind != engine.TaskApply && kind != engine.TaskDelete {
				continue
			}
			seen[key] = true
			if was := base.Find(key); was != nil {
				restored, err := r.restored(ctx, n, *was)
				if err != nil {
					return nil, err
				}
				out.restore = append(out.restore, restored)
			} else if !apply.Outlives(groupVersionKind(ref).GroupKind()) {
				out.remove = append([]v1alpha1.ObjectReference{ref}, out.remove...)
			}
		}
	}
	return out, nil
}

// performRevert puts back what was there and removes what was not.
func (r *Reconciler) performRevert(ctx context.Context, n *run, e engine.TaskEffect) engine.Outcome {
	if o := r.performApply(ctx, n, e); o.Class != engine.OutcomeDone && o.Class != engine.OutcomeWaiting {
		return o
	}
	for i := len(n.rendered[e.Path]); i < len(n.objects[e.Path]); i++ {
		if err := r.removeCreated(ctx, n, &n.objects[e.Path][i]); err != nil {
			return apply.Classify(err)
		}
	}
	n.memory.deleted[e.Key()] = n.objects[e.Path][len(n.rendered[e.Path]):]
	return r.observeRevert(ctx, n, e.Path, e.Key())
}

// removeCreated removes an object that the run created, if it is still that one.
func (r *Reconciler) removeCreated(ctx context.Context, n *run, ref *v1alpha1.ObjectReference) error {
	live, err := r.Reader.Get(ctx, n.applier.Client, *ref)
	if err != nil || live == nil || !n.applier.Owner.Owns(live) || (ref.UID != "" && ref.UID != live.GetUID()) {
		return err
	}
	ref.UID = live.GetUID()
	return n.applier.Delete(ctx, *ref)
}

// observeRevert waits until what was put back is healthy and the rest is gone.
func (r *Reconciler) observeRevert(ctx context.Context, n *run, path, key string) engine.Outcome {
	made, asked := n.memory.applied[key], n.memory.deleted[key]
	if made == nil || n.state.Node(path).Run == v1alpha1.RunStalled {
		return engine.Outcome{}
	}
	if o := r.observeApply(ctx, n, n.plan.Tasks[path], made); o.Class != engine.OutcomeDone {
		return o
	}
	return r.observeDelete(ctx, n, asked)
}
