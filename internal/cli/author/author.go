// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package author holds the commands for those who write packages.
package author

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/pack"
)

// Group is the id of the commands in the help.
const Group = "author"

// Commands are those of this package.
func Commands(env *command.Env) []*cobra.Command {
	all := []*cobra.Command{
		newPackage(env),
		newGenerate(env),
	}
	for _, c := range all {
		c.GroupID = Group
	}
	return all
}

// load reads the package in a directory.
func load(dir string) (*pack.Package, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return nil, command.Misuse("%s is a file: name the directory that holds framework.yaml", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the package: %w", err)
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", dir, err)
	}
	p, err := pack.Load(os.DirFS(full), ".")
	if err != nil {
		return nil, fmt.Errorf("reading the package %s:\n%w", dir, err)
	}
	return p, nil
}
