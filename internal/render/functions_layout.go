// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// layoutFunctions make or keep markup, so they see it as it is.
func layoutFunctions() map[string]function {
	return map[string]function{
		"quote":   {min: 1, max: many, impl: quote},
		"squote":  {min: 1, max: many, impl: squote},
		"indent":  {min: 2, max: 2, lazy: true, impl: indent},
		"nindent": {min: 2, max: 2, lazy: true, impl: nindent},
		"trim":    {min: 1, max: 1, lazy: true, impl: trim},
		"include": {min: 2, max: 2, lazy: true, impl: includeNamed},
		"print":   {min: 0, max: many, impl: printed},
		"println": {min: 0, max: many, impl: printedLine},
		"printf":  {min: 1, max: many, impl: formatted},
	}
}

func quote(x *execution, a []any) (any, error) {
	parts, err := texts(a)
	if err != nil {
		return nil, err
	}
	m, err := x.hole(holeQuoted, strings.Join(parts, " "))
	return `"` + m + `"`, err
}

func squote(x *execution, a []any) (any, error) {
	parts, err := texts(a)
	if err != nil {
		return nil, err
	}
	m, err := x.hole(holeRaw, strings.Join(parts, " "))
	return "'" + m + "'", err
}

func indent(x *execution, a []any) (any, error) {
	width, err := small(a[0], 200)
	if err != nil {
		return nil, err
	}
	return x.indent(width, a[1])
}

func nindent(x *execution, a []any) (any, error) {
	width, err := small(a[0], 200)
	if err != nil {
		return nil, err
	}
	m, err := x.indent(width, a[1])
	return "\n" + m, err
}

func trim(x *execution, a []any) (any, error) {
	if s, ok := a[0].(string); ok {
		if err := x.charge(len(s)); err != nil {
			return nil, err
		}
	}
	return trimmed(a[0])
}

func includeNamed(x *execution, a []any) (any, error) {
	name, ok := a[0].(string)
	if !ok {
		return nil, fault("", "the name of a template must be a string")
	}
	return x.include(name, a[1])
}

func printed(_ *execution, a []any) (any, error) { return fmt.Sprint(a...), nil }

func printedLine(_ *execution, a []any) (any, error) { return fmt.Sprintln(a...), nil }

var verb = regexp.MustCompile(`%[-+# 0]*(\d*)(?:\.(\d*))?([a-zA-Z%*\[])`)

var verbs = map[string]bool{
	"v": true, "s": true, "d": true, "q": true, "t": true, "x": true, "X": true, "o": true, "O": true, "b": true,
	"c": true, "e": true, "E": true, "f": true, "F": true, "g": true, "G": true, "U": true, "%": true,
}

// formatted is printf with widths that a person would write, and without the
// verbs that reach into Go.
func formatted(x *execution, a []any) (any, error) {
	format, ok := a[0].(string)
	if !ok {
		return nil, fault("", "the format must be a string")
	}
	if strings.Count(format, "%") > 256 {
		return nil, limit("", "the format has more than 256 verbs")
	}
	size := 0
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		for _, digits := range m[1:3] {
			n, err := strconv.Atoi(digits)
			if digits != "" && (err != nil || n > 1000) {
				return nil, limit("", "a width or precision is greater than 1000")
			}
			size += n
		}
		if !verbs[m[3]] {
			return nil, fault("use %v, %s, %d, %q, %t, %x or %f", "the verb %%%s is not available", m[3])
		}
	}
	if err := x.charge(size + 64*len(a)); err != nil {
		return nil, err
	}
	out := fmt.Sprintf(format, a[1:]...)
	if strings.Contains(out, "%!") && !strings.Contains(format, "%!") {
		return nil, fault("count the verbs and check their types", "the format does not fit its arguments")
	}
	return out, nil
}
