// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package group runs the parts of a cluster as goroutines.
package group

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Group is a set of parts that end together.
type Group struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	failed chan<- error
}

// New returns an empty group. The first part of it that ends before Stop is reported on failed, which needs room for it.
func New(failed chan<- error) *Group {
	ctx, cancel := context.WithCancel(context.Background())
	return &Group{ctx: ctx, cancel: cancel, failed: failed}
}

// Context ends when the group is stopped.
func (g *Group) Context() context.Context { return g.ctx }

// Go runs a part, which should return when its context ends.
func (g *Group) Go(what string, run func(context.Context) error) {
	g.wg.Go(func() {
		err := run(g.ctx)
		if g.ctx.Err() != nil {
			return
		}
		if err == nil {
			err = fmt.Errorf("%s ended by itself", what)
		} else {
			err = fmt.Errorf("%s: %w", what, err)
		}
		select {
		case g.failed <- err:
		default: // another part was first
		}
	})
}

// Stop ends the parts and waits for them, but no longer than the timeout. It tells whether all have ended.
func (g *Group) Stop(timeout time.Duration) bool {
	g.cancel()
	done := make(chan struct{})
	go func() {
		g.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(timeout):
		return false
	}
}
