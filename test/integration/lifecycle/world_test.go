// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lifecycle_test runs Instances from their creation to their end on a real API
// server, with the manager in a process of its own and workloads played.
package lifecycle_test

import (
	"context"
	"os"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/scene"
)

func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }

// world is that of this package, with the frameworks that its tests use.
type world struct{ *scene.World }

func theWorld(t *testing.T) *world {
	t.Helper()
	return &world{scene.Get(t, func(ctx context.Context, w *scene.World) error { return (&world{w}).publish(ctx) })}
}

func unique(prefix string) string { return scene.Unique(prefix) }

// admin is the client of who may do anything that Kudo itself does not refuse.
func (w *world) admin() client.WithWatch { return w.Admin() }
