// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
	"kudo.dev/kudo/internal/testing/workload"
)

// summary is what is said at the very end.
var summary []string

func TestMain(m *testing.M) {
	code := cluster.Run(m)
	for _, line := range summary {
		fmt.Println(line)
	}
	os.Exit(code)
}

// patience is longer than any run takes that ends at all, retries included.
const patience = 30 * time.Second

// harness is an API server, a player of workloads, and a manager behind a proxy.
type harness struct {
	cluster *cluster.Cluster
	player  *workload.Player
	proxy   *proxy
	options manager.Options
	// rules are what the tenants' accounts may do.
	rules []rbacv1.PolicyRule
	// prefix of the namespaces.
	prefix string
	// since is when the harness came to be, in the audit log.
	since cluster.Mark

	mu      sync.Mutex
	process *manager.Process
	// starts are how long each start of the manager took until it was ready.
	starts []time.Duration
}

// newHarness starts a manager from a binary and publishes the framework.
func newHarness(t *testing.T, binary, prefix string) *harness {
	t.Helper()
	c := cluster.Get(t)
	if c.Audit == nil {
		t.Skip("the harness reads the audit log of an API server of its own")
	}
	h := &harness{cluster: c, prefix: prefix}
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	var err error
	h.since, err = c.Audit.Now()
	must(err)
	port, err := manager.FreePort()
	must(err)
	_, err = install.Install(t.Context(), c.Client, port)
	must(err)
	h.proxy, err = newProxy(c.Config)
	must(err)
	t.Cleanup(h.proxy.close)
	h.player, err = workload.Start(context.WithoutCancel(t.Context()), c.Config)
	must(err)
	t.Cleanup(func() {
		if err := h.player.Stop(); err != nil {
			t.Error("the player of workloads:", err)
		}
	})
	dir := t.TempDir()
	h.options = manager.Options{
		Binary: binary, Kubeconfig: filepath.Join(dir, "kubeconfig"), Log: filepath.Join(dir, "manager.log"), WebhookPort: port, Args: []string{"--zap-time-encoding=rfc3339nano"},
	}
	must(h.writeKubeconfig(t.Context()))
	t.Cleanup(func() { must(h.kill()) })
	must(h.start(t.Context()))
	must(install.AwaitWebhooks(t.Context(), c.Client))
	must(h.publish(t.Context()))
	return h
}

// writeKubeconfig names the proxy where the API server would be named.
func (h *harness) writeKubeconfig(ctx context.Context) error {
	config, err := install.ManagerConfig(ctx, h.cluster.Config)
	if err != nil {
		return err
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.proxy.server.Certificate().Raw})
	config.Host, config.TLSClientConfig = h.proxy.server.URL, rest.TLSClientConfig{CAData: certificate}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		return err
	}
	return os.WriteFile(h.options.Kubeconfig, raw, 0o600)
}

// start starts the manager and waits until it is ready.
func (h *harness) start(ctx context.Context) error {
	begun := time.Now()
	p, err := manager.Launch(h.options)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.process = p
	h.mu.Unlock()
	if err := p.AwaitReady(ctx); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starts = append(h.starts, time.Since(begun))
	return nil
}

// kill ends the manager as a crash would.
func (h *harness) kill() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.process == nil {
		return nil
	}
	return h.process.Kill()
}

// startup is the mean time that the manager needs until it is ready.
func (h *harness) startup() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	var sum time.Duration
	for _, s := range h.starts {
		sum += s
	}
	return (sum / time.Duration(max(len(h.starts), 1))).Round(time.Millisecond)
}

// logSize is a moment in the manager's log.
func (h *harness) logSize() int64 {
	info, err := os.Stat(h.options.Log)
	if err != nil {
		return 0
	}
	return info.Size()
}

// logSince returns what the manager has logged since a moment.
func (h *harness) logSince(from int64) ([]byte, error) {
	file, err := os.Open(h.options.Log)
	if err != nil {
		return nil, err
	}
	out := make([]byte, h.logSize()-from)
	_, err = file.ReadAt(out, from)
	return out, errors.Join(err, file.Close())
}
