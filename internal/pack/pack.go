// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pack reads a package, the directory in which an author describes one
// version of a framework, into the API objects that it stands for. It is pure
// but for the fs.FS that it reads.
//
// A package holds
//
//	framework.yaml   two keys: framework (name and FrameworkSpec) and version (FrameworkVersionSpec,
//	                 of templates only name and restartOnChange)
//	params.yaml      the list of parameters; may be missing
//	templates/       *.yaml render to objects, *.tpl hold blocks that others include
//	tests/           tests of the package; not part of the objects
//	README.md, CHANGELOG.md, LICENSE
//
// Anything else is refused: a misspelt file name must not make content vanish.
// For the same reason decoding is stricter than that of the API server: unknown
// fields, duplicate keys, empty values and scalars that YAML 1.1 and 1.2 read
// differently are errors that name file and line.
//
// What the content means (schemas, template syntax, plan graphs) is not judged
// here; that is the work of the validators, which see stored objects as well.
package pack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

const (
	frameworkFile = "framework.yaml"
	paramsFile    = "params.yaml"
	readmeFile    = "README.md"
	templatesDir  = "templates/"
	testsDir      = "tests/"
)

// Package is what a package directory stands for.
type Package struct {
	// Framework has name and spec. The packages of all versions of a framework
	// should agree on it, because the one that is applied last wins.
	Framework *v1alpha1.Framework
	// Version is complete: templates sorted by name, parameters in the order of the file.
	Version *v1alpha1.FrameworkVersion
	// Readme is the text of README.md, or empty.
	Readme string
}

// frameworkPart is the key framework of framework.yaml.
type frameworkPart struct {
	Name string `json:"name"`

	v1alpha1.FrameworkSpec `json:",inline"`
}

// manifest is the content of framework.yaml.
type manifest struct {
	Framework frameworkPart                 `json:"framework"`
	Version   v1alpha1.FrameworkVersionSpec `json:"version"`
}

// Load reads the package in dir, a path as fs.ValidPath has it ("." for the
// root of fsys). It returns every mistake that it finds, joined. The same files
// always give the same objects.
func Load(fsys fs.FS, dir string) (*Package, error) {
	source, err := Open(fsys, dir)
	if err != nil {
		return nil, err
	}
	return source.Package()
}

// Package decodes the files.
func (s *Source) Package() (*Package, error) {
	files := s.files
	var m manifest
	errs := decodeFile(files, frameworkFile, &m)
	errs = append(errs, m.check(files)...)
	if files.has(paramsFile) {
		errs = append(errs, decodeFile(files, paramsFile, &m.Version.Parameters)...)
	}
	templates, wrong := files.templates()
	errs = append(errs, wrong...)
	if errs = append(errs, m.describe(files, templates)...); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	m.Version.Framework = m.Framework.Name
	m.Version.Templates = templates
	p := m.objects()
	p.Readme = string(files.content[readmeFile])
	return p, p.checkSize(files.dir)
}

// check refuses what framework.yaml could say but another file says.
func (m *manifest) check(files *files) []error {
	var errs []error
	refuse := func(format string, args ...any) {
		errs = append(errs, &Error{File: files.path(frameworkFile), Msg: fmt.Sprintf(format, args...)})
	}
	if m.Framework.Name == "" {
		refuse("framework.name is missing")
	}
	if m.Version.Version == "" {
		refuse("version.version is missing")
	}
	if named := m.Version.Framework; named != "" && named != m.Framework.Name {
		refuse("version.framework is %q, but framework.name is %q; leave version.framework out", named, m.Framework.Name)
	}
	if len(m.Version.Parameters) > 0 {
		refuse("version.parameters must stand in %s", paramsFile)
	}
	return errs
}

// describe takes over what framework.yaml says of templates beside their content, which
// stands in files.
func (m *manifest) describe(files *files, templates []v1alpha1.Template) []error {
	var errs []error
	seen := map[string]bool{}
	for _, said := range m.Version.Templates {
		i := slices.IndexFunc(templates, func(t v1alpha1.Template) bool { return t.Name == said.Name })
		wrong := ""
		switch {
		case said.Content != "":
			wrong = "has content; that is the file " + templatesDir + said.Name
		case i < 0:
			wrong = "is no file below " + templatesDir
		case seen[said.Name]:
			wrong = "stands there twice"
		default:
			templates[i].RestartOnChange = said.RestartOnChange
		}
		if seen[said.Name] = true; wrong != "" {
			errs = append(errs, &Error{File: files.path(frameworkFile), Msg: fmt.Sprintf("version.templates: %q %s", clip(said.Name), wrong)})
		}
	}
	return errs
}

func (m *manifest) objects() *Package {
	fw := &v1alpha1.Framework{Spec: m.Framework.FrameworkSpec}
	fw.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Framework"}
	fw.Name = m.Framework.Name
	fwv := &v1alpha1.FrameworkVersion{Spec: m.Version}
	fwv.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "FrameworkVersion"}
	fwv.Name = m.Framework.Name + "-" + m.Version.Version
	return &Package{Framework: fw, Version: fwv}
}

// checkSize measures the object that is stored: JSON is larger than the files
// where it has to escape.
func (p *Package) checkSize(dir string) error {
	raw, err := json.Marshal(p.Version)
	if err != nil {
		return fmt.Errorf("encoding the FrameworkVersion of package %s: %w", dir, err)
	}
	if len(raw) > maxTotal {
		return &Error{File: dir, Msg: fmt.Sprintf("the FrameworkVersion is %s as JSON, more than %s", kilobytes(len(raw)), kilobytes(maxTotal))}
	}
	return nil
}

// Error is a mistake in a file of a package.
type Error struct {
	// File is the path within the file system that was given to Load.
	File string
	// Line is counted from 1; 0 where the mistake is that of the whole file.
	Line int
	// Msg says what is wrong and what to do.
	Msg string
}

// Error is the place and the message, in the form that editors understand.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

func kilobytes(n int) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/1000), ".0") + " kB"
}
