// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package repository finds the files of this repository from within its tests
// and tools. With -trimpath a program does not know where its source lies, so
// the way is up from the working directory.
package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// module is the first line of the go.mod that marks the root; the repository holds
// other modules below it.
const module = "module kudo.dev/kudo"

// Root returns the absolute path of the repository that the working directory lies in.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for start := dir; ; {
		raw, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		switch line, _, _ := strings.Cut(string(raw), "\n"); {
		case err == nil && strings.TrimSpace(line) == module:
			return dir, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("finding the repository: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("finding the repository: no directory above %s holds the go.mod of Kudo", start)
		}
		dir = parent
	}
}

// Path returns the absolute path of a file of the repository, given by its parts.
func Path(parts ...string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{root}, parts...)...), nil
}
