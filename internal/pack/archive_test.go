// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func archive(t *testing.T, edits map[string]string) []byte {
	t.Helper()
	raw, err := Archive(pkg(edits), "pkg")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The digest of an archive says what the package holds, whoever made it, when and where.
func TestTheSameFilesMakeTheSameArchive(t *testing.T) {
	dir := t.TempDir()
	for name, f := range pkg(nil) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Unix(1, 0), time.Unix(2, 0)); err != nil {
			t.Fatal(err)
		}
	}
	onDisk, err := Archive(os.DirFS(filepath.Join(dir, "pkg")), ".")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(onDisk, archive(t, nil)) {
		t.Error("an archive depends on more than the names and the content of files")
	}
	if bytes.Equal(onDisk, archive(t, map[string]string{"pkg/tests/deploy.yaml": "other: {"})) {
		t.Error("tests are not part of the archive")
	}
}

func TestExtractGivesTheFilesBack(t *testing.T) {
	files, err := Extract(archive(t, map[string]string{"pkg/tests/data.bin": "\x00\xff"}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		if want := pkg(nil)["pkg/"+f.Name]; want != nil && !bytes.Equal(want.Data, f.Content) {
			t.Errorf("%s is %q, want %q", f.Name, f.Content, want.Data)
		}
	}
	want := []string{"README.md", "framework.yaml", "params.yaml", "templates/lib/blocks.tpl", "templates/main.yaml", "tests/data.bin", "tests/deploy.yaml"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestArchiveRefuses(t *testing.T) {
	tests := map[string]struct {
		edits map[string]string
		words string
	}{
		"a package that does not load": {map[string]string{"pkg/framework.yaml": "framework: {name: a, title: b}"}, `pkg/framework.yaml:1: unknown field "title"`},
		"tests without end":            {map[string]string{"pkg/tests/big": strings.Repeat("x", maxArchive)}, "larger than 4000 kB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Archive(pkg(tt.edits), "pkg"); err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error %v, want the words %q", err, tt.words)
			}
		})
	}
}

// What an archive could hide or do on extraction is refused as a whole.
func TestExtractRefusesWhatArchiveDoesNotMake(t *testing.T) {
	made := func(headers ...tar.Header) []byte {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		for _, h := range headers {
			h.Size = 1
			if h.Typeflag == tar.TypeSymlink {
				h.Size = 0
			}
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if h.Size > 0 {
				if _, err := w.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	good := archive(t, nil)
	tests := map[string][]byte{
		"a way out":          made(tar.Header{Name: "../a", Mode: 0o644}),
		"an absolute path":   made(tar.Header{Name: "/a", Mode: 0o644}),
		"a link":             made(tar.Header{Name: "a", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink, Mode: 0o644}),
		"a file twice":       made(tar.Header{Name: "a", Mode: 0o644}, tar.Header{Name: "a", Mode: 0o644}),
		"another order":      made(tar.Header{Name: "b", Mode: 0o644}, tar.Header{Name: "a", Mode: 0o644}),
		"a mode":             made(tar.Header{Name: "a", Mode: 0o755}),
		"a time":             made(tar.Header{Name: "a", Mode: 0o644, ModTime: time.Unix(1, 0)}),
		"something behind":   append(append([]byte{}, good...), "more"...),
		"an end that is cut": good[:len(good)-600],
		"no archive":         []byte(strings.Repeat("hello", 200)),
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			if files, err := Extract(raw); err == nil {
				t.Errorf("extracted %d files", len(files))
			}
		})
	}
}

func FuzzExtract(f *testing.F) {
	raw, err := Archive(pkg(nil), "pkg")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		files, err := Extract(raw)
		if err != nil {
			return
		}
		again, err := write(files)
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("an accepted archive is not canonical: %v", err)
		}
	})
}
