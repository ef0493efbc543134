// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// RenderText executes one template and gives its text, for what is no object:
// notes, documentation, command lines. Values stand in it as they are, so the
// text must not be parsed as anything.
func (s *Set) RenderText(name string, v Values) (string, error) {
	x, text, err := s.run(name, v)
	if err != nil {
		return "", err
	}
	return x.fill(string(text), 0, true)
}

// Render executes one template and reads its output as Kubernetes objects, in
// the order in which they stand there.
func (s *Set) Render(name string, v Values) ([]*unstructured.Unstructured, error) {
	x, text, err := s.run(name, v)
	if err != nil {
		return nil, err
	}
	docs, err := x.documents(string(text))
	if err != nil {
		return nil, x.placed(name, string(text), err)
	}
	if len(docs) > s.limits.Objects {
		return nil, &Error{Reason: ReasonLimit, Template: name, Msg: fmt.Sprintf("renders %d objects, more than %d", len(docs), s.limits.Objects), Hint: "split the template"}
	}
	out := make([]*unstructured.Unstructured, 0, len(docs))
	seen := make(map[identity]bool, len(docs))
	for _, doc := range docs {
		obj, wrong := object(doc.value)
		if wrong == nil && seen[identityOf(obj)] {
			wrong = &Error{Reason: ReasonObject, Object: title(obj), Msg: "stands twice in the output of one template", Hint: "rename or remove one of them"}
		}
		if wrong != nil {
			wrong.Line = doc.line
			return nil, x.placed(name, string(text), wrong)
		}
		seen[identityOf(obj)] = true
		out = append(out, obj)
	}
	return out, nil
}

// placed translates a line of the output into one of a source.
func (x *execution) placed(name, text string, err error) error {
	var own *Error
	if !errors.As(err, &own) {
		return err
	}
	out := *own
	out.Template, out.Line, out.Column = name, 0, 0
	if own.Line > 0 {
		if p := x.place(text, own.Line); p.template != "" {
			out.Template, out.Line, out.Column = p.template, p.line, p.column
		}
	}
	return &out
}
