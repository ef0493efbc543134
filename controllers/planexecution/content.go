// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/content"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/impersonate"
	"kudo.dev/kudo/internal/revision"
)

// pinContents writes into the inputs what the pods of the Instance consume, where pods
// restart because of that or a plan runs. What a plan does not take over stays as the last
// completed run took it over. What can not be read is not known: whoever needs it, waits.
func (r *Reconciler) pinContents(ctx context.Context, n *run, b *archive.Baseline, in *revision.Inputs) error {
	named := n.version.ContentPlan(n.instance.Spec.OnContentChange)
	plan := n.version.Plan(n.pe.Spec.Plan)
	if plan == nil || !plan.Lifecycle || named == "" && !n.version.Restarts() {
		return nil
	}
	in.Tracked, in.Contents = true, n.version.Contents(in, n.identity, r.Scope)
	if most := revision.MaxContents; len(in.Contents) > most {
		return &apply.Refusal{
			Reason:  v1alpha1.ReasonRefused,
			Message: fmt.Sprintf("pods consume %d Secrets and ConfigMaps, more than the %d that can be kept: name fewer", len(in.Contents), most),
		}
	}
	takes := engine.TakesContent(n.pe.Spec.Plan, named, b.Whole())
	as, err := r.Accounts.ClientFor(impersonate.Account{Namespace: n.instance.Namespace, Name: n.instance.Spec.ServiceAccountName})
	if err != nil {
		return fmt.Errorf("acting as the account: %w", err)
	}
	seen := map[string]*unstructured.Unstructured{}
	for i := range in.Contents {
		c := &in.Contents[i]
		old := revision.FindContent(b.Contents, *c)
		switch {
		case c.Own:
			continue
		case !takes && old != nil && old.Digest != "":
			c.Digest, c.UID, c.ResourceVersion = old.Digest, old.UID, old.ResourceVersion
			continue
		}
		id := c.Kind + "/" + c.Name
		live, known := seen[id]
		if !known {
			live, err = r.Reader.Get(ctx, as, c.Reference(n.pe.Namespace))
			if apply.Classify(err).Class == engine.OutcomeTransient {
				return err
			}
			seen[id] = live
		}
		if err := fill(c, live); err != nil {
			return err
		}
	}
	return nil
}

// fill completes what is known of a content; live is nil where the object is not there.
func fill(c *revision.Content, live *unstructured.Unstructured) (err error) {
	if live == nil {
		return nil
	}
	c.Digest, err = content.Digest(live, c.Keys)
	c.UID, c.ResourceVersion = live.GetUID(), live.GetResourceVersion()
	return err
}

// found adds to the inputs what this run found after it was pinned. The inputs as they are
// stored are not changed.
func (n *run) found() {
	if len(n.pe.Status.Contents) == 0 {
		return
	}
	in := *n.inputs
	in.Contents = revision.OverlayContents(in.Contents, n.late())
	n.inputs = &in
}

// late are the contents that this run found after it was pinned.
func (n *run) late() []revision.Content {
	out := make([]revision.Content, 0, len(n.pe.Status.Contents))
	for _, c := range n.pe.Status.Contents {
		out = append(out, revision.Content{
			Kind: c.Kind, Name: c.Name, Keys: c.Keys, Digest: c.Digest, UID: c.UID, ResourceVersion: c.ResourceVersion,
		})
	}
	return out
}

// consume finds what the pods of rendered objects need to start and what was not there
// when the run was pinned. Until all of it is there, the outcome says what is awaited.
func (r *Reconciler) consume(ctx context.Context, n *run, rendered []graph.Rendered) (found bool, outcome engine.Outcome) {
	if !n.inputs.Tracked {
		return false, engine.Outcome{}
	}
	for _, o := range rendered {
		if o.Object.GetNamespace() != n.identity.Namespace {
			continue
		}
		for _, c := range content.Missing(content.Consumed(o.Object), n.inputs.Contents) {
			if outcome := r.find(ctx, n, o, c); outcome.Class != engine.OutcomeNone {
				return found, outcome
			}
			found = true
		}
	}
	return found, engine.Outcome{}
}

// find looks for one content as the account, and keeps its digest in status.
func (r *Reconciler) find(ctx context.Context, n *run, o graph.Rendered, c revision.Content) engine.Outcome {
	ref := c.Reference(n.identity.Namespace)
	key := n.watch(ref)
	key.Name = c.Name
	if absent, known := r.Watches.Get(key, c.Name); known && absent == nil {
		return awaiting(o, ref)
	}
	live, err := r.Reader.Get(ctx, n.applier.Client, ref)
	if err != nil {
		return apply.Classify(fmt.Errorf("%s consumes it: %w", apply.Describe(revision.Reference(o.Object)), err))
	}
	if live == nil {
		out := awaiting(o, ref)
		if !r.Watches.Need(holder(client.ObjectKeyFromObject(n.pe)), client.ObjectKeyFromObject(n.instance), key) {
			out.Due = r.Clock.Now().Add(pollEvery)
		}
		return out
	}
	if err := fill(&c, live); err != nil {
		return apply.Classify(err)
	}
	n.pe.Status.Contents = append(n.pe.Status.Contents, v1alpha1.ContentDigest{
		Kind: c.Kind, Name: c.Name, Keys: c.Keys, Digest: c.Digest, UID: c.UID, ResourceVersion: c.ResourceVersion,
	})
	n.ahead, n.changed = true, true
	n.found()
	return engine.Outcome{}
}

func awaiting(o graph.Rendered, ref v1alpha1.ObjectReference) engine.Outcome {
	return engine.Outcome{
		Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting,
		Message: "waiting until " + apply.Describe(ref) + " is there, which the pods of " + apply.Describe(revision.Reference(o.Object)) + " consume",
	}
}
