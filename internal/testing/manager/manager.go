// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package manager runs Kudo's manager as a process of its own: on loopback only,
// with the rights of the kubeconfig that it is given, and never longer than the
// process that started it, unless that is asked for.
package manager

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"kudo.dev/kudo/internal/testing/install"
)

// Options say what to run.
type Options struct {
	// Binary is the path of the manager.
	Binary string
	// Kubeconfig is the path of the manager's kubeconfig.
	Kubeconfig string
	// Log is the path of the file that standard output and standard error are added to.
	Log string
	// WebhookPort must be the one that the webhooks were installed with.
	WebhookPort int
	// Args are further flags.
	Args []string
	// Env is added to the environment, as NAME=VALUE.
	Env []string
	// Detached lets the manager outlive this process.
	Detached bool
}

// Process is a manager that runs, or did.
type Process struct {
	// Log is the path of the log file.
	Log string

	cmd    *exec.Cmd
	probes int
	ended  chan struct{}
	err    error
}

const (
	readyTimeout = 30 * time.Second
	// stopTimeout is longer than the manager allows itself for an orderly end.
	stopTimeout = 15 * time.Second
	probePause  = 25 * time.Millisecond
)

// ErrEnded says that the manager ended before it was asked to.
var ErrEnded = errors.New("the manager has ended")

// Start runs a manager and returns once it is ready. When that fails, nothing is left running.
func Start(ctx context.Context, o Options) (*Process, error) {
	p, err := Launch(o)
	if err != nil {
		return nil, err
	}
	if err := p.AwaitReady(ctx); err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	return p, nil
}

// Launch runs a manager and does not wait until it is ready: a manager that is made to
// crash may never be.
func Launch(o Options) (*Process, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the manager's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	p := &Process{Log: o.Log, probes: port, ended: make(chan struct{}), cmd: command(o, port)}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting the manager: %w", err)
	}
	return p, nil
}

func command(o Options, probes int) *exec.Cmd {
	args := append([]string{
		"--namespace=" + install.Namespace, "--service-account=" + install.ServiceAccount,
		"--webhook-host=" + install.Loopback, "--webhook-port=" + strconv.Itoa(o.WebhookPort),
		"--health-probe-bind-address=" + net.JoinHostPort(install.Loopback, strconv.Itoa(probes)),
		"--metrics-bind-address=0",
	}, o.Args...)
	cmd := exec.Command(o.Binary, args...) //nolint:noctx,gosec // the test's own binary; it ends by Stop, in good order, and not with a context
	cmd.Env = append(append(os.Environ(), "KUBECONFIG="+o.Kubeconfig), o.Env...)
	// A group of its own: Ctrl-C is for the process that started it, which then stops it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if !o.Detached {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	return cmd
}

// run starts the process and waits for its end on one thread: to the kernel, the parent
// whose death ends a process is the thread that made it.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.err = p.cmd.Wait()
		close(p.ended)
	}
}

// AwaitReady waits until the manager says that it is ready.
func (p *Process) AwaitReady(ctx context.Context) error {
	url := "http://" + net.JoinHostPort(install.Loopback, strconv.Itoa(p.probes)) + "/readyz"
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	err := wait.PollUntilContextCancel(ctx, probePause, true, func(ctx context.Context) (bool, error) {
		select {
		case <-p.ended:
			tail, err := p.LogTail(5)
			return false, errors.Join(fmt.Errorf("%w: %w: its log ends with\n%s", ErrEnded, p.err, tail), err)
		default:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
	if err != nil {
		return fmt.Errorf("waiting until the manager is ready: %w", err)
	}
	return nil
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits until the process has ended by itself and returns how.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the manager to end: %w", ctx.Err())
	}
}

// Stop ends the manager in good order, as Kubernetes would. One that does not end in
// time is killed, and that is an error.
func (p *Process) Stop() error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("stopping the manager: it still runs after %s", stopTimeout), p.Kill())
	}
	if p.err != nil {
		return fmt.Errorf("stopping the manager: %w", p.err)
	}
	return nil
}

// Kill ends the manager at once, as a crash would, and waits until it is gone. What it
// may have started goes with it.
func (p *Process) Kill() error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	if err := syscall.Kill(-p.PID(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("killing the manager: %w", err)
	}
	<-p.ended
	return nil
}

func (p *Process) signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("sending %s to the manager: %w", s, err)
	}
	return nil
}
