// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is a string with ${CEL} in it, safe for concurrent use.
type Text struct {
	parts []part
	refs  References
}

// part is a literal, or a program.
type part struct {
	literal string
	program *Program
}

// CompileString compiles a string with ${CEL} in it, which sees what kind
// sees. $${ stands for ${ itself. A string that is exactly one ${…} keeps the
// type of its value.
func (e *Env) CompileString(kind Kind, source string) (*Text, error) {
	if n := utf8.RuneCountInString(source); n > MaxLength {
		return nil, &Error{Msg: fmt.Sprintf("the string has %d characters; at most %d are allowed", n, MaxLength)}
	}
	t := &Text{}
	for i := 0; i < len(source); {
		at := strings.Index(source[i:], "${")
		if at < 0 {
			t.literal(source[i:])
			break
		}
		at += i
		if at > i && source[at-1] == '$' {
			t.literal(source[i:at-1] + "${")
			i = at + 2
			continue
		}
		t.literal(source[i:at])
		end, err := t.hole(e, kind, source, at+2)
		if err != nil {
			return nil, err
		}
		i = end + 1
	}
	return t, nil
}

func (t *Text) literal(s string) {
	if s == "" {
		return
	}
	if n := len(t.parts); n > 0 && t.parts[n-1].program == nil {
		t.parts[n-1].literal += s
		return
	}
	t.parts = append(t.parts, part{literal: s})
}

// hole compiles the expression that starts at start and gives the place of its
// closing brace. What is before it is blanked out, so that errors name places
// in the whole string.
func (t *Text) hole(e *Env, kind Kind, source string, start int) (int, error) {
	end := closing(source, start)
	if end < 0 {
		line, column := place(source, start-2)
		return 0, &Error{Line: line, Column: column, Msg: "${ is not closed; write $${ for ${ itself"}
	}
	if strings.TrimSpace(source[start:end]) == "" {
		line, column := place(source, start-2)
		return 0, &Error{Line: line, Column: column, Msg: "${} has no expression"}
	}
	program, err := e.compile(kind, blank(source[:start])+source[start:end], true)
	if err != nil {
		return 0, err
	}
	t.parts = append(t.parts, part{program: program})
	t.refs.add(program.refs)
	return end, nil
}

func blank(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return ' '
	}, s)
}

func place(source string, at int) (line, column int) {
	before := source[:at]
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

// closing finds the brace that ends an expression, past braces of maps and
// those within strings; -1 if there is none.
func closing(source string, start int) int {
	depth := 0
	for i := start; i < len(source); i++ {
		switch source[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		case '"', '\'':
			raw := i > start && (source[i-1] == 'r' || source[i-1] == 'R')
			i = closingQuote(source, i, raw)
		}
	}
	return -1
}

// closingQuote gives the place of the last quote of the string that starts at i.
func closingQuote(source string, i int, raw bool) int {
	quote := source[i : i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(source[i:], triple) {
		quote = triple
	}
	for j := i + len(quote); j < len(source); j++ {
		switch {
		case source[j] == '\\' && !raw:
			j++
		case strings.HasPrefix(source[j:], quote):
			return j + len(quote) - 1
		}
	}
	return len(source)
}

// References lists what the expressions of the string read.
func (t *Text) References() References { return t.refs }

// Constant is the text of a string without expressions.
func (t *Text) Constant() (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].program == nil:
		return t.parts[0].literal, true
	}
	return "", false
}

// Eval gives the value of the string. The first expression that is not Done
// decides the outcome.
func (t *Text) Eval(vars Vars) Result {
	if len(t.parts) == 1 && t.parts[0].program != nil {
		return t.parts[0].program.Eval(vars)
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.program == nil {
			b.WriteString(p.literal)
			continue
		}
		r := p.program.Eval(vars)
		if r.Outcome != Done {
			return r
		}
		s, ok := written(r.Value)
		if !ok {
			return Result{Outcome: Failed, Err: &Error{Msg: kindOf(r.Value) + " cannot stand within a text"}}
		}
		if b.Len()+len(s) > maxText {
			return Result{Outcome: Failed, Err: &Error{Msg: "the text is too big"}}
		}
		b.WriteString(s)
	}
	return Result{Outcome: Done, Value: b.String()}
}

// written is a scalar as text.
func written(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case bool:
		return strconv.FormatBool(x), true
	case int64:
		return strconv.FormatInt(x, 10), true
	case uint64:
		return strconv.FormatUint(x, 10), true
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64), true
	}
	return "", false
}
