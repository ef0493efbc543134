// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kudo.dev/kudo/internal/testing/repository"
)

// edit is a textual change of a source file.
type edit struct{ file, old, new string }

// build builds the manager from the sources as they are, but for the edits. The sources
// themselves are not touched: the compiler reads the edited copies in their place.
func build(t *testing.T, edits ...edit) string {
	t.Helper()
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "manager")
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", binary}
	if len(edits) > 0 {
		args = append(args, "-overlay", overlay(t, root, dir, edits))
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, ".")...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the manager: %v\n%s", err, out)
	}
	return binary
}

// overlay writes the edited copies and the file that tells the compiler of them.
func overlay(t *testing.T, root, dir string, edits []edit) string {
	t.Helper()
	replace := map[string]string{}
	for i, e := range edits {
		path := filepath.Join(root, e.file)
		source := path
		if copied, again := replace[path]; again {
			source = copied
		}
		raw, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(raw), e.old) != 1 {
			t.Fatalf("%s does not hold exactly once what the mutant replaces, %q: adapt the mutant", e.file, e.old)
		}
		replace[path] = filepath.Join(dir, strconv.Itoa(i)+".go")
		if err := os.WriteFile(replace[path], []byte(strings.Replace(string(raw), e.old, e.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
