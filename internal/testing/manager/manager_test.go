// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// script writes a program that takes the manager's place and says so in its log.
func script(t *testing.T, body string) Options {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "manager")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho started \"$@\"\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return Options{Binary: binary, Log: filepath.Join(t.TempDir(), "log"), Kubeconfig: "/kubeconfig", WebhookPort: 1}
}

func launch(t *testing.T, body string) *Process {
	t.Helper()
	p, err := Launch(script(t, body))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

func TestStop(t *testing.T) {
	// Its only children are short-lived: nothing is left behind where the trap is not set yet.
	p := launch(t, "trap 'exit 0' TERM; while :; do sleep 0.05; done")
	if err := p.Stop(); err != nil && !strings.Contains(err.Error(), "signal: terminated") {
		t.Fatal(err)
	}
	select {
	case <-p.Ended():
	default:
		t.Error("it has not ended")
	}
}

func TestKill(t *testing.T) {
	p := launch(t, "trap '' TERM; exec sleep 60")
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process is still there: %v", err)
	}
	if err := p.Kill(); err != nil {
		t.Errorf("killing it again: %v", err)
	}
}

func TestStartOfOneThatEnds(t *testing.T) {
	o := script(t, "echo no rights >&2; exit 3")
	_, err := Start(t.Context(), o)
	if !errors.Is(err, ErrEnded) {
		t.Fatalf("error %v, want one that says it ended", err)
	}
	tail, err := (&Process{Log: o.Log}).LogTail(1)
	if err != nil || tail != "no rights\n" {
		t.Errorf("tail of the log %q, %v", tail, err)
	}
	all, err := (&Process{Log: o.Log}).LogTail(10)
	if err != nil || !strings.Contains(all, "--webhook-host=127.0.0.1 --webhook-port=1 --health-probe-bind-address=127.0.0.1:") {
		t.Errorf("log %q, %v", all, err)
	}
}

func TestStartIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, script(t, "exec sleep 60")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
}
