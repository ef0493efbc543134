// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"testing"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// What a task applied stays on record when a person has it run again and the run ends first.
func TestAStepThatIsToRunAgainLeftSomething(t *testing.T) {
	now := time.Unix(1, 0)
	for name, tc := range map[string]struct {
		state engine.NodeState
		want  int
	}{
		"never attempted": {engine.NodeState{Run: v1alpha1.RunPending}, 0},
		"under way":       {engine.NodeState{Run: v1alpha1.RunRunning, StartedAt: now, Attempt: 1}, 1},
		"to run again":    {engine.NodeState{Run: v1alpha1.RunPending, Attempt: 1}, 1},
	} {
		n := &run{plan: program(), state: engine.State{Nodes: map[string]engine.NodeState{"main/one/config": tc.state}}}
		if got := len(n.executed()); got != tc.want {
			t.Errorf("%s: %d tasks, want %d", name, got, tc.want)
		}
	}
}
