// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/drift"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/requeue"
	"kudo.dev/kudo/internal/revision"
)

// recollection is what this process did for an Instance at rest.
type recollection struct {
	// applied names the revision that there is about.
	applied string
	// there are objects that were seen since they were last written: if one is missing, it
	// was deleted.
	there map[string]bool
	// fights are kept by object and field.
	fights drift.Fights
	// refusals are the API server's words, by object.
	refusals map[string]string
	// written is what was put back, by object.
	written map[string]written
	// conflicts counts lost races in a row.
	conflicts int
	// told are messages that events were made of.
	told map[string]bool
	// unwatched are the watches that were reported as refused.
	unwatched map[dynamic.Key]bool
}

// written says which version of an object a write led to, and when.
type written struct {
	version string
	at      time.Time
}

func newRecollection() recollection {
	return recollection{
		there: map[string]bool{}, fights: drift.Fights{}, refusals: map[string]string{}, written: map[string]written{},
		told: map[string]bool{},
	}
}

// rest begins anew with what was seen where another revision is at rest now.
func (k *recollection) rest(applied string) {
	if k.applied != applied {
		k.applied, k.there = applied, map[string]bool{}
	}
}

// subjects are what a finding can be fought for.
func subjects(f *drift.Finding) []string {
	out := f.Fields()
	for i := range out {
		out[i] = revision.Key(f.Object.ObjectReference) + " " + out[i]
	}
	return out
}

// until says until when something is left alone; the zero time for not at all.
func (k *recollection) until(f *drift.Finding, now time.Time) time.Time {
	var out time.Time
	for _, s := range subjects(f) {
		out = latest(out, k.fights.Lost(s, now))
	}
	return out
}

// pause grows with every lost race in a row: most are over when the cache has caught up.
func (k *recollection) pause() time.Duration {
	k.conflicts++
	return requeue.Pause << min(k.conflicts-1, 9)
}

func (k *recollection) putBack(f *drift.Finding, now time.Time) {
	k.conflicts = 0
	delete(k.refusals, revision.Key(f.Object.ObjectReference))
	for _, s := range subjects(f) {
		k.fights.PutBack(s, now)
	}
}

func (k *recollection) refuse(f *drift.Finding, words string, now time.Time) time.Time {
	k.refusals[revision.Key(f.Object.ObjectReference)] = words
	var out time.Time
	for _, s := range subjects(f) {
		out = latest(out, k.fights.Refused(s, now))
	}
	return out
}

// stuck says why something is not put back now.
func (k *recollection) stuck(f *drift.Finding, until time.Time) (reason, message string, of *drift.Finding) {
	if words := k.refusals[revision.Key(f.Object.ObjectReference)]; words != "" {
		return v1alpha1.ReasonNotPutBack, f.Describe() + ", and can not be put back: " + words, f
	}
	return v1alpha1.ReasonFighting, f.Describe() + ", again and again: it is put back once more at " + until.UTC().Format(time.RFC3339) +
		". Let one of the two go, with spec.ignoreFields for example", f
}
