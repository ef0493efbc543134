// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"os"
	"testing"
)

func TestPath(t *testing.T) {
	path, err := Path("config", "overlays", "dev", "kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestOutside(t *testing.T) {
	t.Chdir(os.TempDir())
	if root, err := Root(); err == nil {
		t.Errorf("found %s above a directory outside", root)
	}
}
