// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/golden"
)

const (
	zookeepers   = "../../../frameworks/zookeeper/"
	zookeeper    = zookeepers + "3.9.3"
	oldZookeeper = zookeepers + "3.8.4"
)

// run runs a command of this package and returns what it wrote.
func run(t *testing.T, args ...string) (out, errOut string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := command.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: &stdout, ErrOut: &stderr})
	root := &cobra.Command{Use: "kubectl-kudo", SilenceErrors: true, SilenceUsage: true}
	root.AddGroup(&cobra.Group{ID: Group})
	env.AddFlags(root)
	root.AddCommand(Commands(env)...)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, _, err := run(t, args...)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return out
}

// refused runs a command that must fail, with these words.
func refused(t *testing.T, words string, args ...string) {
	t.Helper()
	if _, _, err := run(t, args...); err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: error %v, want the words %q", strings.Join(args, " "), err, words)
	}
}

func TestRender(t *testing.T) {
	tests := map[string][]string{
		"render-deploy.txt":  {"-o", "name"},
		"render-resize.txt":  {"--plan", "update", "--old-set", "nodeCount=3", "--set", "nodeCount=5", "-o", "name"},
		"render-upgrade.txt": {"--old", oldZookeeper, "-o", "name"},
		"render-cleanup.txt": {"--plan", "cleanup", "--name", "zk", "-n", "team"},
		"render-diff.txt":    {"--diff", "--old-set", "memory=1Gi", "--set", "memory=2Gi"},
	}
	for name, args := range tests {
		t.Run(name, func(t *testing.T) {
			golden.Compare(t, "testdata/"+name, must(t, append([]string{"render", zookeeper}, args...)...))
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	refused(t, "parameters.nodeCount: Invalid value: 4: must be one of 1, 3, 5, 7", "render", zookeeper, "--set", "nodeCount=4")
	refused(t, `has no plan "nope"`, "render", zookeeper, "--plan", "nope")
	refused(t, "--diff needs what ran before", "render", zookeeper, "--diff")
	refused(t, "-o nope is not known here: use one of json, yaml, name", "render", zookeeper, "-o", "nope")
	refused(t, "is no package", "render", "author.go")
}

// What is pushed can be rendered and published from the registry, pinned by its digest.
func TestAPackageThroughARegistry(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	repository := "oci://" + strings.TrimPrefix(server.URL, "http://") + "/team/zookeeper"
	dir := t.TempDir()
	file := filepath.Join(dir, "zk.tar")

	var built, pushed packed
	decode(t, must(t, "package", "build", zookeeper, "-f", file, "-o", "json"), &built)
	decode(t, must(t, "package", "push", file, repository, "-o", "json"), &pushed)
	if built.Digest != pushed.Digest || built.Archive != pushed.Archive || pushed.Reference != repository+":3.9.3@"+built.Digest {
		t.Errorf("built %+v, pushed %+v", built, pushed)
	}
	want := must(t, "package", "manifests", zookeeper)
	for _, from := range []string{file, pushed.Reference, repository + ":3.9.3", repository + "@" + built.Digest} {
		if got := must(t, "package", "manifests", from); got != want {
			t.Errorf("the manifests of %s differ:\n%s", from, cmp.Diff(want, got))
		}
	}
	pulled := filepath.Join(dir, "pulled")
	must(t, "package", "pull", pushed.Reference, "-d", pulled)
	var again packed
	decode(t, must(t, "package", "build", pulled, "-f", filepath.Join(dir, "again.tar"), "-o", "json"), &again)
	if again.Digest != built.Digest {
		t.Errorf("what was pulled has the digest %s, want %s", again.Digest, built.Digest)
	}
	refused(t, "is not empty", "package", "pull", pushed.Reference, "-d", pulled)
	refused(t, "kubectl kudo package push", "package", "manifests", repository+":nope")
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("decoding %q: %v", text, err)
	}
}

// A package that a cluster would refuse does not become an archive.
func TestBuildChecks(t *testing.T) {
	dir := t.TempDir()
	text := "framework: {name: bad}\nversion:\n  version: 1.0.0\n  tasks: [{name: a, apply: {templates: [gone.yaml]}}]\n"
	if err := os.WriteFile(filepath.Join(dir, "framework.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "gone.yaml", "package", "build", dir, "-f", filepath.Join(dir, "out.tar"))
	if _, err := os.Stat(filepath.Join(dir, "out.tar")); err == nil {
		t.Error("an archive was written")
	}
}

// An author's first hour: begin, add, test. What would break the package is not added.
func TestInitAndAdd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "web")
	must(t, "init", "web", "-d", dir)
	refused(t, "is not empty", "init", "web", "-d", dir)
	add := func(args ...string) []string { return append(append([]string{"add"}, args...), "-d", dir) }
	must(t, add("parameter", "port", "--type", "integer", "--default", "8080", "--description", "Port of the server.")...)
	must(t, add("template", "save.yaml", "--kind", "job")...)
	must(t, add("task", "save", "--job", "save.yaml")...)
	must(t, add("plan", "backup", "--task", "save", "--description", "Saves the data.")...)
	must(t, add("test", "backup", "--plan", "backup")...)
	must(t, add("test", "small", "--set", "replicas=1")...)
	refused(t, `there is already "port"`, add("parameter", "port")...)
	refused(t, "nothing was added", add("parameter", "wrong", "--type", "integer", "--default", "x")...)
	refused(t, `gone.yaml`, add("task", "gone", "--apply", "gone.yaml")...)
	refused(t, "is there already", add("template", "save.yaml", "--kind", "job")...)
	refused(t, "there is no beginning for the kind", add("template", "x.yaml", "--kind", "pod")...)

	out := must(t, "test", dir)
	if !strings.HasSuffix(out, "4 tests, 0 failed\n") {
		t.Error(out)
	}
	if out := must(t, "render", dir, "--plan", "backup", "-o", "name"); out != "main/save/save job job/example-save\n" {
		t.Errorf("the plan that was added renders %q", out)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "framework.yaml"))
	if err != nil || !strings.Contains(string(raw), "# Until it says false") {
		t.Errorf("comments are lost: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tests", "wrong.yaml"), []byte("expect: {plan: update}"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err = run(t, "test", dir)
	if !errors.Is(err, command.ErrFindings) || !strings.Contains(out, "expect.plan: plan deploy runs, not update") {
		t.Errorf("a test that fails: %v\n%s", err, out)
	}
}
