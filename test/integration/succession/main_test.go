// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package succession_test has one manager follow another: a newer an older one, over
// Instances at rest and in the middle of a plan, and a standby a leader that crashed or
// was stopped.
package succession_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/repository"
	"kudo.dev/kudo/internal/testing/scene"
)

// pinned is the commit of the older manager.
const pinned = "769e97008fdf"

// live is what the manager of that commit leaves in this very run.
const live cast = "live"

const tick = 50 * time.Millisecond

var update = flag.Bool("update", false, "record what the manager of the pinned commit leaves")

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	code := m.Run()
	if shared.world != nil {
		if err := shared.world.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

var shared struct {
	once  sync.Once
	world *scene.World
	err   error
	// older says why there is no older manager; nil if there was one.
	older error
	// from is when the newer manager took over.
	from cluster.Mark
}

// taken is the world after the newer manager has taken over.
func taken(t *testing.T) *scene.World {
	t.Helper()
	scene.Need(t)
	shared.once.Do(func() { shared.err = takeOver(context.Background()) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.world
}

// takeOver has the older manager leave all scenarios, puts those of the recordings beside
// them, and starts the newer manager in its place.
func takeOver(ctx context.Context) error {
	w, err := scene.Bare()
	if err != nil {
		return err
	}
	shared.world = w
	w.Options.Args = []string{"--leader-elect"}
	root, err := repository.Root()
	if err != nil {
		return err
	}
	// The newer one is built while the older one works.
	binary := sync.OnceValues(func() (string, error) { return w.Build(ctx, root) })
	go func() { _, _ = binary() }()
	older, err := checkout(ctx, root, w.Dir())
	shared.older = err
	if err == nil {
		if err := leave(ctx, w, older); err != nil {
			return err
		}
	}
	newer, err := binary()
	if err != nil {
		return err
	}
	if err := w.Install(ctx, root, newer); err != nil {
		return err
	}
	if w.Player == nil {
		if err := w.Play(ctx); err != nil {
			return err
		}
	}
	if !*update {
		if err := restoreAll(ctx, w); err != nil {
			return err
		}
	}
	if err := openGates(ctx, w); err != nil {
		return err
	}
	if shared.from, err = w.Cluster.Audit.Now(); err != nil {
		return err
	}
	return w.Manage(ctx)
}

// leave runs the older manager until it has left everything, and stops it in order.
func leave(ctx context.Context, w *scene.World, older string) error {
	binary, err := w.Build(ctx, older)
	if err != nil {
		return err
	}
	if err := w.Install(ctx, older, binary); err != nil {
		return err
	}
	if err := w.Play(ctx); err != nil {
		return err
	}
	if err := w.Manage(ctx); err != nil {
		return err
	}
	c := live
	if *update {
		c = recorded
	}
	if err := c.perform(ctx, w); err != nil {
		return err
	}
	if err := w.Process.Stop(); err != nil {
		return err
	}
	w.Process = nil
	if *update {
		return c.record(ctx, w)
	}
	return nil
}

// checkout writes the source tree of the pinned commit to a directory.
func checkout(ctx context.Context, root, dir string) (string, error) {
	git := exec.CommandContext(ctx, "git", "-C", root, "cat-file", "-e", pinned+"^{commit}")
	if out, err := git.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the commit %s can not be read here, for example in a shallow clone: %w: %s", pinned, err, out)
	}
	to, tar := filepath.Join(dir, "older"), filepath.Join(dir, "older.tar")
	if err := os.Mkdir(to, 0o755); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"git", "-C", root, "archive", "--format=tar", "--output=" + tar, pinned}, {"tar", "-x", "-C", to, "-f", tar},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", errors.Join(fmt.Errorf("reading the commit %s: %w: %s", pinned, err, out), os.RemoveAll(to))
		}
	}
	return to, nil
}
