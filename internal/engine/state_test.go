// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// TestDone: a run that is cancelled must not read as further along than it was.
func TestDone(t *testing.T) {
	done := map[v1alpha1.RunState]string{
		v1alpha1.RunPending: "0/1", v1alpha1.RunRunning: "0/1", v1alpha1.RunStalled: "0/1", v1alpha1.RunFailed: "0/1",
		v1alpha1.RunCancelled: "0/1", v1alpha1.RunSucceeded: "1/1", v1alpha1.RunSkipped: "1/1",
	}
	root := &Node{Children: []*Node{{Path: "a", Children: []*Node{{Path: "a/b"}}}}}
	for state, want := range done {
		s := State{Nodes: map[string]NodeState{"a/b": {Run: state}}}
		if n, total := s.Done(&Program{Root: root}); fmt.Sprintf("%d/%d", n, total) != want {
			t.Errorf("a step that is %s: %d/%d, want %s", state, n, total, want)
		}
	}
}
