// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestFirstFailureIsReported(t *testing.T) {
	failed := make(chan error, 1)
	g := New(failed)
	broken := errors.New("broken")
	g.Go("part", func(context.Context) error { return broken })
	if err := <-failed; !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	g.Go("other", func(context.Context) error { return nil })
	if err := <-failed; err == nil || err.Error() != "other ended by itself" {
		t.Errorf("got %v", err)
	}
	if !g.Stop(time.Second) {
		t.Error("the group did not end")
	}
}

func TestStopIsNoFailure(t *testing.T) {
	failed := make(chan error, 1)
	g := New(failed)
	g.Go("part", func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if !g.Stop(time.Second) {
		t.Error("the group did not end")
	}
	if len(failed) != 0 {
		t.Errorf("stopping was reported as %v", <-failed)
	}
}

func TestStopDoesNotWaitForever(t *testing.T) {
	g := New(make(chan error, 1))
	release := make(chan struct{})
	defer close(release)
	g.Go("stuck", func(context.Context) error {
		<-release
		return nil
	})
	if g.Stop(time.Millisecond) {
		t.Error("a stuck part counts as ended")
	}
}
