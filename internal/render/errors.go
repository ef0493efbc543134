// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template"
)

// Reason classifies an Error for callers that decide what to do next.
type Reason string

// The reasons of an Error.
const (
	// ReasonSyntax is a template that does not compile.
	ReasonSyntax Reason = "Syntax"
	// ReasonExecution is a template that fails while it runs.
	ReasonExecution Reason = "Execution"
	// ReasonLimit is a template or an object past one of the bounds.
	ReasonLimit Reason = "Limit"
	// ReasonYAML is output that is not strict YAML.
	ReasonYAML Reason = "YAML"
	// ReasonObject is a document that is no acceptable Kubernetes object.
	ReasonObject Reason = "Object"
	// ReasonPatch is a patch that is malformed or does not apply.
	ReasonPatch Reason = "Patch"
	// ReasonForbidden is an object that the gate refuses.
	ReasonForbidden Reason = "Forbidden"
	// ReasonUnknownKind is an object whose kind the cluster does not know (yet).
	ReasonUnknownKind Reason = "UnknownKind"
)

// Error says what is wrong, where, and what to do. It never carries a value of
// a parameter or rendered text.
type Error struct {
	Reason Reason
	// Template, Line and Column are the place in the source, counted from 1; zero if unknown.
	Template     string
	Line, Column int
	// Object is the kind and name of the object concerned, and Field a path in it or in the values.
	Object, Field string
	Msg, Hint     string
}

// Error is one sentence: where, what, and what to do.
func (e *Error) Error() string {
	var parts []string
	if p := e.position(); p != "" {
		parts = append(parts, p)
	}
	if e.Object != "" {
		parts = append(parts, e.Object)
	}
	if e.Field != "" {
		parts = append(parts, e.Field)
	}
	text := strings.Join(append(parts, e.Msg), ": ")
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

func (e *Error) position() string {
	switch {
	case e.Template == "":
		return ""
	case e.Line == 0:
		return "template " + e.Template
	case e.Column == 0:
		return fmt.Sprintf("template %s:%d", e.Template, e.Line)
	}
	return fmt.Sprintf("template %s:%d:%d", e.Template, e.Line, e.Column)
}

// fault is the error of a function, before its position is known.
func fault(hint, format string, args ...any) *Error {
	return &Error{Reason: ReasonExecution, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

func limit(hint, format string, args ...any) *Error {
	return &Error{Reason: ReasonLimit, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// located turns an error of text/template into an Error with a position. The
// text of the original is read for its position and for messages known to hold
// no value; anything else is replaced.
func located(err error) *Error {
	var deepest template.ExecError
	for cur := err; ; {
		var ee template.ExecError
		if !errors.As(cur, &ee) {
			break
		}
		deepest = ee
		cur = errors.Unwrap(ee.Err)
	}
	var own *Error
	if !errors.As(err, &own) {
		own = foreign(deepest)
	}
	if own.Template == "" && deepest.Err != nil {
		out := *own
		out.Template, out.Line, out.Column = execPosition(deepest.Err.Error())
		return &out
	}
	return own
}

// execPosition reads "template: name:line:col: executing …".
func execPosition(text string) (name string, line, column int) {
	text = strings.TrimPrefix(text, "template: ")
	place, _, found := strings.Cut(text, ": executing ")
	if !found {
		return "", 0, 0
	}
	fields := strings.Split(place, ":")
	if len(fields) != 3 {
		return "", 0, 0
	}
	line, lineErr := strconv.Atoi(fields[1])
	column, columnErr := strconv.Atoi(fields[2])
	if lineErr != nil || columnErr != nil {
		return "", 0, 0
	}
	return fields[0], line, column + 1
}

// foreign explains an error that text/template itself raised.
func foreign(e template.ExecError) *Error {
	if e.Err == nil {
		return fault("", "the template cannot be executed")
	}
	text := e.Err.Error()
	expr := expression(text)
	if _, key, ok := strings.Cut(text, "map has no entry for key "); ok {
		hint := "check the spelling, or read an optional key with get, dig or index"
		if strings.HasPrefix(expr, ".Params.") || strings.HasPrefix(expr, "$.Params.") {
			hint = "declare the parameter or correct its name"
		}
		return &Error{Reason: ReasonExecution, Field: expr, Msg: key + " is not defined", Hint: hint}
	}
	if strings.Contains(text, "nil data; no entry for key") || strings.Contains(text, "nil pointer evaluating") {
		return &Error{Reason: ReasonExecution, Field: expr, Msg: "is read from a value that is null", Hint: "guard it with if or with"}
	}
	if strings.Contains(text, "can't evaluate field ") {
		return &Error{Reason: ReasonExecution, Field: expr, Msg: "is read from a value that has no fields", Hint: "only maps have fields"}
	}
	if strings.Contains(text, "has arguments") || strings.Contains(text, "can't give argument to non-function") {
		return &Error{Reason: ReasonExecution, Field: expr, Msg: "is not a function, but is given arguments"}
	}
	return &Error{Reason: ReasonExecution, Field: expr, Msg: "cannot be evaluated"}
}

// expression reads the part of the template's own source that failed.
func expression(text string) string {
	_, rest, found := strings.Cut(text, " at <")
	if !found {
		return ""
	}
	expr, _, _ := strings.Cut(rest, ">: ")
	if len(expr) > 80 {
		expr = expr[:80] + "…"
	}
	return expr
}
