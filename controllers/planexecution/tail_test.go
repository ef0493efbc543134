// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

func TestCutTail(t *testing.T) {
	line := strings.Repeat("x", 99) + "\n"
	tests := map[string]struct{ text, want string }{
		"nothing":           {"", ""},
		"blank":             {"\n\n", ""},
		"short":             {"a\nb\n", "a\nb"},
		"steers a terminal": {"a\x1b[2Jb\x00\tc\r\n", "a[2Jb\tc"},
		"not text":          {"a\xff\xfeb", "ab"},
		"whole lines":       {strings.Repeat(line, 60), strings.TrimSpace(strings.Repeat(line, 40))},
		"one long line":     {strings.Repeat("y", 5000), strings.Repeat("y", maxTail)},
		"whole characters":  {strings.Repeat("é", 3000) + "z", strings.Repeat("é", 2047) + "z"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, cutTail(tc.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A tail belongs to the last attempt, as long as that did not succeed.
func TestLogTailInStatus(t *testing.T) {
	const path = "main/one/config"
	tests := map[string]struct {
		attempt int32
		run     v1alpha1.RunState
		want    map[string]tail
	}{
		"of the last attempt": {2, v1alpha1.RunStalled, map[string]tail{path: {2, "boom"}}},
		"of one before":       {3, v1alpha1.RunRunning, map[string]tail{}},
		"of one that went on": {2, v1alpha1.RunSucceeded, map[string]tail{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			state := engine.State{Nodes: map[string]engine.NodeState{path: {Run: tc.run, Attempt: tc.attempt}}}
			n := &run{pe: &v1alpha1.PlanExecution{}, state: state, plan: program(), tails: map[string]tail{path: {2, "boom"}}}
			save(&n.pe.Status, n, time.Unix(1, 0))
			if diff := cmp.Diff(tc.want, loadTails(&n.pe.Status), cmp.AllowUnexported(tail{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Looks become rarer, and end.
func TestSchedule(t *testing.T) {
	now, f := time.Unix(0, 0), &finding{}
	var pauses []time.Duration
	for {
		if f.schedule(now); f.next.IsZero() {
			break
		}
		pauses = append(pauses, f.next.Sub(now))
	}
	if len(pauses) != maxLooks-1 || pauses[0] != time.Minute || pauses[1] != 2*time.Minute {
		t.Errorf("pauses %v", pauses)
	}
}
