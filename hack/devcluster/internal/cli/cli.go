// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of devcluster.
package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kudo.dev/kudo/hack/devcluster/internal/daemon"
	"kudo.dev/kudo/hack/devcluster/internal/home"
)

// requestTimeout bounds what a command does with a cluster that runs.
const requestTimeout = 30 * time.Second

// Main runs the command line and returns the exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "devcluster: %v\n", err)
		return 1
	}
	return 0
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "devcluster",
		Short: "A Kubernetes cluster in one process, with simulated nodes",
		Long: `A Kubernetes cluster in one process, with simulated nodes.

Called as (or with the first argument) etcd, kube-apiserver, kube-controller-manager, kube-scheduler or kubectl it is
that program.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	dir := root.PersistentFlags().String("dir", ".devcluster", "data directory of the cluster")
	at := func() (home.Home, error) { return home.At(*dir) }
	root.AddCommand(newUp(at), newDown(at), newStatus(at), newFail(at), newUnready(at), newSlow(at), newHeal(at), newNode(at))
	return root
}

// homeFunc returns the data directory once the flags have been read.
type homeFunc func() (home.Home, error)

// withClient runs a command on the cluster that runs in the directory.
func withClient(ctx context.Context, at homeFunc, run func(context.Context, kubernetes.Interface) error) error {
	h, err := at()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := daemon.Await(ctx, h); err != nil {
		return fmt.Errorf("%s: %w", h.Path(), err)
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", h.File(home.Kubeconfig))
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	return run(ctx, client)
}
