// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"

	"kudo.dev/kudo/hack/devcluster/internal/daemon"
	"kudo.dev/kudo/hack/devcluster/internal/faults"
	"kudo.dev/kudo/hack/devcluster/internal/home"
	"kudo.dev/kudo/hack/devcluster/internal/nodes"
)

func newUp(at homeFunc) *cobra.Command {
	var opts daemon.Options
	var foreground, tied bool
	c := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster, wait until it is ready and print the path of its kubeconfig",
		Args:  cobra.NoArgs,
	}
	f := c.Flags()
	f.IntVar(&opts.Nodes, "nodes", 3, "number of simulated nodes")
	f.IntVar(&opts.Port, "port", 0, "port of the API server on 127.0.0.1 (0: the one of the last run, or a free one)")
	f.BoolVar(&foreground, "foreground", false, "stay in the foreground")
	f.StringVar(&opts.AuditLog, "audit-log", "", "file for an audit log of every request (level Metadata)")
	f.StringArrayVar(&opts.APIServerArgs, "apiserver-arg", nil, "further flag of the API server, as NAME=VALUE (repeatable)")
	f.IntVar(&opts.ParentPID, "parent-pid", 0, "stop the cluster when this process ends")
	f.BoolVar(&tied, "tied", false, "stop the cluster when the process that called this command ends")
	c.MarkFlagsMutuallyExclusive("tied", "parent-pid")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if tied {
			opts.ParentPID = os.Getppid()
		}
		var err error
		if opts.Home, err = at(); err != nil {
			return err
		}
		if opts.AuditLog != "" {
			if opts.AuditLog, err = filepath.Abs(opts.AuditLog); err != nil {
				return fmt.Errorf("finding the audit log: %w", err)
			}
		}
		if foreground {
			return daemon.Run(cmd.Context(), opts, cmd.ErrOrStderr())
		}
		return up(cmd, opts)
	}
	return c
}

func up(cmd *cobra.Command, opts daemon.Options) error {
	running, err := awaitRunning(cmd, opts.Home)
	if err != nil {
		return err
	}
	if !running {
		state, err := daemon.Start(cmd.Context(), opts)
		if err != nil {
			// Another up may have been quicker.
			if running, _ = awaitRunning(cmd, opts.Home); !running {
				return err
			}
		} else {
			fmt.Fprintf(cmd.ErrOrStderr(), "devcluster: %s is ready after %.1f s (process %d)\n",
				state.Server, state.Ready.Sub(state.Started).Seconds(), state.PID)
		}
	}
	fmt.Fprintln(cmd.OutOrStdout(), opts.Home.File(home.Kubeconfig))
	return nil
}

// awaitRunning tells whether a cluster runs in the directory, and waits until it is ready.
func awaitRunning(cmd *cobra.Command, h home.Home) (bool, error) {
	pid, err := h.Running()
	if pid == 0 || err != nil {
		return false, err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "devcluster: a cluster runs in %s already (process %d)\n", h.Path(), pid)
	_, err = daemon.Await(cmd.Context(), h)
	return err == nil, err
}

func newDown(at homeFunc) *cobra.Command {
	var keep bool
	c := &cobra.Command{
		Use:   "down",
		Short: "Stop the cluster and remove its data directory",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := at()
			if err != nil {
				return err
			}
			if err := daemon.Stop(cmd.Context(), h); err != nil && !errors.Is(err, daemon.ErrNotRunning) {
				return err
			}
			if keep {
				return nil
			}
			return h.Remove()
		},
	}
	c.Flags().BoolVar(&keep, "keep", false, "keep the data directory, for the next up")
	return c
}

func newStatus(at homeFunc) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the cluster, its nodes and the faults that are on; fails if no cluster runs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := at()
			if err != nil {
				return err
			}
			return withClient(cmd.Context(), at, func(ctx context.Context, client kubernetes.Interface) error {
				return status(ctx, cmd, h, client)
			})
		},
	}
}

func status(ctx context.Context, cmd *cobra.Command, h home.Home, client kubernetes.Interface) error {
	state, err := h.ReadState()
	if err != nil {
		return err
	}
	ready, all, err := nodes.Count(ctx, client)
	if err != nil {
		return err
	}
	on, err := faults.NewStore(client).List(ctx)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "server:     %s\nkubeconfig: %s\nlog:        %s\nprocess:    %d, since %s\nnodes:      %d of %d ready\n",
		state.Server, h.File(home.Kubeconfig), h.File(home.LogFile), state.PID, state.Ready.Format(time.RFC3339), ready, all)
	for _, fault := range on {
		fmt.Fprintf(out, "fault:      %s\n", fault)
	}
	return nil
}
