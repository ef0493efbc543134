// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
)

// revived is a program of the control plane that was started again after a crash.
type revived struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func (r *revived) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
}

// killRevived ends what was started again, and the API server with it: without its etcd it
// does not end when it is asked to.
func (c *Cluster) killRevived() error {
	const server = "kube-apiserver"
	var err error
	if c.revived["etcd"] != nil && c.revived[server] == nil {
		_, err = c.Crash(server)
	}
	for _, program := range c.revived {
		program.kill()
	}
	return err
}

// Crash kills a program of the control plane, kube-apiserver or etcd, as a failing node
// would. The returned function starts it again as it was, with its data, and returns
// once the API server is ready.
func (c *Cluster) Crash(program string) (revive func(context.Context) error, err error) {
	pid, args, err := c.find(program)
	if err != nil {
		return nil, fmt.Errorf("crashing %s: %w", program, err)
	}
	if again := c.revived[program]; again != nil {
		again.kill()
	} else if err := c.end(pid); err != nil {
		return nil, fmt.Errorf("crashing %s: %w", program, err)
	}
	return func(ctx context.Context) error {
		if err := c.revive(program, args); err != nil {
			return fmt.Errorf("starting %s again: %w", program, err)
		}
		return c.awaitReady(ctx)
	}, nil
}

// end kills a process that envtest waits for, and returns once it is gone.
func (c *Cluster) end(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	for range 500 {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return nil
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // only its parent is told of its end
	}
	return fmt.Errorf("process %d does not end", pid)
}

// find returns the process of a program of this control plane, and how it was started:
// its files are in the directory of this cluster.
func (c *Cluster) find(program string) (pid int, args []string, err error) {
	numbers, err := children()
	if err != nil {
		return 0, nil, err
	}
	for _, number := range numbers {
		raw, err := os.ReadFile("/proc/" + number + "/cmdline")
		if err != nil {
			continue // it has ended
		}
		args := strings.Split(string(bytes.TrimRight(raw, "\x00")), "\x00")
		if filepath.Base(args[0]) != program || !strings.Contains(strings.Join(args, " "), c.dir) {
			continue
		}
		pid, err := strconv.Atoi(number)
		return pid, args, err
	}
	return 0, nil, fmt.Errorf("it does not run")
}

// revive starts a program on a thread of its own that lives as long as it: to the kernel,
// the parent whose death ends a process is the thread that made it.
func (c *Cluster) revive(program string, args []string) error {
	r := &revived{cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})} //nolint:gosec,noctx // the control plane's own; it ends with Stop
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(r.ended)
		err := r.cmd.Start()
		started <- err
		if err == nil {
			_ = r.cmd.Wait() // it is killed
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	if c.revived == nil {
		c.revived = map[string]*revived{}
	}
	c.revived[program] = r
	return nil
}

// awaitReady waits until the API server says that it is ready.
func (c *Cluster) awaitReady(ctx context.Context) error {
	transport, err := rest.HTTPClientFor(c.Config)
	if err != nil {
		return fmt.Errorf("connecting to the API server: %w", err)
	}
	defer transport.CloseIdleConnections()
	err = wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.Config.Host, "/")+"/readyz", http.NoBody)
		if err != nil {
			return false, err
		}
		response, err := transport.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
	if err != nil {
		return fmt.Errorf("waiting until the API server is ready: %w", err)
	}
	return nil
}
