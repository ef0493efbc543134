// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kudo.dev/kudo/internal/testing/repository"
)

const module = "kudo.dev/kudo"

func path(t *testing.T, parts ...string) string {
	t.Helper()
	p, err := repository.Path(parts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	raw, err := os.ReadFile(path(t, parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// listed is a package as go list knows it, without its tests.
type listed struct {
	ImportPath string   `json:"ImportPath"`
	Name       string   `json:"Name"`
	Imports    []string `json:"Imports"`
	Deps       []string `json:"Deps"`
}

// within is the path of a package below the module; the root is ".".
func (p listed) within() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

var listOnce = sync.OnceValues(func() ([]listed, error) {
	root, err := repository.Root()
	if err != nil {
		return nil, err
	}
	// -e: a package that does not compile is for the compiler to report.
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Imports,Deps", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New(err.Error() + ": " + stderr.String())
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
})

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := listOnce()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if len(out) < 10 {
		t.Fatalf("go list found %d packages: the tests look in the wrong place", len(out))
	}
	return out
}

// source is a parsed file.
type source struct {
	// name is the path below the root of the repository.
	name  string
	text  []byte
	files *token.FileSet
	tree  *ast.File
}

func (s source) position(n ast.Node) string {
	p := s.files.Position(n.Pos())
	return s.name + ":" + p.String()[strings.LastIndex(p.String()[:strings.LastIndex(p.String(), ":")], ":")+1:]
}

// sources parses every Go file of the repository that no tool generated.
func sources(t *testing.T) []source {
	t.Helper()
	root := path(t)
	var out []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || name == "bin" || name == "dist" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(d.Name(), "zz_generated") {
			return nil
		}
		text, err := os.ReadFile(p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an editor's temporary file
		}
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		tree, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{filepath.ToSlash(name), text, files, tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// dir is the directory of the file below the root.
func (s source) dir() string { return filepath.ToSlash(filepath.Dir(s.name)) }
