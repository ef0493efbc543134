// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"regexp"
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// uses are the templates and expressions that name a parameter, or may read it with all others.
func (s *subject) uses(name string) (templates, expressions []string) {
	for _, n := range s.names {
		x := s.texts[n]
		if x.words[name] || x.whole["Params"] {
			templates = append(templates, n)
		}
	}
	for _, e := range s.expressions() {
		words := identifier.FindAllString(e.text, -1)
		if slices.Contains(words, name) || wholeParams.MatchString(e.text) {
			expressions = append(expressions, e.path)
		}
	}
	return templates, expressions
}

var wholeParams = regexp.MustCompile(`\bparams\b\s*([^.\[?\s]|$)`)

// renders lists the templates of the tasks of a plan that apply or run something.
func (s *subject) renders(p *v1alpha1.Plan) []string {
	var out []string
	eachStep(p, func(_ *v1alpha1.Phase, st *v1alpha1.Step, _ string) {
		for _, ref := range st.Tasks {
			switch t := s.task(ref.Task); {
			case t == nil:
			case t.Apply != nil:
				out = append(out, t.Apply.Templates...)
			case t.Job != nil:
				out = append(out, t.Job.Template)
			}
		}
	})
	return out
}

// readers are a template and the files of everything that it includes.
func (s *subject) readers(template string) []string {
	var out []string
	for _, block := range s.reach(template) {
		for _, n := range s.names {
			_, defines := s.texts[n].blocks[block]
			if (defines || n == block) && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}
