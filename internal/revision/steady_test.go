// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package revision

import (
	"encoding/json"
	"testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Retained data that no template renders any more is kept on record, but its fields are
// not: when its owner removes it, it is not made anew.
func TestRetainedDataThatNothingListsHasNoFields(t *testing.T) {
	claim := Object{
		ObjectReference: v1alpha1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: "prod", Name: "data"},
		Task:            "data", Template: "claim.yaml", Fields: json.RawMessage(`{"f:spec":{}}`), ResourceVersion: "7",
	}
	for name, tc := range map[string]struct {
		tasks []string
		want  bool
	}{
		"its task was skipped": {nil, true},
		"its task ran":         {[]string{"data"}, false},
	} {
		next, prune := Merge(&Applied{Objects: []Object{claim}}, Change{
			Tasks: tc.tasks, Listing: func(string) []string { return []string{"data"} },
			Retained: func(v1alpha1.ObjectReference) bool { return true },
		})
		if len(prune) > 0 || len(next.Objects) != 1 || (len(next.Objects[0].Fields) > 0) != tc.want {
			t.Errorf("%s: %+v, pruned %v", name, next.Objects, prune)
		}
	}
}
