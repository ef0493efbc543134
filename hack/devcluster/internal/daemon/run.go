// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package daemon runs a cluster in this process, and starts and stops one in another process.
package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"kudo.dev/kudo/hack/devcluster/internal/access"
	"kudo.dev/kudo/hack/devcluster/internal/controlplane"
	"kudo.dev/kudo/hack/devcluster/internal/faults"
	"kudo.dev/kudo/hack/devcluster/internal/group"
	"kudo.dev/kudo/hack/devcluster/internal/home"
	"kudo.dev/kudo/hack/devcluster/internal/nodes"
	"kudo.dev/kudo/hack/devcluster/internal/storage"
)

const standInStopTimeout = 2 * time.Second

// Options say how a cluster is to run.
type Options struct {
	Home  home.Home
	Nodes int
	// Port is the API server's port; 0 means the one of the last run or a free one.
	Port int
	// AuditLog is the absolute path of the audit log, empty for none.
	AuditLog      string
	APIServerArgs []string
	// ParentPID is the process whose end ends the cluster; 0 means none.
	ParentPID int
}

// Run runs a cluster until the context ends, the parent process ends or a part of the cluster fails. Only one can run in
// a process, because it changes the working directory and the components share global state.
func Run(ctx context.Context, opts Options, progress io.Writer) (err error) {
	if err := opts.Home.Create(); err != nil {
		return err
	}
	lock, err := opts.Home.Acquire()
	if err != nil {
		return fmt.Errorf("locking %s: %w", opts.Home.Path(), err)
	}
	defer func() { err = errors.Join(err, opts.Home.ClearState(), lock.Release()) }()
	if err := opts.Home.ClearState(); err != nil {
		return err
	}
	if err := os.Chdir(opts.Home.Path()); err != nil {
		return fmt.Errorf("entering the data directory: %w", err)
	}
	logs, err := os.OpenFile(opts.Home.File(home.LogFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	defer func() { _ = logs.Close() }()
	if err := logTo(logs); err != nil {
		return err
	}
	ctx, cancel, err := untilParentEnds(ctx, opts.ParentPID)
	if err != nil {
		return err
	}
	defer cancel()
	return runCluster(ctx, opts, logs, log.New(progress, "devcluster: ", log.Ltime|log.Lmicroseconds|log.Lmsgprefix))
}

// logTo sends the logs of all components to the file.
func logTo(w io.Writer) error {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	klog.InitFlags(flags)
	if err := flags.Parse([]string{"-logtostderr=false", "-stderrthreshold=FATAL", "-one_output=true"}); err != nil {
		return fmt.Errorf("setting up the log: %w", err)
	}
	klog.SetOutput(w)
	return nil
}

func runCluster(ctx context.Context, opts Options, logs io.Writer, logger *log.Logger) error {
	started := time.Now()
	listener, err := opts.Home.Listen(opts.Port)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	files, err := access.Prepare(opts.Home, home.Port(listener), controlplane.ServiceIP())
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	plane, err := controlplane.Start(ctx, controlplane.Config{
		Home: opts.Home, Listener: listener, Access: files, AuditLog: opts.AuditLog,
		APIServerArgs: opts.APIServerArgs, Log: logger,
	}, failed)
	if err != nil {
		return err
	}
	defer func() {
		plane.Stop()
		logger.Print("stopped")
	}()
	client, err := newClient(files.Devcluster)
	if err != nil {
		return err
	}
	standIns := startStandIns(client, files.Devcluster, logs, logger, failed)
	defer standIns.Stop(standInStopTimeout)
	if err := waitReady(ctx, client, opts.Nodes, failed); err != nil {
		return err
	}
	state := home.State{
		PID: os.Getpid(), Server: fmt.Sprintf("https://%s", listener.Addr()), Nodes: opts.Nodes,
		Started: started, Ready: time.Now(),
	}
	if err := opts.Home.WriteState(state); err != nil {
		return err
	}
	logger.Printf("the cluster is ready after %.1f s: export KUBECONFIG=%s", time.Since(started).Seconds(), files.Admin)
	return untilEnd(ctx, failed, logger)
}

func untilEnd(ctx context.Context, failed <-chan error, logger *log.Logger) error {
	select {
	case err := <-failed:
		return fmt.Errorf("the cluster failed: %w", err)
	case <-ctx.Done():
		logger.Printf("stopping: %v", context.Cause(ctx))
		return nil
	}
}

// startStandIns starts what takes the place of machines, disks and bad luck.
func startStandIns(
	client kubernetes.Interface, kubeconfig string, logs io.Writer, logger *log.Logger, failed chan<- error,
) *group.Group {
	g := group.New(failed)
	g.Go("the node simulator", func(ctx context.Context) error { return nodes.Simulate(ctx, kubeconfig, logs) })
	g.Go("the fault injector", func(ctx context.Context) error { return faults.Run(ctx, client, logger) })
	g.Go("the volume provisioner", func(ctx context.Context) error { return storage.Run(ctx, client) })
	return g
}

// waitReady makes the nodes and returns when they are Ready and pods can be created.
func waitReady(ctx context.Context, client kubernetes.Interface, n int, failed <-chan error) error {
	if err := nodes.Ensure(ctx, client, n); err != nil {
		return err
	}
	for {
		ok, err := isReady(ctx, client)
		if ok || err != nil {
			return err
		}
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("waiting for the cluster: %w", context.Cause(ctx))
		case <-time.After(30 * time.Millisecond):
		}
	}
}

func isReady(ctx context.Context, client kubernetes.Interface) (bool, error) {
	_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the default service account: %w", err)
	}
	ready, all, err := nodes.Count(ctx, client)
	return ready == all, err
}

func newClient(kubeconfig string) (kubernetes.Interface, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	cfg.QPS, cfg.Burst = 500, 1000
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return client, nil
}
