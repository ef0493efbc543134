// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// The limits of a package. What is stored must stay below the size at which the
// API server answers an opaque 500; files count from before they are decoded,
// so that reading a hostile package takes bounded memory.
const (
	maxTotal    = 900_000
	maxTemplate = 400_000
	maxEntries  = 1000
	maxDepth    = 8
	shownSizes  = 3
)

var (
	known = []string{frameworkFile, paramsFile, readmeFile, "CHANGELOG.md", "LICENSE"}
	// templateName is the pattern of v1alpha1.Template.
	templateName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._/-]*[a-zA-Z0-9])?$`)
)

const maxTemplateName = 128

// files are the files of a package by their path in it.
type files struct {
	dir     string
	tests   bool // also those below tests/
	names   []string
	content map[string][]byte
}

func (f *files) has(name string) bool { return f.content[name] != nil }

func (f *files) path(name string) string { return path.Join(f.dir, name) }

// readAll reads every file of the package, in the order of their names.
func readAll(fsys fs.FS, dir string) (*files, error) {
	if !fs.ValidPath(dir) {
		return nil, &Error{File: dir, Msg: "is not a path within the file system: write it without a leading / and without . or .. in it"}
	}
	f := &files{dir: dir, content: map[string][]byte{}}
	if err := f.list(fsys); err != nil {
		return nil, err
	}
	total := 0
	for _, name := range f.names {
		raw, err := f.read(fsys, name, maxTotal-total)
		if err != nil {
			return nil, err
		}
		f.content[name] = raw
		if total += len(raw); total > maxTotal {
			return nil, f.tooLarge(fsys)
		}
	}
	if !f.has(frameworkFile) {
		return nil, &Error{File: dir, Msg: "holds no " + frameworkFile}
	}
	return f, nil
}

// list finds the names of the files and refuses what has no place in a package.
func (f *files) list(fsys fs.FS) error {
	entries := 0
	err := fs.WalkDir(fsys, f.dir, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading package %s: %w", f.dir, err)
		}
		if full == f.dir {
			if !d.IsDir() {
				return &Error{File: full, Msg: "is no directory"}
			}
			return nil
		}
		if entries++; entries > maxEntries {
			return &Error{File: f.dir, Msg: fmt.Sprintf("holds more than %d files and directories", maxEntries)}
		}
		return f.entry(full, d)
	})
	slices.Sort(f.names)
	return err
}

func (f *files) entry(full string, d fs.DirEntry) error {
	name := full
	if f.dir != "." {
		name = strings.TrimPrefix(full, f.dir+"/")
	}
	switch {
	case d.Type()&fs.ModeSymlink != 0:
		// A link could lead out of the package, and what it leads to is not signed with it.
		return &Error{File: full, Msg: "is a symbolic link; a package holds the files themselves"}
	case strings.Count(name, "/") >= maxDepth:
		return &Error{File: full, Msg: fmt.Sprintf("lies more than %d directories deep", maxDepth)}
	case d.IsDir():
		if name+"/" == templatesDir || name+"/" == testsDir || strings.Contains(name, "/") {
			return nil
		}
		return &Error{File: full, Msg: "is no directory of a package; these are: templates, tests"}
	case !d.Type().IsRegular():
		return &Error{File: full, Msg: "is no regular file"}
	case strings.HasPrefix(name, testsDir):
		if !f.tests {
			return nil
		}
	case !strings.HasPrefix(name, templatesDir) && !slices.Contains(known, name):
		return &Error{File: full, Msg: "is no file of a package; these are: " + strings.Join(known, ", ")}
	}
	f.names = append(f.names, name)
	return nil
}

// read reads one file, at most a byte more than what is left: sizes that a file
// system reports are not to be trusted.
func (f *files) read(fsys fs.FS, name string, left int) ([]byte, error) {
	raw, err := f.readAny(fsys, name, left)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(raw) || slices.Contains(raw, 0) {
		return nil, &Error{File: f.path(name), Msg: "is no UTF-8 text"}
	}
	return raw, nil
}

func (f *files) readAny(fsys fs.FS, name string, left int) ([]byte, error) {
	file, err := fsys.Open(f.path(name))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", f.path(name), err)
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, int64(left)+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.path(name), err)
	}
	return append([]byte{}, raw...), nil
}

// tooLarge names the total and the largest files, so that the author knows where to start.
func (f *files) tooLarge(fsys fs.FS) error {
	type sized struct {
		name string
		size int
	}
	total := 0
	sizes := make([]sized, 0, len(f.names))
	for _, name := range f.names {
		info, err := fs.Stat(fsys, f.path(name))
		if err != nil {
			return fmt.Errorf("reading the size of %s: %w", f.path(name), err)
		}
		sizes = append(sizes, sized{name, int(info.Size())})
		total += int(info.Size())
	}
	slices.SortStableFunc(sizes, func(a, b sized) int { return b.size - a.size })
	var shown []string
	for _, s := range sizes[:min(shownSizes, len(sizes))] {
		shown = append(shown, s.name+" "+kilobytes(s.size))
	}
	return &Error{File: f.dir, Msg: fmt.Sprintf("the package is %s, more than %s; the largest files: %s",
		kilobytes(total), kilobytes(maxTotal), strings.Join(shown, ", "))}
}

// templates are the files below templates/, named by their path there.
func (f *files) templates() (out []v1alpha1.Template, errs []error) {
	for _, file := range f.names {
		name, found := strings.CutPrefix(file, templatesDir)
		if !found {
			continue
		}
		raw := f.content[file]
		wrong := ""
		switch ext := path.Ext(name); {
		case ext != ".yaml" && ext != ".tpl":
			wrong = "is no template: the names of templates end in .yaml, or in .tpl if they only define blocks"
		case len(name) > maxTemplateName || !templateName.MatchString(name):
			wrong = fmt.Sprintf("the name of a template starts with a letter or digit, holds letters, digits, '.', '_', '/' and '-', and has at most %d characters", maxTemplateName)
		case len(raw) > maxTemplate:
			wrong = fmt.Sprintf("the template is %s, more than %s", kilobytes(len(raw)), kilobytes(maxTemplate))
		}
		if wrong != "" {
			errs = append(errs, &Error{File: f.path(file), Msg: wrong})
			continue
		}
		out = append(out, v1alpha1.Template{Name: name, Content: string(raw)})
	}
	return out, errs
}
