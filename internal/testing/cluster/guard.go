// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// guard ends the processes that envtest started when the test process ends without
// stopping them: after a panic, a time-out or Ctrl-C. It is a shell that waits for the
// end of a pipe, which the kernel closes with the process.
type guard struct {
	cmd   *exec.Cmd
	alive io.WriteCloser
}

// newGuard guards all processes that this one has started so far.
func newGuard() (*guard, error) {
	children, err := children()
	if err != nil {
		return nil, err
	}
	if len(children) == 0 {
		return nil, nil
	}
	// A word on the pipe means that all is well.
	script := "read word || kill -KILL " + strings.Join(children, " ")
	g := &guard{cmd: exec.Command("/bin/sh", "-c", script)} //nolint:noctx,gosec // it outlives every context, and the words are numbers
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if g.alive, err = g.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("guarding the API server: %w", err)
	}
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("guarding the API server: %w", err)
	}
	return g, nil
}

func (g *guard) release() error {
	if _, err := io.WriteString(g.alive, "done\n"); err != nil {
		return fmt.Errorf("ending the guard of the API server: %w", err)
	}
	if err := g.cmd.Wait(); err != nil {
		return fmt.Errorf("ending the guard of the API server: %w", err)
	}
	return nil
}

// children are the process numbers of what this process started.
func children() ([]string, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("finding the processes of the API server: %w", err)
	}
	var out []string
	for _, file := range threads {
		raw, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // the thread has ended
		}
		if err != nil {
			return nil, fmt.Errorf("finding the processes of the API server: %w", err)
		}
		out = append(out, strings.Fields(string(raw))...)
	}
	return out, nil
}
