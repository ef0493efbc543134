// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lock

import (
	"context"
	"testing"
)

func TestConfirmedWaitsForTheAnswer(t *testing.T) {
	l := &Ledger{}
	if l.Confirmed(t.Context(), "a", 1) {
		t.Error("confirmed before anything was written")
	}
	end := l.Begin("a")
	answer := make(chan bool)
	go func() { answer <- l.Confirmed(context.Background(), "a", 1) }()
	end(1, true)
	if !<-answer {
		t.Error("not confirmed although the write was answered")
	}
	if l.Confirmed(t.Context(), "a", 2) {
		t.Error("confirmed with another epoch")
	}
	l.Forget("a")
	if l.Confirmed(t.Context(), "a", 1) {
		t.Error("confirmed after it was forgotten")
	}
}

func TestFailedWriteConfirmsNothing(t *testing.T) {
	l := &Ledger{}
	l.Begin("a")(1, false)
	if l.Confirmed(t.Context(), "a", 1) {
		t.Error("confirmed although the write failed")
	}
}
