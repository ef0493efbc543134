// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/drift"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/impersonate"
	"kudo.dev/kudo/internal/requeue"
	"kudo.dev/kudo/internal/revision"
)

// steady keeps the state at rest: it watches the objects of the Instance and, while no
// plan runs, corrects or reports what others changed.
func (r *Reconciler) steady(ctx context.Context, inst *v1alpha1.Instance, o *observed, c engine.Choice) error {
	key := client.ObjectKeyFromObject(inst)
	policy := cmp.Or(inst.Spec.DriftPolicy, v1alpha1.DriftCorrect)
	if o.facts.Deleting || policy == v1alpha1.DriftIgnore || o.baseline.Previous == "" {
		r.forget(key)
		return nil
	}
	applied, err := r.Archive.Applied(ctx, inst.Namespace, o.baseline.Previous)
	var missing *archive.ErrMissing
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return err
	}
	known := r.memory.of(inst, newRecollection)
	known.rest(o.baseline.Previous)
	pending := r.watch(inst, applied, known)
	if inst.Status.Active != nil || c.Start != nil || c.Admit != nil {
		return nil
	}
	if pending {
		o.drift = &deviation{unknown: true} // in a moment more is known
		return nil
	}
	if o.facts.Suspended || (o.problem != nil && o.problem.reason == v1alpha1.ReasonAccountMissing) {
		policy = v1alpha1.DriftReport
	}
	seen, err := r.see(ctx, inst, o, applied, known)
	if err != nil {
		return err
	}
	return r.answer(ctx, inst, o, known, drift.Decide(seen, policy, inst.Spec.IgnoreFields))
}

// cacheLag is how long a cache may not have seen an object that was just made.
const cacheLag = 15 * time.Second

// see looks at the objects of the content at rest. What is not known, because no watch
// runs or what it saw is older than the last write, is left out: its next event comes.
func (r *Reconciler) see(ctx context.Context, inst *v1alpha1.Instance, o *observed, applied *revision.Applied, known *recollection) ([]drift.Seen, error) {
	var out []drift.Seen
	sealed := r.sealedAt(o)
	for i := range applied.Objects {
		object := &applied.Objects[i]
		if !drift.Steady(object) {
			continue
		}
		live, ok, err := r.live(ctx, inst, object.ObjectReference)
		if err != nil {
			return nil, err
		}
		key := revision.Key(object.ObjectReference)
		written := known.written[key]
		switch {
		case !ok:
			continue
		case live == nil:
			if wait := latest(sealed, written.at).Add(cacheLag).Sub(r.Clock.Now()); wait > 0 && !known.there[key] {
				o.wakeIn(wait)
				continue
			}
			out = append(out, drift.Seen{Object: object})
		case older(live, cmp.Or(written.version, object.ResourceVersion)):
			continue
		default:
			known.there[key] = true
			out = append(out, drift.Seen{Object: object, Live: live})
		}
	}
	return out, nil
}

// answer puts back what is to be put back, and says what is not.
func (r *Reconciler) answer(ctx context.Context, inst *v1alpha1.Instance, o *observed, known *recollection, findings []drift.Finding) error {
	var errs []error
	told := known.told
	known.told = map[string]bool{}
	tell := func(reason, message string, f *drift.Finding) {
		o.drift = o.drift.with(reason, message)
		if known.told[message] = true; !told[message] && !alreadySaid(inst, message) {
			r.event(inst, f, corev1.EventTypeWarning, reason, message)
		}
	}
	now := r.Clock.Now()
	for i := range findings {
		f := &findings[i]
		if !f.Correct {
			tell(v1alpha1.ReasonDrifted, f.Describe(), f)
			continue
		}
		if until := known.until(f, now); !until.IsZero() {
			o.wakeIn(until.Sub(now))
			tell(known.stuck(f, until))
			continue
		}
		done, err := r.putBack(ctx, inst, o, known, f)
		refused := apply.Classify(err)
		switch {
		case err == nil && !done: // what was seen is old
		case err == nil:
			known.putBack(f, now)
			r.event(inst, f, corev1.EventTypeNormal, v1alpha1.ReasonPutBack, f.Describe()+": put back")
		case apierrors.IsConflict(err):
			o.wakeIn(known.pause()) // it changed since it was looked at
		case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
			o.wakeIn(known.pause()) // the namespace goes, and the cache has not seen it
		case refused.Class == engine.OutcomeTransient:
			errs = append(errs, err)
		default:
			until := known.refuse(f, refused.Message, now)
			o.wakeIn(until.Sub(now))
			tell(known.stuck(f, until))
		}
	}
	return errors.Join(errs...)
}

// putBack applies an object again as the account, as its last apply sent it.
func (r *Reconciler) putBack(ctx context.Context, inst *v1alpha1.Instance, o *observed, known *recollection, f *drift.Finding) (done bool, err error) {
	content, err := r.content(ctx, inst, o, f.Object)
	if err != nil {
		return false, err
	}
	as, err := r.Accounts.ClientFor(impersonate.Account{Namespace: inst.Namespace, Name: inst.Spec.ServiceAccountName})
	if err != nil {
		return false, fmt.Errorf("acting as the account: %w", err)
	}
	live, complete, err := r.known(ctx, inst, f)
	if err != nil {
		return false, err
	}
	applier := &apply.Applier{
		Client: as, Reader: r.Reader, Ignore: inst.Spec.IgnoreFields,
		Owner: apply.Owner{Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID, Adopt: inst.Spec.Adopt},
	}
	now, done, err := applier.Restore(ctx, f.Object, content, live, complete)
	if err != nil {
		return false, err
	}
	key := revision.Key(f.Object.ObjectReference)
	known.written[key] = written{version: now.GetResourceVersion(), at: r.Clock.Now()}
	delete(known.there, key)
	return done, nil
}

// sealedAt is when the content at rest was written down.
func (r *Reconciler) sealedAt(o *observed) time.Time {
	for i := range o.runs {
		if s := o.runs[i].Status; s.Applied == o.baseline.Previous && s.FinishedAt != nil {
			return s.FinishedAt.Time
		}
	}
	return time.Time{}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// wakeIn makes sure that the Instance is looked at again after some time.
func (o *observed) wakeIn(d time.Duration) {
	d = max(d, requeue.Pause)
	if o.wake == 0 || d < o.wake {
		o.wake = d
	}
}
