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

	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
	"kudo.dev/kudo/internal/testing/workload"
)

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
	// revive starts again what a fault has crashed.
	revive func(context.Context) error
	// held are namespaces in which no Job ends.
	held sync.Map
	// lenient does not ask what the log says of other runs.
	lenient bool

	mu      sync.Mutex
	process *manager.Process
	second  *manager.Process
	// starts are how long each start of the manager took until it was ready.
	starts []time.Duration
}

// newHarness starts a manager from a binary and publishes the framework. If apart, the
// webhooks are served by another manager, which never leads.
func newHarness(t *testing.T, c *cluster.Cluster, binary, prefix string, apart bool, env ...string) *harness {
	t.Helper()
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
	h.proxy.strike = func(f *fault, x *exchange) { f.strike(h, x) }
	t.Cleanup(h.proxy.close)
	h.player, err = workload.Start(context.WithoutCancel(t.Context()), c.Config)
	must(err)
	t.Cleanup(func() {
		if err := h.player.Stop(); err != nil {
			t.Error("the player of workloads:", err)
		}
	})
	must(h.player.Set(t.Context(), h.failing))
	dir := t.TempDir()
	h.options = manager.Options{
		Binary: binary, Kubeconfig: filepath.Join(dir, "kubeconfig"), Log: filepath.Join(dir, "manager.log"), WebhookPort: port,
		Args: []string{"--zap-time-encoding=rfc3339nano"}, Env: env,
	}
	must(h.writeKubeconfig(t.Context()))
	t.Cleanup(func() { must(errors.Join(h.kill(), h.killSecond())) })
	if apart {
		h.serveWebhooks(t, dir)
		h.options.Args = append(h.options.Args, "--webhooks=false")
	}
	must(h.start(t.Context()))
	must(install.AwaitWebhooks(t.Context(), c.Client))
	must(h.publish(t.Context()))
	return h
}

// serveWebhooks starts a manager that waits for a lease for ever, and serves the webhooks
// meanwhile: in the way of no fault.
func (h *harness) serveWebhooks(t *testing.T, dir string) {
	t.Helper()
	holder, forever, now := "nobody", int32(24*60*60), metav1.NowMicro()
	err := h.cluster.Client.Create(t.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: "kudo-manager.kudo.dev"},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &forever, AcquireTime: &now, RenewTime: &now},
	})
	if client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
	config, err := install.ManagerConfig(t.Context(), h.cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		t.Fatal(err)
	}
	options := h.options
	options.Kubeconfig, options.Log = filepath.Join(dir, "webhooks"), filepath.Join(dir, "webhooks.log")
	options.Args = append(options.Args, "--leader-elect")
	if err := os.WriteFile(options.Kubeconfig, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := manager.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
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
		return nil, fmt.Errorf("reading the manager's log: %w", err)
	}
	out := make([]byte, max(h.logSize()-from, 0))
	_, err = file.ReadAt(out, from)
	return out, errors.Join(err, file.Close())
}
