// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/content"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/impersonate"
	"kudo.dev/kudo/internal/revision"
)

func contentHolder(key types.NamespacedName) string { return "content/" + key.String() }

// forgetContents drops what is only of use while changes of contents run a plan.
func (r *Reconciler) forgetContents(key types.NamespacedName) {
	r.contents.forget(key)
	r.Watches.Release(contentHolder(key))
}

// consumed finds out whether what pods consume is still what the last completed run took
// over, where a plan runs because of that. It asks nothing as long as no watch says that
// an object has changed.
func (r *Reconciler) consumed(ctx context.Context, inst *v1alpha1.Instance, o *observed) error {
	key := client.ObjectKeyFromObject(inst)
	d := o.facts.Desired
	switch {
	case d != nil && (d.ContentPlan == "" || o.baseline.Completed == nil):
		r.forgetContents(key)
		return nil
	case d == nil:
		return nil // a problem that passes: what is watched stays so
	}
	known, err := r.external(ctx, inst, o.baseline)
	if err != nil {
		return err
	}
	seen := r.contents.of(inst, newLookedAt)
	pending := r.watchContents(inst, known, seen)
	doubt := waits(o)
	if pending && !doubt || o.facts.Suspended || holding(inst, o) {
		return nil
	}
	now := slices.Clone(known)
	for i := range known {
		if doubt {
			now[i].Digest, err = r.digestLive(ctx, inst, known[i])
		} else {
			now[i].Digest, err = r.digestNow(ctx, inst, known[i], seen)
		}
		if err != nil {
			return err
		}
		d.ContentChanged = d.ContentChanged || content.Changed(known[i], now[i].Digest)
	}
	d.Content, err = content.All(now)
	return err
}

// waits says whether an execution of Kudo's own was made and not admitted, before this process
// or its view: whether it is still wanted is not judged by what watches have shown so far.
func waits(o *observed) bool {
	return slices.ContainsFunc(o.facts.Runs, func(run engine.Run) bool { return !run.ByUser && run.Waits() })
}

// external lists what pods consume and the Instance does not render itself. Where the last
// completed run did not look, that is what the pods at rest consume, with digests unknown.
func (r *Reconciler) external(ctx context.Context, inst *v1alpha1.Instance, b *archive.Baseline) ([]revision.Content, error) {
	if b.Contents != nil {
		return slices.DeleteFunc(slices.Clone(b.Contents), func(c revision.Content) bool { return c.Own }), nil
	}
	if b.Previous == "" {
		return nil, nil
	}
	applied, err := r.Archive.Applied(ctx, inst.Namespace, b.Previous)
	var missing *archive.ErrMissing
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []revision.Content
	for i := range applied.Objects {
		o := &unstructured.Unstructured{}
		if raw := applied.Objects[i].Content; len(raw) == 0 || o.UnmarshalJSON(raw) != nil || o.GetNamespace() != inst.Namespace {
			continue
		}
		out = content.Merge(out, content.Consumed(o))
	}
	return slices.DeleteFunc(out, func(c revision.Content) bool {
		return applied.Find(revision.Key(c.Reference(inst.Namespace))) != nil
	}), nil
}

// watchContents watches each object by its name. pending says that one of the watches has
// just begun.
func (r *Reconciler) watchContents(inst *v1alpha1.Instance, known []revision.Content, seen *lookedAt) (pending bool) {
	keys := make([]dynamic.Key, 0, len(known))
	for _, c := range known {
		if k := contentKey(inst, c); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	r.Watches.Hold(contentHolder(client.ObjectKeyFromObject(inst)), client.ObjectKeyFromObject(inst), keys)
	pending, seen.refused = r.heed(keys, seen.refused, func(k dynamic.Key, err error) { r.unnoticed(inst, "watch", k, err) })
	return pending
}

func contentKey(inst *v1alpha1.Instance, c revision.Content) dynamic.Key {
	k := keyOf(inst, c.Reference(inst.Namespace))
	k.Name = c.Name
	return k
}

// unnoticed tells that the account lacks a right, so changes of contents are not noticed.
func (r *Reconciler) unnoticed(inst *v1alpha1.Instance, verb string, k dynamic.Key, err error) {
	r.Events.Eventf(inst, nil, corev1.EventTypeWarning, v1alpha1.ReasonWatchRefused, verb+"/"+k.Describe(),
		"the account may not %s %s, which pods consume, so changes are not noticed: %s. Grant the rules in the FrameworkVersion's status.rules",
		verb, k.Describe(), err.Error())
}

// digestNow is the digest of what pods consume of an object now. What can not be known
// counts as unchanged.
func (r *Reconciler) digestNow(ctx context.Context, inst *v1alpha1.Instance, c revision.Content, seen *lookedAt) (string, error) {
	k := contentKey(inst, c)
	o, ok := r.Watches.Get(k, c.Name)
	switch {
	case !ok:
		return c.Digest, nil
	case o == nil:
		return "", nil
	case c.Digest != "" && is(o, c.UID, c.ResourceVersion):
		return c.Digest, nil
	}
	if last, looked := seen.contents[c.ID()]; looked && is(o, last.uid, last.version) {
		return last.digest, nil
	}
	digest, err := r.digestLive(ctx, inst, c)
	if err != nil {
		return "", err
	}
	seen.contents[c.ID()] = looked{uid: o.GetUID(), version: o.GetResourceVersion(), digest: digest}
	return digest, nil
}

// digestLive reads an object, as the account, for the digest of what pods consume of it.
func (r *Reconciler) digestLive(ctx context.Context, inst *v1alpha1.Instance, c revision.Content) (string, error) {
	as, err := r.Accounts.ClientFor(impersonate.Account{Namespace: inst.Namespace, Name: inst.Spec.ServiceAccountName})
	if err != nil {
		return "", fmt.Errorf("acting as the account: %w", err)
	}
	live, err := r.Reader.Get(ctx, as, c.Reference(inst.Namespace))
	switch {
	case apply.Classify(err).Class == engine.OutcomeTransient:
		return "", err
	case err != nil:
		r.unnoticed(inst, "get", contentKey(inst, c), err)
		return c.Digest, nil
	case live == nil:
		return "", nil
	}
	return content.Digest(live, c.Keys)
}

func is(o metav1.Object, uid types.UID, version string) bool {
	return o.GetUID() == uid && o.GetResourceVersion() == version
}
