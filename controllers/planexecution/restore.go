// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"errors"
	"fmt"

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
	for i := range base.Objects {
		restored, err := r.restored(ctx, n, &base.Objects[i])
		if err != nil {
			return nil, err
		}
		out = append(out, restored)
	}
	return out, nil
}

// restored is a recorded object as it can be applied again.
func (r *Reconciler) restored(ctx context.Context, n *run, o *revision.Object) (graph.Rendered, error) {
	source := func() (*graph.Version, *revision.Inputs, error) {
		in, err := r.Archive.Inputs(ctx, n.pe.Namespace, n.inputs.Base.Inputs)
		if err != nil {
			return nil, nil, err
		}
		version, err := r.pinnedVersion(ctx, in)
		return version, in, err
	}
	recorded, err := graph.Recorded(o, source, n.identity, r.Scope)
	if errors.Is(err, graph.ErrNotRecorded) {
		return recorded, &apply.Refusal{
			Reason:  v1alpha1.ReasonInputsLost,
			Message: apply.Describe(o.ObjectReference) + " can not be put back: " + err.Error(),
		}
	}
	if err != nil {
		return recorded, fmt.Errorf("%s: %w", apply.Describe(o.ObjectReference), err)
	}
	return recorded, nil
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
				restored, err := r.restored(ctx, n, was)
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
	made := n.memory.applied[key]
	asked, complete := n.memory.deleted[key] // not before all that was created was asked to go
	if made != nil {
		learnUIDs(n.objects[path], made.answers)
	}
	if made == nil || !complete || n.state.Node(path).Run == v1alpha1.RunStalled {
		return engine.Outcome{}
	}
	if o := r.observeApply(ctx, n, n.plan.Tasks[path], made); o.Class != engine.OutcomeDone {
		return o
	}
	return r.observeDelete(ctx, n, asked)
}
