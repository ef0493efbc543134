// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"kudo.dev/kudo/hack/devcluster/internal/home"
)

const (
	pollInterval = 20 * time.Millisecond
	startTimeout = 2 * time.Minute
	stopTimeout  = 15 * time.Second
	logTailLines = 20
)

// ErrNotRunning means that no cluster runs in the directory.
var ErrNotRunning = errors.New("no cluster runs in this directory")

// Start starts a cluster in a process of its own and returns when it is ready.
func Start(ctx context.Context, opts Options) (home.State, error) {
	if err := opts.Home.Create(); err != nil {
		return home.State{}, err
	}
	logs, err := os.OpenFile(opts.Home.File(home.LogFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return home.State{}, fmt.Errorf("opening the log: %w", err)
	}
	defer func() { _ = logs.Close() }()
	cmd, err := command(opts)
	if err != nil {
		return home.State{}, err
	}
	cmd.Stdout, cmd.Stderr = logs, logs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return home.State{}, fmt.Errorf("starting the daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	state, err := waitState(ctx, opts.Home, cmd.Process.Pid, ended)
	if err != nil {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it has ended already, or nobody will use it
		return home.State{}, fmt.Errorf("%w\n%s", err, tail(opts.Home.File(home.LogFile)))
	}
	return state, nil
}

// command is this program again, in the foreground.
func command(opts Options) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	args := []string{
		"up", "--foreground", "--dir", opts.Home.Path(), "--nodes", strconv.Itoa(opts.Nodes), "--port", strconv.Itoa(opts.Port),
		"--parent-pid", strconv.Itoa(opts.ParentPID),
	}
	if opts.AuditLog != "" {
		args = append(args, "--audit-log", opts.AuditLog)
	}
	for _, arg := range opts.APIServerArgs {
		args = append(args, "--apiserver-arg="+arg)
	}
	return exec.Command(self, args...), nil //nolint:gosec,noctx // this very binary, which goes on when its parent ends
}

// Await returns the state of a cluster that another process has started, once it is ready.
func Await(ctx context.Context, h home.Home) (home.State, error) {
	pid, err := h.Running()
	if err != nil {
		return home.State{}, err
	}
	if pid == 0 {
		return home.State{}, ErrNotRunning
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { ended <- waitEnd(ctx, h) }()
	return waitState(ctx, h, pid, ended)
}

func waitState(ctx context.Context, h home.Home, pid int, ended <-chan error) (home.State, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if state, err := h.ReadState(); err == nil && state.PID == pid {
			return state, nil
		}
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("it was stopped")
			}
			return home.State{}, fmt.Errorf("the cluster ended before it was ready: %w", err)
		case <-ctx.Done():
			return home.State{}, fmt.Errorf("waiting for the cluster: %w", ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// Stop ends the cluster that runs in the directory and returns when it has ended.
func Stop(ctx context.Context, h home.Home) error {
	pid, err := h.Running()
	if err != nil {
		return err
	}
	if pid == 0 {
		return ErrNotRunning
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("sending %v to process %d: %w", sig, pid, err)
		}
		waitCtx, cancel := context.WithTimeout(ctx, stopTimeout)
		err = waitEnd(waitCtx, h)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func waitEnd(ctx context.Context, h home.Home) error {
	for {
		pid, err := h.Running()
		if err != nil || pid == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for process %d to end: %w", pid, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

func tail(file string) []byte {
	data, err := os.ReadFile(file)
	if err != nil {
		return []byte(err.Error())
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-1-logTailLines):], nil)
}
