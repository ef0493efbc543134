// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"kudo.dev/kudo/internal/testing/repository"
)

// Build builds the manager of this repository into a directory, with the flags of the
// environment and the given build tags, and returns the path of the binary.
func Build(ctx context.Context, dir string, tags ...string) (string, error) {
	root, err := repository.Root()
	if err != nil {
		return "", err
	}
	return BuildFrom(ctx, root, dir, tags...)
}

// BuildFrom builds the manager of another source tree, as Build does.
func BuildFrom(ctx context.Context, root, dir string, tags ...string) (string, error) {
	binary := filepath.Join(dir, "manager")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", strings.Join(tags, ","), "-o", binary, ".") //nolint:gosec // tags of the test
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "PWD="+root)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the manager: %w: %s", err, out)
	}
	return binary, nil
}
