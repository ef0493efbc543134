// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"math"
	"strconv"
	"strings"
)

// emit ends every action that prints: strings become holes, markup stays, and
// what has no single textual form is refused.
func (x *execution) emit(at int, v any) (markup, error) {
	x.at = at
	x.mark(at)
	expr := x.set.places[at].expr
	switch v := v.(type) {
	case nil:
		return "", x.refuse(at, "give a default, or guard it with if or with", "{{ %s }} is null", expr)
	case markup:
		return v, nil
	case string:
		return x.hole(holeRaw, v)
	case map[string]any, []any:
		return "", x.refuse(at, "use toYaml or toJson", "{{ %s }} is a %s", expr, kindOf(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", x.refuse(at, "", "{{ %s }} is not a finite number", expr)
		}
	}
	text, err := scalarText(v)
	return markup(text), err
}

func (x *execution) refuse(at int, hint, format string, args ...any) error {
	p := x.set.places[at]
	e := fault(hint, format, args...)
	e.Template, e.Line, e.Column = p.template, p.line, p.column
	return e
}

// ranged vets the operand of range: sorting the keys of a map costs, and a
// string or a number past the budget gets a clear sentence.
func (x *execution) ranged(at int, v any) (any, error) {
	expr := x.set.places[at].expr
	switch v := v.(type) {
	case nil, []any:
		return v, nil
	case map[string]any:
		return v, x.charge(64 * len(v))
	case int64, int:
		return v, nil
	}
	return nil, x.refuse(at, "only lists, maps and integers can be ranged over", "{{ range %s }} is over a %s", expr, kindOf(v))
}

// scalarText is the text of a number or a boolean.
func scalarText(v any) (string, error) {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case uint64:
		return strconv.FormatUint(v, 10), nil
	case float64:
		return formatFloat(v), nil
	}
	return "", fault("use toYaml or toJson", "a %s cannot be printed", kindOf(v))
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string, markup:
		return "string"
	case bool:
		return "bool"
	case int, int64, uint64:
		return "integer"
	case float64:
		return "number"
	case map[string]any:
		return "map"
	case []any:
		return "list"
	}
	return "value of another type"
}

// indent shifts text to the right. For data only the first line is shifted here:
// the others follow when the hole is filled, where it matters.
func (x *execution) indent(width int, v any) (markup, error) {
	if width < 0 || width > 200 {
		return "", limit("", "the width of an indentation must be between 0 and 200")
	}
	pad := strings.Repeat(" ", width)
	if m, ok := v.(markup); ok {
		if err := x.charge(len(m) + width*(1+strings.Count(string(m), "\n"))); err != nil {
			return "", err
		}
		return markup(pad + strings.ReplaceAll(string(m), "\n", "\n"+pad)), nil
	}
	text, err := toText(v)
	if err != nil {
		return "", err
	}
	m, err := x.hole(holeBlock, text)
	return markup(pad) + m, err
}

// trimmed removes white space around text, which keeps being what it is.
func trimmed(v any) (any, error) {
	if m, ok := v.(markup); ok {
		return markup(strings.TrimSpace(string(m))), nil
	}
	text, err := toText(v)
	return strings.TrimSpace(text), err
}
