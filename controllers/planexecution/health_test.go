// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// A Job that is missing may not have come to the cache yet, or be gone for good: then no
// event comes, and the run must look again by itself.
func TestMissingJob(t *testing.T) {
	const path = "main/verify/verify"
	made := time.Unix(1000, 0)
	tests := map[string]struct {
		noted  bool
		made   bool
		now    time.Time
		class  engine.Class
		reason string
		due    time.Time
	}{
		"never made":                       {now: made},
		"not yet seen":                     {noted: true, made: true, now: made.Add(time.Second), class: engine.OutcomeWaiting, reason: v1alpha1.ReasonWaiting, due: made.Add(cacheLag)},
		"removed":                          {noted: true, made: true, now: made.Add(cacheLag), class: engine.OutcomeUser, reason: v1alpha1.ReasonOutcomeUnknown},
		"removed, made by another process": {noted: true, now: made, class: engine.OutcomeUser, reason: v1alpha1.ReasonOutcomeUnknown},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			ref := v1alpha1.ObjectReference{APIVersion: "batch/v1", Kind: "Job", Namespace: "n", Name: "verify"}
			n := &run{
				objects: map[string][]v1alpha1.ObjectReference{path: {ref}},
				memory:  &recollection{applied: map[string]*applied{}},
				state:   engine.State{Nodes: map[string]engine.NodeState{path: {Run: v1alpha1.RunRunning, Attempt: 1}}},
			}
			if tc.noted {
				n.objects[path][0].UID = "u"
			}
			if tc.made {
				n.memory.applied[engine.AttemptKey(path, 1)] = &applied{at: made}
			}
			r := &Reconciler{Clock: clocktesting.NewFakePassiveClock(tc.now)}
			got := r.missingJob(n, path, ref)
			if got.Class != tc.class || got.Reason != tc.reason || !got.Due.Equal(tc.due) {
				t.Errorf("got %+v", got)
			}
		})
	}
}
