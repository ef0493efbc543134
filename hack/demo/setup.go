// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"k8s.io/client-go/tools/clientcmd"

	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
)

// setUp makes everything that is there before an Instance is.
func (d *demo) setUp(ctx context.Context) error {
	if err := d.load(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kudo-demo-")
	if err != nil {
		return fmt.Errorf("making a directory for the control plane: %w", err)
	}
	d.dir = dir
	var port int
	for _, s := range []struct {
		what string
		do   func() (string, error)
	}{
		{"control plane", func() (string, error) { return d.startCluster(ctx) }},
		{"install Kudo", func() (string, error) {
			var err error
			if port, err = manager.FreePort(); err != nil {
				return "", err
			}
			n, err := install.Install(ctx, d.client, port)
			return fmt.Sprintf("%d objects, those of config/default", n), err
		}},
		{"start the manager", func() (string, error) { return "as " + install.ManagerUser, d.startManager(ctx, port) }},
		{"publish ZooKeeper", func() (string, error) { return d.publish(ctx) }},
		{"prepare a tenant", func() (string, error) { return d.makeTenant(ctx) }},
	} {
		if err := d.screen.Step(s.what, s.do); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

func (d *demo) clusterDir() string { return filepath.Join(d.dir, "cluster") }

// devcluster runs the control plane's program. Ctrl-C is for the demo alone.
func (d *demo) devcluster(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.binaries.devcluster, args...) //nolint:gosec // the program that the Makefile built
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func (d *demo) startCluster(ctx context.Context) (string, error) {
	args := []string{"up", "--dir", d.clusterDir()}
	if !d.stays {
		args = append(args, "--tied")
	}
	cmd := d.devcluster(ctx, args...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(problems.String()))
	}
	d.kubeconfig = strings.TrimSpace(string(out))
	if d.config, err = clientcmd.BuildConfigFromFlags("", d.kubeconfig); err != nil {
		return "", fmt.Errorf("reading the kubeconfig: %w", err)
	}
	d.config.QPS = -1
	d.client, err = install.NewClient(d.config)
	return "Kubernetes in one process, three simulated nodes", err
}

// startManager runs the manager with the token of its own ServiceAccount.
func (d *demo) startManager(ctx context.Context, port int) error {
	config, err := install.ManagerConfig(ctx, d.config)
	if err != nil {
		return err
	}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		return err
	}
	file := filepath.Join(d.dir, "manager.kubeconfig")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return fmt.Errorf("writing the manager's kubeconfig: %w", err)
	}
	options := manager.Options{
		Binary: d.binaries.manager, Kubeconfig: file, Log: filepath.Join(d.dir, "manager.log"), WebhookPort: port, Detached: d.stays,
	}
	if d.manager, err = manager.Launch(options); err != nil {
		return err
	}
	if err := d.manager.AwaitReady(ctx); err != nil {
		return err
	}
	return install.AwaitWebhooks(ctx, d.client)
}

// cleanUp ends what runs and removes what was written. It goes on where a part of it fails.
func (d *demo) cleanUp(ctx context.Context) error {
	if d.dir == "" {
		return nil
	}
	var errs []error
	if d.manager != nil {
		select {
		case <-d.manager.Ended(): // how it ended has been told
		default:
			errs = append(errs, d.manager.Stop())
		}
	}
	if _, err := os.Stat(d.clusterDir()); err == nil {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if out, err := d.devcluster(ctx, "down", "--dir", d.clusterDir()).CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("stopping the control plane: %w: %s", err, bytes.TrimSpace(out)))
		}
	}
	if err := os.RemoveAll(d.dir); err != nil {
		errs = append(errs, fmt.Errorf("removing %s: %w", d.dir, err))
	}
	return errors.Join(errs...)
}

// sayHowToStop is the end of a demo that stays.
func (d *demo) sayHowToStop() error {
	manifest := filepath.Join(d.dir, "zk.yaml")
	if err := d.writeObject(manifest); err != nil {
		return err
	}
	d.screen.Title("It is left running")
	d.screen.Print(
		"  export KUBECONFIG="+d.kubeconfig,
		"  "+d.binaries.devcluster+" kubectl apply -f "+manifest+"   # ZooKeeper once more",
		"  the manager's log is "+d.manager.Log,
		"Stop it:",
		fmt.Sprintf("  kill %d; %s down --dir %s; rm -r %s", d.manager.PID(), d.binaries.devcluster, d.clusterDir(), d.dir))
	return nil
}
