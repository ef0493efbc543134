// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/generate"
)

// desk is a directory with a generated set.
type desk struct {
	*testing.T
	dir string
}

// runGenerate calls `generate` with the arguments and gives what it said; failed says whether it
// ended with findings.
func runGenerate(t *testing.T, args ...string) (said string, err error) {
	t.Helper()
	var out bytes.Buffer
	env := command.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out})
	cmd := newGenerate(env)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	env.AddFlags(cmd)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// expect runs `generate rbac` for a version of ZooKeeper.
func (d desk) expect(version string, findings bool, words string, flags ...string) {
	d.Helper()
	said, err := runGenerate(d.T, append([]string{"rbac", zookeepers + version, "-o", d.dir}, flags...)...)
	if errors.Is(err, command.ErrFindings) != findings || err != nil && !findings {
		d.Errorf("%v: error %v", flags, err)
	}
	if !strings.Contains(said, words) || words == "" && said != "" {
		d.Errorf("%v said:\n%swant %q", flags, said, words)
	}
}

func (d desk) write(name, content string) {
	d.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600); err != nil {
		d.Fatal(err)
	}
}

func (d desk) read(name string) string {
	d.Helper()
	raw, err := os.ReadFile(filepath.Join(d.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		d.Fatal(err)
	}
	return string(raw)
}

func newDesk(t *testing.T) desk {
	t.Helper()
	d := desk{t, filepath.Join(t.TempDir(), "deep", "out")}
	d.expect("3.9.3", false, "created  "+d.dir+"/role.yaml")
	return d
}

func TestGenerateTwiceIsUpToDate(t *testing.T) {
	d := newDesk(t)
	before := d.read(generate.ManifestName) + d.read("role.yaml")
	d.expect("3.9.3", false, "is up to date")
	d.expect("3.9.3", false, "", "--check")
	if diff := cmp.Diff(before, d.read(generate.ManifestName)+d.read("role.yaml")); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestCheckListsWhatDiffers(t *testing.T) {
	d := newDesk(t)
	old := d.read("role.yaml")
	d.write("account.yaml", "mine")
	if err := os.Remove(filepath.Join(d.dir, "kustomization.yaml")); err != nil {
		t.Fatal(err)
	}
	said, err := runGenerate(t, "rbac", zookeepers+"3.8.4", "-o", d.dir, "--check")
	if !errors.Is(err, command.ErrFindings) {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"account.yaml: edited\n", "kustomization.yaml: missing\n", "role.yaml: outdated\n", "without --check"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in:\n%s", want, said)
		}
	}
	if d.read("role.yaml") != old || d.read("kustomization.yaml") != "" {
		t.Error("--check wrote something")
	}
	empty := desk{t, t.TempDir()}
	empty.expect("3.9.3", true, generate.ManifestName+": missing", "--check")
	if left, err := os.ReadDir(empty.dir); err != nil || len(left) > 0 {
		t.Errorf("--check left %v (%v)", left, err)
	}
}

// An edit is kept and reported, as long as it is there; --force loses it.
func TestEditsByHandAreKept(t *testing.T) {
	d := newDesk(t)
	fresh := d.read("role.yaml")
	d.write("role.yaml", "mine")
	for range 2 {
		d.expect("3.9.3", true, "kept     "+d.dir+"/role.yaml (edited)")
		d.expect("3.9.3", true, "role.yaml: edited", "--check")
	}
	if d.read("role.yaml") != "mine" {
		t.Error("the edit is lost")
	}
	d.expect("3.9.3", false, "replaced "+d.dir+"/role.yaml", "--force")
	if d.read("role.yaml") != fresh {
		t.Error("--force did not overwrite")
	}
	d.write("role.yaml", "mine again")
	d.write("role.yaml", fresh)
	d.expect("3.9.3", false, "is up to date")
}

// A file that was there before is nobody's to overwrite either.
func TestFilesOfOthersAreLeftAlone(t *testing.T) {
	d := desk{t, t.TempDir()}
	d.write("role.yaml", "theirs")
	d.write("notes.txt", "theirs")
	d.expect("3.9.3", true, "kept     "+d.dir+"/role.yaml (edited)")
	d.expect("3.9.3", true, "role.yaml: edited", "--check")
	if d.read("role.yaml") != "theirs" || d.read("notes.txt") != "theirs" || d.read("account.yaml") == "" {
		t.Error("a file of others was touched, or ours is missing")
	}
}

// What is not generated any more goes, unless somebody edited it.
func TestLeftovers(t *testing.T) {
	d := newDesk(t)
	m := generate.Manifest{Artefact: "rbac", Files: map[string]string{
		"old/a.yaml": generate.Digest([]byte("a")), "old/b.yaml": generate.Digest([]byte("b")), "gone/c.yaml": generate.Digest([]byte("c")), "d.yaml": generate.Digest(nil),
	}}
	for _, dir := range []string{"old", "gone"} {
		if err := os.MkdirAll(filepath.Join(d.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.write("old/a.yaml", "a")
	d.write("old/b.yaml", "edited")
	d.write("gone/c.yaml", "c")
	raw, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	d.write(generate.ManifestName, string(raw))
	d.expect("3.9.3", true, "old/a.yaml: leftover\n", "--check")
	d.expect("3.9.3", true, "old/b.yaml (leftover, edited)")
	if d.read("old/a.yaml") != "" || d.read("old/b.yaml") != "edited" || d.read("gone/c.yaml") != "" {
		t.Error("the wrong files are left")
	}
	if _, err := os.Stat(filepath.Join(d.dir, "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty directory is left: %v", err)
	}
	d.expect("3.9.3", false, "is up to date") // what was kept is not ours any more
}

func TestGenerateRefuses(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		manifest string
		args     []string
		misuse   bool
		words    string
	}{
		"a manifest that leads outside": {`{"artefact":"rbac","files":{"../victim":"sha256:x"}}`, nil, false, `"../victim" is no path within the directory`},
		"a manifest that is none":       {`nope`, nil, false, "restore it, or remove it"},
		"the set of another artefact":   {`{"artefact":"helm","files":{}}`, nil, true, "holds what `generate helm` made"},
		"check with force":              {"", []string{"--check", "--force"}, true, "--check writes nothing"},
		"a directory in the package":    {"", []string{"-o", zookeepers + "3.9.3/generated"}, true, "is within the package"},
		"the package itself":            {"", []string{"-o", zookeeper}, true, "is within the package"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.manifest != "" {
				desk{t, dir}.write(generate.ManifestName, tt.manifest)
			}
			_, err := runGenerate(t, append([]string{"rbac", zookeeper, "-o", dir}, tt.args...)...)
			var usage *command.UsageError
			if err == nil || errors.As(err, &usage) != tt.misuse || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error %v, want the words %q", err, tt.words)
			}
		})
	}
}

// A symbolic link must not lead what is written out of the directory.
func TestGenerateStaysInItsDirectory(t *testing.T) {
	d := desk{t, t.TempDir()}
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(d.dir, "plans")); err != nil {
		t.Fatal(err)
	}
	if _, err := runGenerate(t, "docs", zookeeper, "-o", d.dir); err == nil || !strings.Contains(err.Error(), "plans") {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("%v was written outside (%v)", left, err)
	}
}

// Every artefact can be made of every package, twice with the same bytes, and says so with
// --check; the namespace is the one that is named.
func TestEveryArtefact(t *testing.T) {
	for _, a := range artefacts() {
		for _, version := range []string{"3.8.4", "3.9.3"} {
			dir := t.TempDir()
			if said, err := runGenerate(t, a.name, zookeepers+version, "-o", dir, "-n", "elsewhere"); err != nil || !strings.Contains(said, "created") {
				t.Errorf("%s of %s: %v\n%s", a.name, version, err, said)
			}
			if said, err := runGenerate(t, a.name, zookeepers+version, "-o", dir, "-n", "elsewhere", "--check"); err != nil || said != "" {
				t.Errorf("%s of %s again: %v\n%s", a.name, version, err, said)
			}
		}
	}
}
