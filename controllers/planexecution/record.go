// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"encoding/json"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/drift"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/revision"
)

// left is what an apply left of an object.
type left struct {
	uid     types.UID
	fields  json.RawMessage
	version string
}

// recall tells the applier what the last apply of each object left: in this run, else in
// one before.
func (r *Reconciler) recall(ctx context.Context, n *run) error {
	var previous *revision.Applied
	if n.inputs.Previous != "" {
		var err error
		previous, err = r.Archive.Applied(ctx, n.pe.Namespace, n.inputs.Previous)
		var missing *archive.ErrMissing
		if err != nil && !errors.As(err, &missing) {
			return err
		}
	}
	n.applier.Last = func(ref v1alpha1.ObjectReference) *revision.Object {
		key := revision.Key(ref)
		if l, ok := n.memory.left[key]; ok {
			ref.UID = l.uid
			return &revision.Object{ObjectReference: ref, Fields: l.fields}
		}
		return previous.Find(key)
	}
	return nil
}

// remember keeps what an apply left, as the API server answered: what others did since
// is drift.
func (n *run) remember(answer *unstructured.Unstructured) {
	n.memory.left[revision.Key(revision.Reference(answer))] = left{
		uid: answer.GetUID(), fields: drift.Own(answer.GetManagedFields()), version: answer.GetResourceVersion(),
	}
}

// record adds to the content at rest what the applies of this run left. A process that
// did not make them reads what is there now.
func (r *Reconciler) record(ctx context.Context, n *run, next *revision.Applied) engine.Outcome {
	done := n.succeeded()
	for i := range next.Objects {
		o := &next.Objects[i]
		key := revision.Key(o.ObjectReference)
		if l, ok := n.memory.left[key]; ok {
			if l.uid == o.UID {
				o.Fields, o.ResourceVersion = l.fields, l.version
			}
			continue
		}
		if !done[key] || o.UID == "" {
			continue
		}
		live, err := r.Reader.Get(ctx, n.applier.Client, o.ObjectReference)
		if outcome := apply.Classify(err); outcome.Class == engine.OutcomeTransient {
			return outcome
		}
		if err == nil && live != nil && live.GetUID() == o.UID {
			o.Fields, o.ResourceVersion = drift.Own(live.GetManagedFields()), live.GetResourceVersion()
		}
	}
	return engine.Outcome{}
}

// succeeded are the keys of the objects of the tasks that applied them and succeeded.
func (n *run) succeeded() map[string]bool {
	out := map[string]bool{}
	for _, task := range n.executed() {
		switch task.Task.Kind {
		case engine.TaskApply, engine.TaskRestore, engine.TaskRevert:
		default:
			continue
		}
		if !n.ran(task.Path) {
			continue
		}
		for _, ref := range n.objects[task.Path] {
			out[revision.Key(ref)] = true
		}
	}
	return out
}
