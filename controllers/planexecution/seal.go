// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"errors"
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/revision"
)

// seal writes what the Instance is after this run.
func (r *Reconciler) seal(ctx context.Context, n *run) engine.Outcome {
	next, gone, outcome := r.merge(ctx, n)
	if outcome.Class != engine.OutcomeNone {
		return outcome
	}
	if n.facts.Prune.Class != engine.OutcomeDone {
		next.Objects = append(next.Objects, gone...) // not pruned: still there for the next run to remove
	}
	if outcome := r.record(ctx, n, next); outcome.Class != engine.OutcomeNone {
		return outcome
	}
	if outcome := r.outputs(ctx, n); outcome.Class != engine.OutcomeNone {
		return outcome
	}
	next.Late = n.late()
	name, err := r.Archive.WriteApplied(ctx, n.instance, n.pe, next)
	if err != nil {
		return apply.Classify(err)
	}
	n.pe.Status.Applied = name
	return engine.Outcome{Class: engine.OutcomeDone}
}

// prune removes what nothing renders any more, newest first, once the new is healthy.
func (r *Reconciler) prune(ctx context.Context, n *run) engine.Outcome {
	_, gone, outcome := r.merge(ctx, n)
	if outcome.Class != engine.OutcomeNone {
		return outcome
	}
	refs := []v1alpha1.ObjectReference{}
	for _, o := range gone {
		ref := o.ObjectReference
		live, err := r.Reader.Get(ctx, n.applier.Client, ref)
		if err != nil {
			return apply.Classify(err)
		}
		if live == nil || !n.applier.Owner.Owns(live) || (ref.UID != "" && ref.UID != live.GetUID() && !apply.Applied(live)) {
			// What an interrupted try removed stays on record.
			refs = append(refs, recorded(n.pe.Status.Pruned, ref)...)
			continue
		}
		ref.UID = live.GetUID()
		refs = append(refs, ref)
	}
	if len(refs) > 0 && !slices.Equal(refs, n.pe.Status.Pruned) {
		n.pe.Status.Pruned = refs
		if err := r.store(ctx, n); err != nil {
			return engine.Outcome{Class: engine.OutcomeTransient, Message: err.Error()}
		}
	}
	for _, ref := range refs {
		if err := n.applier.Delete(ctx, ref); err != nil {
			return apply.Classify(err)
		}
	}
	return engine.Outcome{Class: engine.OutcomeDone}
}

// recorded returns what is on record under the key of a reference, if anything.
func recorded(known []v1alpha1.ObjectReference, ref v1alpha1.ObjectReference) []v1alpha1.ObjectReference {
	i := slices.IndexFunc(known, func(k v1alpha1.ObjectReference) bool { return revision.Key(k) == revision.Key(ref) })
	if i < 0 {
		return nil
	}
	return known[i : i+1 : i+1]
}

// merge computes the content at rest after this run, and what it no longer holds.
func (r *Reconciler) merge(ctx context.Context, n *run) (*revision.Applied, []revision.Object, engine.Outcome) {
	var previous *revision.Applied
	if n.inputs.Previous != "" {
		var err error
		previous, err = r.Archive.Applied(ctx, n.pe.Namespace, n.inputs.Previous)
		var missing *archive.ErrMissing
		if err != nil && !errors.As(err, &missing) { // without it there is nothing to prune
			return nil, nil, apply.Classify(err)
		}
	}
	change, outcome := r.change(ctx, n)
	if outcome.Class != engine.OutcomeNone {
		return nil, nil, outcome
	}
	next, gone := revision.Merge(previous, change)
	return next, gone, engine.Outcome{}
}
