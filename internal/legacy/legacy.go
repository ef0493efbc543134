// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package legacy turns an operator package of KUDO 0.x (apiVersion kudo.dev/v1beta1) into
// the files of a Kudo package. It is pure but for the fs.FS that it reads: the same files
// always give the same bytes and the same notes.
//
// What the old engine did with a template was to print values into text and to read the
// text as YAML. Kudo inserts values after the YAML was read, so types matter: the importer
// finds where each value stands, what Kubernetes expects there, and gives the parameter
// that type, or makes the template read the value as YAML. Templates are changed at the
// positions that the parser of text/template reports; everything else stays as it was.
//
// What is carried over differently, or not at all, is told in notes.
package legacy

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Result is an imported package.
type Result struct {
	// Name and Version of the framework.
	Name    string `json:"name"`
	Version string `json:"version"`
	// Files of the package by their path in it.
	Files map[string][]byte `json:"-"`
	// Notes say what is not as it was, in the order of files and lines.
	Notes []Note `json:"notes"`
}

// Publishable says whether the API server would take the package as it is.
func (r *Result) Publishable() bool {
	return !slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Blocks })
}

// Error is a mistake in an old package that leaves nothing to import.
type Error struct {
	File string
	Line int
	Msg  string
}

// Error names file and line, and what is wrong.
func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return e.File + ": " + e.Msg
}

// importer holds what is known of the old package, and what the new one will hold.
type importer struct {
	files    *files
	operator *operator
	params   []*parameter
	byName   map[string]*parameter
	sources  map[string]*source
	// dynamic says that a template reads parameters by computed names.
	dynamic bool
	// paired are names of fields that are ranged over with a key, listed those without one,
	// counted those of numbers.
	paired, listed, counted map[string]bool
	// labels are those that KUDO put on pods and that selectors of the package ask for.
	labels map[string]bool
	// dropped are keys that stand twice: KUDO took the last.
	dropped map[*entry]bool
	// shortName is the room for the Instance's name in names of objects; 0 for all of it.
	// limits are the lengths of fields of items that names are made of.
	shortName int
	limits    map[string]int
	build     *builder
	notes     []Note
}

// Import reads the old package in dir, a path as fs.ValidPath has it ("." for the root of
// fsys), or in its directory "operator". It returns every mistake that it finds, joined.
func Import(fsys fs.FS, dir string) (*Result, error) {
	read, err := readAll(fsys, dir)
	if err != nil {
		return nil, err
	}
	im := &importer{
		files: read, byName: map[string]*parameter{}, sources: map[string]*source{},
		paired: map[string]bool{}, listed: map[string]bool{}, counted: map[string]bool{}, labels: map[string]bool{}, dropped: map[*entry]bool{}, limits: map[string]int{},
	}
	im.noteEncoding()
	if errs := im.decode(); len(errs) > 0 {
		return nil, im.joined(errs)
	}
	if errs := im.parseTemplates(); len(errs) > 0 {
		return nil, im.joined(errs)
	}
	im.collectUses()
	im.inferTypes()
	im.convertPlans()
	im.writeTemplates()
	im.inferShapes()
	im.declarePermissions()
	return im.finish()
}

// joined are all mistakes, with the paths that the caller knows.
func (im *importer) joined(errs []error) error {
	for _, err := range errs {
		if own, ok := errors.AsType[*Error](err); ok {
			own.File = im.files.prefix + own.File
		}
	}
	return errors.Join(errs...)
}

// decode reads operator.yaml and params.yaml.
func (im *importer) decode() []error {
	d := &decoder{file: operatorFile, im: im}
	im.operator = d.operator(im.files.content[operatorFile])
	errs := d.errs
	if raw, found := im.files.content[paramsFile]; found {
		p := &decoder{file: paramsFile, im: im}
		im.params = p.parameters(raw)
		errs = append(errs, p.errs...)
	}
	if len(errs) > 0 {
		return errs
	}
	im.nameParameters()
	return nil
}
