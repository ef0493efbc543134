// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"strings"
	"testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
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
