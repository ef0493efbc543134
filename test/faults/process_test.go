// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"kudo.dev/kudo/internal/testing/manager"
)

// start starts the manager and waits until it is ready.
func (h *harness) start(ctx context.Context) error {
	begun := time.Now()
	p, err := manager.Launch(h.options)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.process = p
	h.mu.Unlock()
	if err := p.AwaitReady(ctx); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starts = append(h.starts, time.Since(begun))
	return nil
}

// ensure starts the manager again where a run has left it dead.
func (h *harness) ensure(ctx context.Context) error {
	h.mu.Lock()
	p := h.process
	h.mu.Unlock()
	if p != nil {
		select {
		case <-p.Ended():
		default:
			return nil
		}
	}
	return h.start(ctx)
}

// startSecond starts another manager beside the first, with the same rights and the same
// proxy. It logs to the same file.
func (h *harness) startSecond(ctx context.Context) error {
	options := h.options
	if !slices.Contains(options.Args, "--webhooks=false") {
		return fmt.Errorf("two managers can not serve the webhooks on one port: the class must have them apart")
	}
	p, err := manager.Launch(options)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.second = p
	h.mu.Unlock()
	return p.AwaitReady(ctx)
}

// kill ends the manager as a crash would.
func (h *harness) kill() error { return h.end(&h.process) }

func (h *harness) killSecond() error { return h.end(&h.second) }

func (h *harness) end(which **manager.Process) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if *which == nil {
		return nil
	}
	return (*which).Kill()
}

// suspend stops the manager as it stands, as a node does that swaps.
func (h *harness) suspend() error { return h.signal(syscall.SIGSTOP) }

// resume lets it go on.
func (h *harness) resume() error { return h.signal(syscall.SIGCONT) }

func (h *harness) signal(s syscall.Signal) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := syscall.Kill(-h.process.PID(), s); err != nil {
		return fmt.Errorf("sending %s to the manager: %w", s, err)
	}
	return nil
}

// startup is the mean time that the manager needs until it is ready.
func (h *harness) startup() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	var sum time.Duration
	for _, s := range h.starts {
		sum += s
	}
	return (sum / time.Duration(max(len(h.starts), 1))).Round(time.Millisecond)
}
