// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sample has packages of frameworks that tests make things from: a real one, and one
// that has everything in it that a package can have.
package sample

import (
	"embed"
	"io/fs"
	"os"
	"testing"

	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/testing/repository"
)

//go:embed wide
var wide embed.FS

// Wide has a parameter of every form, and plans with everything that plans can hold.
func Wide(t testing.TB) *generate.Source {
	t.Helper()
	dir, err := fs.Sub(wide, "wide")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, dir)
}

// ZooKeeper is the framework of the catalogue, in a version.
func ZooKeeper(t testing.TB, version string) *generate.Source {
	t.Helper()
	dir, err := repository.Path("frameworks", "zookeeper", version)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, os.DirFS(dir))
}

func load(t testing.TB, dir fs.FS) *generate.Source {
	t.Helper()
	p, err := pack.Load(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	s, err := generate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
