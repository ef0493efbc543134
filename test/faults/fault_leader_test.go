// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// leaders are the class e: two managers that both believe that they lead.
func leaders() []*class {
	return []*class{
		{letter: "e", name: "zombie", title: "a leader stalls with the write in flight while another finishes", apart: true, faults: leaderless(zombie)},
		{letter: "e", name: "two", title: "two managers without a lease, one slow at the write", apart: true, faults: leaderless(two)},
	}
}

// leaderless strikes each write but one: the creation of a Job or a record that arrives when
// the Instance is gone has no object left that could forbid it. It is made, and collected.
func leaderless(makeFault func(write) *fault) func(*workloadCase, []write) []*fault {
	return func(w *workloadCase, trace []write) []*fault {
		out := each(makeFault)(w, slices.DeleteFunc(slices.Clone(trace), func(at write) bool {
			return w.gone && strings.HasPrefix(at.key, "POST ")
		}))
		for _, f := range out {
			if w.gone { // nor does anything forbid what the slower of the two makes then
				f.differs = regexp.MustCompile(`^times that controllerrevisions .* was made`)
			}
		}
		return out
	}
}

// zombie stops a manager in the middle of a write. Another finishes the run; then the
// write arrives after all, and the first goes on from where it was.
func zombie(w write) *fault {
	var once sync.Once
	released, arrived := make(chan struct{}), make(chan struct{})
	return &fault{
		write: w, slack: time.Second, stale: true,
		strike: func(_ *harness, x *exchange) {
			defer close(arrived)
			x.hit()
			<-released
			x.pass(x.answer)
		},
		heal: func(ctx context.Context, h *harness, r *run) error {
			r.after = append(r.after, func() { once.Do(func() { close(released) }) })
			if err := h.suspend(); err != nil {
				return err
			}
			defer func() { _ = h.resume() }()
			if err := h.startSecond(ctx); err != nil {
				return err
			}
			r.healed = time.Now()
			if err := r.end.wait(ctx); err != nil {
				return err
			}
			r.settled = time.Now()
			once.Do(func() { close(released) })
			<-arrived
			if err := h.resume(); err != nil {
				return err
			}
			if err := h.awaitCalm(ctx, calm); err != nil {
				return err
			}
			r.calm = time.Now()
			return h.killSecond()
		},
	}
}

// two runs a second manager beside the first. Whichever of them makes the write is slow.
func two(w write) *fault {
	return &fault{
		write: w, optional: true, slack: 2 * time.Second, stale: true,
		begin: func(ctx context.Context, h *harness, _ *run) error { return h.startSecond(ctx) },
		strike: func(_ *harness, x *exchange) {
			x.hit()
			time.Sleep(time.Second)
			x.pass(x.answer)
		},
		heal: func(ctx context.Context, h *harness, r *run) error {
			if err := r.end.wait(ctx); err != nil {
				return err
			}
			r.settled = time.Now()
			if err := h.awaitCalm(ctx, calm); err != nil {
				return err
			}
			r.calm = time.Now()
			return h.killSecond()
		},
	}
}
