// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package guide_test runs the commands of docs/guides as a newcomer would: in a shell, with
// kubectl and the plugin, on an API server with Kudo on it.
package guide_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/repository"
	"kudo.dev/kudo/internal/testing/scene"
)

func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }

// block is a piece of shell in a guide.
type block struct {
	line int
	text string
}

// blocks are all pieces of shell in a Markdown file, in order.
func blocks(t *testing.T, file string) []block {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []block
	inside := false
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		switch text := lines.Text(); {
		case text == "```sh":
			inside = true
			out = append(out, block{line: n + 1})
		case strings.HasPrefix(text, "```"):
			inside = false
		case inside:
			out[len(out)-1].text += text + "\n"
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// newcomer is a shell in an empty directory.
type newcomer struct {
	*testing.T
	dir string
	env []string
}

func newNewcomer(t *testing.T) *newcomer {
	t.Helper()
	w := scene.Get(t, nil)
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	n := &newcomer{T: t, dir: t.TempDir()}
	tools := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(tools, "kubectl-kudo"), "./cmd/kubectl-kudo")
	build.Dir = root
	build.Env = append(os.Environ(), "PWD="+root)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the plugin: %v: %s", err, out)
	}
	if err := os.Symlink(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), filepath.Join(tools, "kubectl")); err != nil {
		t.Fatal(err)
	}
	raw, err := install.Kubeconfig(w.Cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(tools, "kubeconfig")
	if err := os.WriteFile(config, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	n.env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"), "KUBECONFIG="+config, "HOME="+n.dir)
	return n
}

// run runs a piece of shell, which must succeed, and returns what it printed.
func (n *newcomer) run(b block) string {
	n.Helper()
	ctx, cancel := context.WithTimeout(n.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", b.text)
	cmd.Dir, cmd.Env = n.dir, n.env
	out, err := cmd.CombinedOutput()
	n.Logf("line %d:\n%s%s", b.line, b.text, out)
	if err != nil {
		n.Fatalf("line %d: %v", b.line, err)
	}
	return string(out)
}

// Every command of the guide works, in its order, and says what the guide says.
func TestTheGuideOfTheFirstPackage(t *testing.T) {
	n := newNewcomer(t)
	all := blocks(t, "../../../docs/guides/first-package.md")
	if len(all) < 10 {
		t.Fatalf("the guide has only %d blocks of shell", len(all))
	}
	var seen strings.Builder
	for _, b := range all {
		seen.WriteString(n.run(b))
	}
	for _, words := range []string{
		"0 errors",
		"3 tests, 0 failed",
		`parameter limit is read by no template and no expression`,
		"web-0.1.0.tar: web 0.1.0",
		"web/main is ready",
		"update configmap/main",
		"deployment/main, its pods are replaced",
		"Invalid value: 99: must be at most 20",
		"update deployment/example, its pods are replaced",
		"web/main is gone",
	} {
		if !strings.Contains(seen.String(), words) {
			t.Errorf("nothing printed %q", words)
		}
	}
}
