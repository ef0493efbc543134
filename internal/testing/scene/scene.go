// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scene gives integration tests what most of them need: an API server with Kudo
// on it, under the roles of config/default, the manager as a process of its own, and
// workloads that are played. The tests of a package share one:
//
//	func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }
//	func TestX(t *testing.T)    { w := scene.Get(t, nil) }
package scene

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
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
	"kudo.dev/kudo/internal/testing/repository"
	"kudo.dev/kudo/internal/testing/workload"
)

// World is an API server with Kudo on it.
type World struct {
	// Cluster is the API server.
	Cluster *cluster.Cluster
	// Player plays the workloads.
	Player *workload.Player
	// Options are what the manager is started with.
	Options manager.Options
	// Process is the manager.
	Process *manager.Process

	dir  string
	acts sync.Map
}

var shared struct {
	once  sync.Once
	world *World
	err   error
}

// Run runs the tests of a package and stops the world that they shared, if any.
func Run(m *testing.M) int {
	ctrl.SetLogger(logr.Discard())
	code := m.Run()
	if shared.world != nil {
		if err := shared.world.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return max(code, 1)
		}
	}
	return code
}

// Get returns the world of the package's tests, or skips the test where there is no API
// server. The first test that asks has it prepared.
func Get(t testing.TB, prepare func(context.Context, *World) error) *World {
	t.Helper()
	Need(t)
	shared.once.Do(func() {
		ctx := context.Background()
		if shared.world, shared.err = Start(ctx); shared.err == nil && prepare != nil {
			shared.err = prepare(ctx, shared.world)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.world
}

// Need skips a test where no API server can be started.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS is not set: this test needs an API server (make test-integration)")
	}
}

// Start starts a world with the manager of this source tree in it. Call Stop when done.
func Start(ctx context.Context) (*World, error) {
	root, err := repository.Root()
	if err != nil {
		return nil, err
	}
	w, err := Bare()
	if err != nil {
		return nil, err
	}
	if err := w.start(ctx, root); err != nil {
		return nil, errors.Join(err, w.Stop())
	}
	return w, nil
}

func (w *World) start(ctx context.Context, root string) error {
	binary, err := w.Build(ctx, root)
	if err != nil {
		return err
	}
	if err := w.Install(ctx, root, binary); err != nil {
		return err
	}
	if err := w.Play(ctx); err != nil {
		return err
	}
	return w.Manage(ctx)
}

// Bare starts an API server with nothing on it.
func Bare() (*World, error) {
	dir, err := os.MkdirTemp("", "kudo-world-")
	if err != nil {
		return nil, fmt.Errorf("starting a world: %w", err)
	}
	w := &World{dir: dir}
	if w.Cluster, err = cluster.Start(); err != nil {
		return nil, errors.Join(err, w.Stop())
	}
	port, err := manager.FreePort()
	if err != nil {
		return nil, errors.Join(err, w.Stop())
	}
	w.Options = manager.Options{WebhookPort: port, Log: filepath.Join(dir, "manager.log")}
	return w, nil
}

// Build builds the manager of a source tree, and returns the path of the binary.
func (w *World) Build(ctx context.Context, root string) (string, error) {
	dir, err := os.MkdirTemp(w.dir, "build-")
	if err != nil {
		return "", fmt.Errorf("building a manager: %w", err)
	}
	return manager.BuildFrom(ctx, root, dir)
}

// Install installs what stands in the config of a source tree, over whatever is installed
// already, for the manager that was built from it. It does not run that.
func (w *World) Install(ctx context.Context, root, binary string) error {
	if _, err := install.From(ctx, w.Cluster.Client, root, w.Options.WebhookPort); err != nil {
		return err
	}
	var err error
	w.Options.Binary = binary
	w.Options.Kubeconfig, err = w.Login(ctx)
	return err
}

// Login writes a kubeconfig that acts as the manager's account, with a token of its own.
func (w *World) Login(ctx context.Context) (string, error) {
	config, err := install.ManagerConfig(ctx, w.Cluster.Config)
	if err != nil {
		return "", err
	}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp(w.dir, "kubeconfig-")
	if err != nil {
		return "", fmt.Errorf("writing a kubeconfig: %w", err)
	}
	_, err = file.Write(raw)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return file.Name(), nil
}

// Manage starts the manager and waits until its webhooks are called.
func (w *World) Manage(ctx context.Context) error {
	var err error
	if w.Process, err = manager.Start(ctx, w.Options); err != nil {
		return err
	}
	return install.AwaitWebhooks(ctx, w.Admin())
}

// Stop ends everything and removes its files.
func (w *World) Stop() error {
	var errs []error
	if w.Process != nil {
		errs = append(errs, w.Process.Stop())
	}
	if w.Player != nil {
		errs = append(errs, w.Player.Stop())
	}
	if w.Cluster != nil {
		errs = append(errs, w.Cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

// Dir is where files of the world may stand: they go with it.
func (w *World) Dir() string { return w.dir }

// Admin is the client of who may do anything that Kudo itself does not refuse.
func (w *World) Admin() client.WithWatch { return w.Cluster.Client }

var counter atomic.Int32

// Unique is a name that no other test of the package has.
func Unique(prefix string) string { return fmt.Sprintf("%s%d", prefix, counter.Add(1)) }
