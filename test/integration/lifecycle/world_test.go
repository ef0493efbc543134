// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lifecycle_test runs Instances from their creation to their end on a real API
// server, with the manager in a process of its own and workloads played.
package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
	"kudo.dev/kudo/internal/testing/workload"
)

// world is an API server with Kudo on it, shared by the tests of this package.
type world struct {
	cluster *cluster.Cluster
	player  *workload.Player
	options manager.Options
	process *manager.Process
	dir     string
	// acts says what happens to workloads, by "<namespace>/<kind>".
	acts sync.Map
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
	if w.dir, err = os.MkdirTemp("", "kudo-lifecycle-"); err != nil {
		return err
	}
	binary, err := manager.Build(ctx, w.dir)
	if err != nil {
		return err
	}
	if w.cluster, err = cluster.Start(); err != nil {
		return err
	}
	port, err := manager.FreePort()
	if err != nil {
		return err
	}
	if _, err = install.Install(ctx, w.cluster.Client, port); err != nil {
		return err
	}
	if w.player, err = workload.Start(ctx, w.cluster.Config); err != nil {
		return err
	}
	if err := w.player.Set(ctx, w.rule); err != nil {
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
	w.options = manager.Options{
		Binary: binary, Kubeconfig: filepath.Join(w.dir, "kubeconfig"), Log: filepath.Join(w.dir, "manager.log"), WebhookPort: port,
	}
	if err := os.WriteFile(w.options.Kubeconfig, raw, 0o600); err != nil {
		return err
	}
	if w.process, err = manager.Start(ctx, w.options); err != nil {
		return err
	}
	if err := install.AwaitWebhooks(ctx, w.cluster.Client); err != nil {
		return err
	}
	return w.publish(ctx)
}

// rule plays everything but what a test holds or lets fail in its namespace.
func (w *world) rule(o client.Object) workload.Act {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", o), "*")
	kind = kind[strings.LastIndex(kind, ".")+1:]
	if act, set := w.acts.Load(o.GetNamespace() + "/" + kind); set {
		return act.(workload.Act)
	}
	return workload.ByAnnotation(o)
}

func (w *world) stop() error {
	var errs []error
	if w.process != nil {
		errs = append(errs, w.process.Stop())
	}
	if w.player != nil {
		errs = append(errs, w.player.Stop())
	}
	if w.cluster != nil {
		errs = append(errs, w.cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

var counter atomic.Int32

// unique is a name that no other test has.
func unique(prefix string) string { return fmt.Sprintf("%s%d", prefix, counter.Add(1)) }

// admin is the client of who may do anything that Kudo itself does not refuse.
func (w *world) admin() client.WithWatch { return w.cluster.Client }
