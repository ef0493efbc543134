// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/internal/cli"
	"kudo.dev/kudo/internal/testing/repository"
)

// operator is a fixture of the importer.
func operator(t *testing.T, name string) string {
	t.Helper()
	dir, err := repository.Path("internal", "legacy", "testdata", "operators", name)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// kudo runs the plugin in a directory of its own.
func kudo(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = cli.Main(t.Context(), "test", append([]string{"kubectl-kudo"}, args...), nil, &out, &errOut)
	return code, out.String(), errOut.String()
}

// TestImportTellsAndWrites: every note is a line that starts with a place, and the files are there.
func TestImportTellsAndWrites(t *testing.T) {
	dir := operator(t, "tasks")
	t.Chdir(t.TempDir())
	code, stdout, stderr := kudo(t, "import", "kudo", dir)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{
		filepath.Join(dir, "templates", "store.yaml") + ":1: carried differently: StatefulSet of apps/v1beta2: ",
		filepath.Join(dir, "operator.yaml") + ":5: not carried: kubernetesVersion 1.15.0: ",
		"ledger 1.2.0 was written to ledger-1.2.0: ",
		"  kubectl kudo lint ledger-1.2.0\n",
		"  kubectl kudo package manifests ledger-1.2.0 | kubectl apply",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the answer\n%s\ndoes not contain\n%s", stdout, want)
		}
	}
	if code, _, stderr := kudo(t, "package", "manifests", "ledger-1.2.0"); code != 0 {
		t.Errorf("the package is not read: %s", stderr)
	}
}

// TestImportSaysWhatBlocks: what can not be published is written all the same.
func TestImportSaysWhatBlocks(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := kudo(t, "import", "kudo", operator(t, "children"), "-o", out)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	_, blocked, found := strings.Cut(stdout, "It can not be published yet. These must be changed first:\n")
	if !found || !strings.Contains(blocked, "the Pipe task certificates") || strings.Contains(blocked, "apply --server-side") {
		t.Errorf("the answer is\n%s", stdout)
	}
	if _, err := os.Stat(filepath.Join(out, "framework.yaml")); err != nil {
		t.Error(err)
	}
}

// TestImportKeepsWhatIsThere: a directory that is not empty is written to by force only, and
// no template of an earlier import is left then.
func TestImportKeepsWhatIsThere(t *testing.T) {
	out := t.TempDir()
	old := filepath.Join(out, "templates", "old.yaml")
	if err := os.MkdirAll(filepath.Dir(old), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, []byte("a: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := kudo(t, "import", "kudo", operator(t, "tasks"), "-o", out)
	if code != 2 || !strings.Contains(stderr, "is not empty: name another directory with -o, or replace what is in it with --force") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(out, "framework.yaml")); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	if code, _, stderr := kudo(t, "import", "kudo", operator(t, "tasks"), "-o", out, "--force"); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old template is still there: %v", err)
	}
}

// TestImportAsJSON: -o takes a form beside a directory.
func TestImportAsJSON(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := kudo(t, "import", "kudo", operator(t, "children"), "-o", "json", "-o", out)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var got struct {
		Name        string           `json:"name"`
		Version     string           `json:"version"`
		Directory   string           `json:"directory"`
		Publishable bool             `json:"publishable"`
		Files       []string         `json:"files"`
		Notes       []map[string]any `json:"notes"`
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "warehouse" || got.Version != "2.0.0-rc1" || got.Directory != out || got.Publishable || len(got.Notes) == 0 {
		t.Errorf("the answer is %+v", got)
	}
	if diff := cmp.Diff([]string{"README.md", "framework.yaml", "params.yaml", "templates/app.yaml", "templates/pod.yaml"}, got.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestImportMisused: what is wrong with the call is said, with exit code 2, and the rest with 1.
func TestImportMisused(t *testing.T) {
	file := filepath.Join(operator(t, "tasks"), "operator.yaml")
	t.Chdir(t.TempDir())
	tests := map[string]struct {
		args []string
		code int
		want string
	}{
		"no directory":       {[]string{}, 2, "an argument is missing"},
		"a file":             {[]string{file}, 2, "is a file: name the directory that holds operator.yaml"},
		"nothing":            {[]string{"nowhere"}, 1, "reading the operator: stat nowhere"},
		"no operator":        {[]string{filepath.Dir(filepath.Dir(file))}, 1, "holds no operator.yaml: this is no package of KUDO 0.x"},
		"two directories":    {[]string{filepath.Dir(file), "-o", "a", "-o", "b"}, 2, `"b" is one too many`},
		"a form of the past": {[]string{filepath.Dir(file), "--toml"}, 2, "unknown flag: --toml"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := kudo(t, append([]string{"import", "kudo"}, test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d: %s", code, stderr)
			}
		})
	}
}
