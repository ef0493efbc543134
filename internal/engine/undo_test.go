// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// TestARetriedUndoIsStoredFirst: what a person tries again while steps are taken back is
// another attempt, which must be on record before its effect.
func TestARetriedUndoIsStoredFirst(t *testing.T) {
	p := program(children(node("main", children(step("copy", TaskApply, undoneBy(node("back", task(TaskJob, 0))))))))
	facts, state := admitted(), State{}
	decide := func(want ...Effect) Decision {
		t.Helper()
		d := Decide(p, state, facts, epoch0)
		if len(d.Effects) != len(want) {
			t.Fatalf("effects %v, want %v", d.Effects, want)
		}
		state = d.State
		return d
	}
	const path = "main/copy/undo/back"
	decide(TaskEffect{})
	facts.Requests = []Request{{ID: "1", Action: v1alpha1.ActionCancel, Mode: v1alpha1.CancelUndo}}
	decide(TaskEffect{})
	facts.Outcomes[path] = Outcome{Class: OutcomeUser, Reason: v1alpha1.ReasonRefused, Message: "no"}
	if decide(); state.Node(path).Run != v1alpha1.RunStalled {
		t.Fatalf("after the refusal it is %+v", state.Node(path))
	}
	facts.Requests = append(facts.Requests, Request{ID: "2", Action: v1alpha1.ActionRetry})
	d := decide(TaskEffect{})
	if e, ok := d.Effects[0].(TaskEffect); !ok || e.Attempt != 2 || !d.WriteAhead {
		t.Errorf("%+v, stored first: %v", d.Effects[0], d.WriteAhead)
	}
}
