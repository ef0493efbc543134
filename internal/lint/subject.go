// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/validation"
)

// subject is a package as rules see it.
type subject struct {
	fsys   fs.FS
	source *pack.Source
	// pkg is nil if the package can not be read.
	pkg *pack.Package
	// spec is that of the version with defaults filled in.
	spec *v1alpha1.FrameworkVersionSpec
	// version is nil if it does not compile.
	version *graph.Version
	// problems are what the validators refuse, by the rule that says so.
	problems map[string][]problem
	// texts are the templates by name.
	texts map[string]*text
	names []string
	// renderings are what the version renders; the first one with the defaults.
	renderings []rendering
	// other is rendered with the defaults for another Instance in another namespace, and
	// moved for one of the same name there.
	other, moved []*object
	old          *subject
}

// problem is a finding of a validator.
type problem struct {
	at      place
	message string
}

// rendering is everything that a version renders with one set of parameters.
type rendering struct {
	values  params.Values
	objects []*object
}

// open reads a package as far as it can be read.
func open(fsys fs.FS) *subject {
	s := &subject{fsys: fsys, problems: map[string][]problem{}}
	source, err := pack.Open(fsys, ".")
	if err != nil {
		s.unreadable(err)
		return s
	}
	s.source = source
	p, err := source.Package()
	if err != nil {
		s.unreadable(err)
		return s
	}
	s.pkg = p
	s.spec = p.Version.Spec.DeepCopy()
	graph.Default(s.spec, nil)
	s.texts, s.names = readTexts(p.Version.Spec.Templates)
	for _, e := range validation.Framework(p.Framework) {
		s.add(frameworkRefused, s.at("framework"+trimSpec(e.Field)), e)
	}
	version, errs := graph.Compile(&p.Version.Spec)
	for _, e := range errs {
		s.classify(e)
	}
	if version != nil {
		s.version = version
		s.render()
	}
	return s
}

func (s *subject) unreadable(err error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, one := range joined.Unwrap() {
			s.unreadable(one)
		}
		return
	}
	found := problem{place{file: "framework.yaml"}, err.Error()}
	if own, ok := errors.AsType[*pack.Error](err); ok {
		found = problem{place{own.File, own.Line}, own.Msg}
		if own.File == "." {
			found.at.file = "framework.yaml"
		}
	}
	s.problems[unreadable] = append(s.problems[unreadable], found)
}

func (s *subject) add(rule string, at place, e *field.Error) {
	message := e.ErrorBody()
	if _, omitted := e.BadValue.(field.OmitValueType); omitted {
		message = e.Detail
	}
	if path := "version" + trimSpec(e.Field); !strings.HasPrefix(path, "version.templates") {
		message = path + ": " + message
		if rule == frameworkRefused {
			message = strings.Replace(message, "version", "framework", 1)
		}
	}
	found := problem{at, message}
	if !slices.Contains(s.problems[rule], found) {
		s.problems[rule] = append(s.problems[rule], found)
	}
}

// at finds the place of a field.
func (s *subject) at(path string) place {
	file, line := s.source.Locate(path)
	return place{file, line}
}

// refused is the check of a rule that says what a validator says.
func refused(s *subject, r *reporter) {
	for _, p := range s.problems[r.rule.ID] {
		r.at(p.at, "%s", p.message)
	}
}

// plan is a plan by its name; nil if there is none.
func (s *subject) plan(name string) *v1alpha1.Plan {
	i := slices.IndexFunc(s.spec.Plans, func(p v1alpha1.Plan) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &s.spec.Plans[i]
}

// task is a task by its name; nil if there is none.
func (s *subject) task(name string) *v1alpha1.Task {
	i := slices.IndexFunc(s.spec.Tasks, func(t v1alpha1.Task) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &s.spec.Tasks[i]
}
