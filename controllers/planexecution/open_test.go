// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/lock"
)

// TestQueued: who waits with preempt in vain must learn what ends a run that is not stalled.
func TestQueued(t *testing.T) {
	for preempt, want := range map[bool]string{false: "the Instance zk admits this execution", true: "request its cancel"} {
		pe := &v1alpha1.PlanExecution{Spec: v1alpha1.PlanExecutionSpec{Instance: "zk", Preempt: preempt}}
		if got := queued(pe); !strings.HasSuffix(got, want) {
			t.Errorf("preempt %v: %q", preempt, got)
		}
	}
}

// stored answers reads with one execution; nil if there is none.
type stored struct {
	client.Reader
	pe *v1alpha1.PlanExecution
}

// Get copies it.
func (s stored) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	out, ok := o.(*v1alpha1.PlanExecution)
	if s.pe == nil || !ok {
		return apierrors.NewNotFound(v1alpha1.Resource("planexecutions"), key.Name)
	}
	s.pe.DeepCopyInto(out)
	return nil
}

// TestTakeOver: a process that did not admit an execution itself goes on from what the API
// server has, and trusts its cache only once that is as new.
func TestTakeOver(t *testing.T) {
	execution := func(version string, state v1alpha1.RunState) *v1alpha1.PlanExecution {
		return &v1alpha1.PlanExecution{
			ObjectMeta: metav1.ObjectMeta{Name: "zk-update", UID: "u", ResourceVersion: version},
			Status:     v1alpha1.PlanExecutionStatus{State: state},
		}
	}
	another := execution("9", v1alpha1.RunRunning)
	another.UID = "v"
	tests := map[string]struct {
		live            *v1alpha1.PlanExecution
		version         string
		goesOn, trusted bool
	}{
		"the cache is as new": {live: execution("5", v1alpha1.RunRunning), version: "5", goesOn: true, trusted: true},
		"the cache is behind": {live: execution("7", v1alpha1.RunRunning), version: "7", goesOn: true},
		"it has ended":        {live: execution("7", v1alpha1.RunSucceeded)},
		"it is gone":          {},
		"it is not the one":   {live: another},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := &Reconciler{Live: stored{pe: tc.live}, Lock: &lock.Ledger{}}
			inst, pe, err := r.takeOver(t.Context(), &v1alpha1.Instance{}, execution("5", v1alpha1.RunRunning), 3)
			if err != nil || (inst != nil) != tc.goesOn || (pe != nil) != tc.goesOn {
				t.Fatalf("instance %v, execution %v, error %v", inst, pe, err)
			}
			if pe != nil && pe.ResourceVersion != tc.version {
				t.Errorf("goes on from %s", pe.ResourceVersion)
			}
			if got := r.Lock.Confirmed(t.Context(), "u", 3); got != tc.trusted {
				t.Errorf("trusts its cache: %v", got)
			}
		})
	}
}
