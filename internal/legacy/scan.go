// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import "strings"

// action is one {{ … }} of a template: the text around it is YAML, the text within is code.
type action struct {
	// start and end enclose the delimiters, from and to what is between them, without
	// trim markers and spaces.
	start, end, from, to int
	trimmed              bool
	// word is the keyword that the code starts with; empty for a pipeline.
	word string
	// depth is how many blocks are open around it.
	depth int
	// assigns says that the pipeline declares or sets a variable, and prints nothing.
	assigns bool
	comment bool
	place   place
}

// prints says whether the action writes something at its own place.
func (a *action) prints() bool {
	return !a.comment && !a.assigns && (a.word == "" || a.word == "template")
}

const (
	leftDelim, rightDelim = "{{", "}}"
	maxActions            = 20_000
	maxBlocks             = 200
	maxParens             = 200
)

// scan finds the actions of a template. The parser of text/template knows their code, but
// neither where they end nor what white space stands around them.
func scan(text string) ([]*action, string) {
	var out []*action
	depth := 0
	for at := 0; ; {
		i := strings.Index(text[at:], leftDelim)
		if i < 0 {
			return out, ""
		}
		a, wrong := scanAction(text, at+i)
		if wrong != "" {
			return nil, wrong
		}
		if a.word == "end" {
			depth = max(0, depth-1)
		}
		a.depth = depth
		if a.word == "else" {
			a.depth = max(0, depth-1)
		}
		switch a.word {
		case "if", "range", "with", "define", "block":
			depth++
		}
		if depth > maxBlocks {
			return nil, "blocks are nested more than 200 levels deep"
		}
		if out = append(out, a); len(out) > maxActions {
			return nil, "the template has more than 20,000 actions"
		}
		at = a.end
	}
}

func scanAction(text string, start int) (*action, string) {
	a := &action{start: start, from: start + len(leftDelim)}
	if strings.HasPrefix(text[a.from:], "- ") || strings.HasPrefix(text[a.from:], "-\n") || strings.HasPrefix(text[a.from:], "-\t") {
		a.from += 2
		a.trimmed = true
	}
	if strings.HasPrefix(text[a.from:], "/*") {
		return scanComment(text, a)
	}
	parens := 0
	for i := a.from; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\'' || c == '`':
			if i = closing(text, i); i < 0 {
				return nil, "a string is not closed"
			}
		case c == '(':
			if parens++; parens > maxParens {
				return nil, "parentheses are nested more than 200 levels deep"
			}
		case c == ')':
			parens--
		case strings.HasPrefix(text[i:], rightDelim):
			a.to, a.end = i, i+len(rightDelim)
			a.finish(text)
			return a, ""
		}
	}
	return nil, "an action is not closed with }}"
}

func scanComment(text string, a *action) (*action, string) {
	i := strings.Index(text[a.from:], "*/")
	if i < 0 {
		return nil, "a comment is not closed"
	}
	a.to = a.from + i + len("*/")
	j := strings.Index(text[a.to:], rightDelim)
	if j < 0 {
		return nil, "an action is not closed with }}"
	}
	a.comment = true
	a.end = a.to + j + len(rightDelim)
	return a, ""
}

// closing finds the end of a string that starts at i.
func closing(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return i
		case text[i] == '\\' && quote != '`':
			i++
		}
	}
	return -1
}

// finish strips the code and reads its first word.
func (a *action) finish(text string) {
	code := text[a.from:a.to]
	if stripped := strings.TrimSuffix(code, "-"); stripped != code && strings.TrimRight(stripped, " \t\n") != stripped {
		a.trimmed = true
		code = stripped
	}
	left := strings.TrimLeft(code, " \t\n")
	a.from += len(code) - len(left)
	code = strings.TrimRight(left, " \t\n")
	a.to = a.from + len(code)
	word, rest := code, ""
	if i := strings.IndexAny(code, " \t\n("); i >= 0 {
		word, rest = code[:i], code[i:]
	}
	switch word {
	case "if", "else", "range", "with", "end", "define", "block", "template", "break", "continue":
		a.word = word
	}
	if strings.HasPrefix(word, "$") && len(word) > 1 && !strings.Contains(word, ".") {
		rest = strings.TrimLeft(rest, " \t\n")
		a.assigns = strings.HasPrefix(rest, ":=") || strings.HasPrefix(rest, "=") || strings.Contains(word, "=")
	}
}
