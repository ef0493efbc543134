// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
)

// The time of a condition stands in status: another manager goes on with it, and a rule
// that was not looked at keeps it.
func TestSinceWhenARuleHolds(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	before := metav1.NewMicroTime(now.Add(-time.Hour))
	r := &Reconciler{Clock: clocktesting.NewFakePassiveClock(now)}
	limit := &v1alpha1.RecoveryLimit{Attempts: 2, Window: metav1.Duration{Duration: time.Hour}}
	version := &graph.Version{Recovery: []graph.RecoveryRule{
		{Spec: v1alpha1.RecoveryRule{Name: "new", When: "a", Plan: "p", Limit: limit}},
		{Spec: v1alpha1.RecoveryRule{Name: "old", When: "b", Plan: "q", For: &metav1.Duration{Duration: time.Minute}, Preempt: true, Limit: limit}},
		{Spec: v1alpha1.RecoveryRule{Name: "over", Limit: limit}},
		{Spec: v1alpha1.RecoveryRule{Name: "unseen", When: "c", Plan: "r", Limit: limit}},
		{Spec: v1alpha1.RecoveryRule{Name: "never", Limit: limit}},
	}}
	inst := zk()
	for _, rule := range []string{"old", "over", "unseen", "of another version"} {
		inst.Status.Broken = append(inst.Status.Broken, v1alpha1.BrokenRule{Rule: rule, Since: before})
	}
	got := r.since(inst, version, &evaluated{holds: map[string]bool{"new": true, "old": true, "over": false, "never": false}})
	want := []v1alpha1.BrokenRule{
		{Rule: "new", Since: metav1.NewMicroTime(now)}, {Rule: "old", Since: before}, {Rule: "unseen", Since: before},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	incidents := []engine.Incident{
		{Rule: "new", When: "a", Plan: "p", Since: now, Attempts: 2, Window: time.Hour},
		{Rule: "old", When: "b", Plan: "q", Since: before.Time, For: time.Minute, Preempt: true, Attempts: 2, Window: time.Hour},
		{Rule: "unseen", When: "c", Plan: "r", Since: before.Time, Attempts: 2, Window: time.Hour},
	}
	if diff := cmp.Diff(incidents, incidentsOf(version, got)); diff != "" {
		t.Errorf("incidents (-want +got):\n%s", diff)
	}
}
