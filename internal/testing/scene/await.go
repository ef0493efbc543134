// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"context"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

const (
	tick = 50 * time.Millisecond
	// Patience is longer than any run takes that ends at all, on a busy machine too.
	Patience = 60 * time.Second
)

// Await polls until a condition holds, and says what was there instead.
func (w *World) Await(t testing.TB, what string, condition func(context.Context) (bool, string)) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), tick, Patience, true, func(ctx context.Context) (done bool, err error) {
		done, last = condition(ctx)
		return done, nil
	})
	if err != nil {
		tail := "none"
		if w.Process != nil {
			tail, _ = w.Process.LogTail(5)
		}
		t.Fatalf("waiting until %s: %v; last seen: %s\nlog of the manager:\n%s", what, err, last, tail)
	}
}

// IsReady says whether the newest spec of an Instance is rolled out.
func IsReady(inst *v1alpha1.Instance) bool {
	c := meta.FindStatusCondition(inst.Status.Conditions, v1alpha1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == inst.Generation
}
