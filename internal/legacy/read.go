// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	operatorFile = "operator.yaml"
	paramsFile   = "params.yaml"
	templatesDir = "templates/"
)

// The limits of an old package. They are wider than those of a Kudo package, whose reader
// then names the sizes.
const (
	maxTotal   = 2 << 20
	maxEntries = 2000
	maxDepth   = 16
	maxNotes   = 2000
)

// files are the files of the old package by their path in it, with line ends of Unix and
// without byte order marks.
type files struct {
	content map[string][]byte
	names   []string
	// prefix is the directory within the given one that holds the operator.
	prefix string
	// recoded are files whose bytes were changed for that, ignored those that mean nothing.
	recoded, ignored []string
}

// readAll reads what belongs to an operator: two files and the templates.
func readAll(fsys fs.FS, dir string) (*files, error) {
	if !fs.ValidPath(dir) {
		return nil, &Error{File: dir, Msg: "is not a path within the file system: write it without a leading / and without . or .. in it"}
	}
	if info, err := fs.Stat(fsys, dir); err != nil {
		return nil, fmt.Errorf("reading the package: %w", err)
	} else if !info.IsDir() {
		return nil, &Error{File: dir, Msg: "is no directory: name the one that holds operator.yaml"}
	}
	prefix := ""
	// Repositories keep an operator beside its documentation and tests.
	if nested := path.Join(dir, "operator"); !exists(fsys, path.Join(dir, operatorFile)) && exists(fsys, path.Join(nested, operatorFile)) {
		dir, prefix = nested, "operator/"
	}
	f := &files{content: map[string][]byte{}, prefix: prefix}
	if err := f.list(fsys, dir); err != nil {
		return nil, err
	}
	left := maxTotal
	for _, name := range f.names {
		raw, err := f.read(fsys, path.Join(dir, name), name, left)
		if err != nil {
			return nil, err
		}
		left -= len(raw)
		f.content[name] = raw
	}
	if _, found := f.content[operatorFile]; !found {
		return nil, &Error{File: dir, Msg: "holds no operator.yaml: this is no package of KUDO 0.x"}
	}
	return f, nil
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// list finds the files that belong to the operator.
func (f *files) list(fsys fs.FS, dir string) error {
	entries := 0
	err := fs.WalkDir(fsys, dir, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading the package: %w", err)
		}
		if entries++; entries > maxEntries {
			return &Error{File: dir, Msg: fmt.Sprintf("holds more than %d files and directories", maxEntries)}
		}
		name := strings.TrimPrefix(strings.TrimPrefix(full, dir), "/")
		switch {
		case full == dir:
			return nil
		case dir == ".":
			name = full
		}
		if strings.Count(name, "/") > maxDepth {
			return &Error{File: name, Msg: fmt.Sprintf("lies more than %d directories deep", maxDepth)}
		}
		f.entry(name, d)
		return nil
	})
	slices.Sort(f.names)
	if err != nil {
		return fmt.Errorf("listing %s: %w", dir, err)
	}
	return nil
}

func (f *files) entry(name string, d fs.DirEntry) {
	belongs := name == operatorFile || name == paramsFile || strings.HasPrefix(name, templatesDir)
	switch {
	case d.IsDir():
	case belongs && d.Type().IsRegular():
		f.names = append(f.names, name)
	case strings.HasPrefix(path.Base(name), "."):
	default:
		f.ignored = append(f.ignored, name)
	}
}

var byteOrderMark = []byte("\ufeff")

// read reads one file, at most a byte more than what is left: sizes that a file system
// reports are not to be trusted.
func (f *files) read(fsys fs.FS, full, name string, left int) ([]byte, error) {
	file, err := fsys.Open(full)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	raw, err := io.ReadAll(io.LimitReader(file, int64(left)+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(raw) > left {
		return nil, &Error{File: name, Msg: fmt.Sprintf("the package is larger than %d kB up to here", maxTotal>>10)}
	}
	if !utf8.Valid(raw) || slices.Contains(raw, 0) {
		return nil, &Error{File: name, Msg: "is no UTF-8 text"}
	}
	clean := bytes.ReplaceAll(bytes.TrimPrefix(raw, byteOrderMark), []byte("\r\n"), []byte("\n"))
	if len(clean) != len(raw) {
		f.recoded = append(f.recoded, name)
	}
	return slices.Clone(clean), nil
}

func (im *importer) noteEncoding() {
	for _, name := range im.files.recoded {
		im.changed(name, 0, "line ends", "line ends of Windows or a byte order mark were removed: they would end up in scripts and configuration files", "")
	}
	for _, name := range im.files.ignored {
		im.lost(name, 0, "the file", "it is no part of an operator: operator.yaml, params.yaml and the files below templates/ are read", "")
	}
}
