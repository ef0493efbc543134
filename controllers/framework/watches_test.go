// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// A version wakes its Framework when its spec or its verdict changes, and not with every
// Instance that uses it.
func TestJudgedAnew(t *testing.T) {
	tests := map[string]struct {
		change func(*v1alpha1.FrameworkVersion)
		want   bool
	}{
		"one more Instance": {func(v *v1alpha1.FrameworkVersion) { v.Status.Instances = 7 }, false},
		"another spec":      {func(v *v1alpha1.FrameworkVersion) { v.Generation = 2 }, true},
		"another verdict":   {func(v *v1alpha1.FrameworkVersion) { v.Status.Conditions[0].Status = metav1.ConditionFalse }, true},
		"judged as it is":   {func(v *v1alpha1.FrameworkVersion) { v.Status.Conditions[0].ObservedGeneration = 1 }, true},
		"no verdict":        {func(v *v1alpha1.FrameworkVersion) { v.Status.Conditions = nil }, true},
	}
	for name, tc := range tests {
		old := version("1.0.0")
		old.Generation = 1
		now := old.DeepCopy()
		tc.change(now)
		if got := judgedAnew.Update(event.UpdateEvent{ObjectOld: &old, ObjectNew: now}); got != tc.want {
			t.Errorf("%s: passes %v, want %v", name, got, tc.want)
		}
	}
}
