// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admission_test asks a real API server, with Kudo's CRDs, webhooks and
// policies, for everything that must be refused, and asserts who refuses it and in
// which words.
package admission_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
)

// world is an API server with Kudo on it, shared by the tests of this package.
type world struct {
	cluster *cluster.Cluster
	process *manager.Process
	port    int
	dir     string
}

var shared struct {
	once  sync.Once
	world *world
	err   error
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	code := m.Run()
	if shared.world != nil {
		if err := shared.world.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// theWorld starts the world for the first test that needs it.
func theWorld(t *testing.T) *world {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS is not set: this test needs an API server (make test-integration)")
	}
	shared.once.Do(func() {
		shared.world = &world{}
		shared.err = shared.world.start(context.Background())
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.world
}

func (w *world) start(ctx context.Context) error {
	var err error
	if w.dir, err = os.MkdirTemp("", "kudo-admission-"); err != nil {
		return err
	}
	binary, err := manager.Build(ctx, w.dir)
	if err != nil {
		return err
	}
	if w.cluster, err = cluster.Start(); err != nil {
		return err
	}
	if w.port, err = manager.FreePort(); err != nil {
		return err
	}
	if _, err = install.Install(ctx, w.cluster.Client, w.port); err != nil {
		return err
	}
	config, err := install.ManagerConfig(ctx, w.cluster.Config)
	if err != nil {
		return err
	}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		return err
	}
	options := manager.Options{
		Binary: binary, Kubeconfig: filepath.Join(w.dir, "kubeconfig"), Log: filepath.Join(w.dir, "manager.log"), WebhookPort: w.port,
	}
	if err := os.WriteFile(options.Kubeconfig, raw, 0o600); err != nil {
		return err
	}
	if w.process, err = manager.Start(ctx, options); err != nil {
		return err
	}
	return install.AwaitWebhooks(ctx, w.cluster.Client)
}

func (w *world) stop() error {
	var errs []error
	if w.process != nil {
		errs = append(errs, w.process.Stop())
	}
	if w.cluster != nil {
		errs = append(errs, w.cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

var counter atomic.Int32

// unique is a name that no other test has.
func unique(prefix string) string { return fmt.Sprintf("%s%d", prefix, counter.Add(1)) }

// account is what Instances run as in the tenants' namespaces.
const account = "deployer"

// tenant makes a namespace with an account that may do what the tests' versions need.
func (w *world) tenant(t *testing.T) string {
	t.Helper()
	ns := unique("team-")
	tenant := install.Tenant{Namespace: ns, Account: account, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "create", "patch", "delete"},
	}}}
	if err := tenant.Apply(t.Context(), w.cluster.Client); err != nil {
		t.Fatal(err)
	}
	return ns
}

// admin is the client of who may do anything that Kudo itself does not refuse.
func (w *world) admin() client.WithWatch { return w.cluster.Client }
