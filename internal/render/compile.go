// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// Source is one named template as it stands in a FrameworkVersion.
type Source struct{ Name, Content string }

// Set is a compiled, immutable set of templates. It is safe for concurrent use.
type Set struct {
	limits  Limits
	sources []string
	base    *template.Template
	trees   map[string]*parse.Tree
	// places are the positions that instrumentation refers to by index.
	places []place
	used   map[string]bool
	refs   map[string][]Reference
}

// place is a position in a source.
type place struct {
	template     string
	line, column int
	cost         int
	expr         string
}

var templateName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,252}$`)

// Compile parses all sources into one set, in which each is a named template
// that the others may include. It returns all syntax errors, joined.
func Compile(sources []Source, opts ...Option) (*Set, error) {
	s := &Set{limits: DefaultLimits(), trees: map[string]*parse.Tree{}, used: map[string]bool{}, refs: map[string][]Reference{}}
	for _, opt := range opts {
		opt(s)
	}
	var errs []error
	size := 0
	for _, src := range sources {
		if size += len(src.Content); size > maxSourceBytes {
			return nil, &Error{Reason: ReasonLimit, Template: src.Name, Msg: "the templates are larger than 1 MiB together"}
		}
		errs = append(errs, s.add(src)...)
	}
	if len(errs) == 0 {
		errs = s.check()
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	for _, name := range s.sources {
		s.refs[name] = s.collect(name)
	}
	return s, s.instrument()
}

// Names lists the sources, sorted.
func (s *Set) Names() []string { return slices.Clone(s.sources) }

// Has says whether the set has a source of that name.
func (s *Set) Has(name string) bool {
	_, found := slices.BinarySearch(s.sources, name)
	return found
}

func (s *Set) add(src Source) []error {
	if err := precheck(src); err != nil {
		return []error{err}
	}
	trees, err := parse.Parse(src.Name, src.Content, "", "", callable())
	if err != nil {
		return []error{syntaxError(src, err)}
	}
	if trees[src.Name] == nil {
		// The parser drops an empty source; it still is a template.
		trees[src.Name] = &parse.Tree{Name: src.Name, ParseName: src.Name, Root: &parse.ListNode{NodeType: parse.NodeList}}
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		tree := trees[name]
		switch {
		case !templateName.MatchString(name):
			errs = append(errs, &Error{Reason: ReasonSyntax, Template: src.Name, Msg: "template name " + strconv.Quote(clip(name)) + " is not valid", Hint: "use letters, digits, '.', '_', '/' and '-'"})
		case s.trees[name] != nil:
			errs = append(errs, &Error{Reason: ReasonSyntax, Template: src.Name, Msg: "template " + name + " is defined twice", Hint: "the other definition is in " + s.trees[name].ParseName})
		default:
			s.trees[name] = tree
		}
	}
	at, _ := slices.BinarySearch(s.sources, src.Name)
	s.sources = slices.Insert(s.sources, at, src.Name)
	return errs
}

// precheck refuses what would confuse or exhaust the parser.
func precheck(src Source) error {
	if !templateName.MatchString(src.Name) {
		return &Error{Reason: ReasonSyntax, Template: clip(src.Name), Msg: "the name of the template is not valid", Hint: "use letters, digits, '.', '_', '/' and '-'"}
	}
	if strings.ContainsAny(src.Content, holeOpen+holeClose) {
		return &Error{Reason: ReasonSyntax, Template: src.Name, Msg: "the private-use characters U+E0F1 and U+E0F2 are reserved"}
	}
	if blockDepth(src.Content) > maxBlockDepth {
		return &Error{Reason: ReasonSyntax, Template: src.Name, Msg: "blocks are nested more than 200 levels deep"}
	}
	return nil
}

var blockWord = regexp.MustCompile(`\{\{-?\s*(if|with|range|define|block|end)\b`)

// blockDepth overestimates the nesting of blocks, so that a hostile source
// cannot make the recursive parser use the stack without bound.
func blockDepth(text string) int {
	depth, deepest := 0, 0
	for text != "" {
		m := blockWord.FindStringSubmatchIndex(text)
		if m == nil {
			break
		}
		if text[m[2]:m[3]] == "end" {
			depth = max(0, depth-1)
		} else {
			depth++
		}
		deepest = max(deepest, depth)
		text = text[m[1]:]
	}
	return deepest
}

var parseErrorLine = regexp.MustCompile(`^template: .*?:(\d+): (?s:(.*))$`)

// syntaxError adds the column, which the parser does not tell: that of the word
// that it quotes, else that of the first action of the line.
func syntaxError(src Source, err error) *Error {
	out := &Error{Reason: ReasonSyntax, Template: src.Name, Msg: strings.TrimPrefix(err.Error(), "template: ")}
	m := parseErrorLine.FindStringSubmatch(err.Error())
	if m == nil {
		return out
	}
	out.Msg = clip(m[2])
	out.Line, _ = strconv.Atoi(m[1])
	lines := strings.Split(src.Content, "\n")
	if out.Line < 1 || out.Line > len(lines) {
		return out
	}
	line := lines[out.Line-1]
	out.Column = 1 + max(0, strings.Index(line, "{{"))
	if word := quotedWord(out.Msg); word != "" {
		if i := strings.Index(line, word); i >= 0 {
			out.Column = 1 + i
		}
		if strings.HasSuffix(out.Msg, "not defined") && strings.HasPrefix(out.Msg, "function ") {
			out.Hint = "it does not exist here; templates are hermetic, see the list of functions"
		}
	}
	return out
}

func quotedWord(msg string) string {
	_, rest, found := strings.Cut(msg, `"`)
	if !found {
		return ""
	}
	word, _, found := strings.Cut(rest, `"`)
	if !found {
		return ""
	}
	return word
}

func clip(s string) string {
	if len(s) > 256 {
		return strings.ToValidUTF8(s[:256], "") + "…"
	}
	return s
}

// placeOf finds line and column of a node; the tree counts columns from 0.
func placeOf(tree *parse.Tree, n parse.Node) place {
	p := place{template: tree.ParseName, line: 1, column: 1}
	location, _ := tree.ErrorContext(n)
	fields := strings.Split(location, ":")
	if len(fields) == 3 {
		p.line, _ = strconv.Atoi(fields[1])
		p.column, _ = strconv.Atoi(fields[2])
		p.column++
	}
	return p
}

func (p place) err(reason Reason, hint, msg string) *Error {
	return &Error{Reason: reason, Template: p.template, Line: p.line, Column: p.column, Msg: msg, Hint: hint}
}
