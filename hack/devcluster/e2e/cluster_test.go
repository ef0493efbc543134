// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the built binary, given by the environment variable DEVCLUSTER_BIN.
package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// cluster is a cluster that ends with its test, or with the test process.
type cluster struct {
	kubernetes.Interface
	bin, dir, kubeconfig string
}

func start(t *testing.T, flags ...string) *cluster {
	t.Helper()
	bin := os.Getenv("DEVCLUSTER_BIN")
	if bin == "" {
		t.Skip("DEVCLUSTER_BIN is not set: give the path of a built devcluster")
	}
	c := &cluster{bin: bin, dir: filepath.Join(t.TempDir(), "cluster")}
	t.Cleanup(func() { c.run(t, "down") })
	c.up(t, flags...)
	return c
}

func (c *cluster) up(t *testing.T, flags ...string) {
	t.Helper()
	c.kubeconfig = strings.TrimSpace(c.run(t, append([]string{"up", "--tied"}, flags...)...))
	cfg, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig)
	if err != nil {
		t.Fatalf("up printed no kubeconfig: %v", err)
	}
	if c.Interface, err = kubernetes.NewForConfig(cfg); err != nil {
		t.Fatal(err)
	}
}

// run runs a command of devcluster and returns what it printed to stdout.
func (c *cluster) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.try(args...)
	if err != nil {
		t.Fatalf("devcluster %v: %v", args, err)
	}
	return out
}

func (c *cluster) try(args ...string) (string, error) {
	cmd := exec.Command(c.bin, append(args, "--dir", c.dir)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	err := cmd.Run()
	return out.String(), err
}

// eventually fails the test if the condition does not come true in time.
func eventually(t *testing.T, within time.Duration, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var last error
	for ctx.Err() == nil {
		ok, err := condition(ctx)
		if ok {
			return
		}
		if ctx.Err() == nil {
			last = err
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not within %s: %s (last error: %v)", within, what, last)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
