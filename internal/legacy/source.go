// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// source is one template of the old package.
type source struct {
	name    string
	text    string
	actions []*action
	lines   []int
	// trees are the template and the blocks that it defines, by name.
	trees   map[string]*parse.Tree
	entries []*entry
	docs    []*document
	// variables says that a variable is set outside of any block: the documents of the
	// template depend on each other.
	variables bool
	// context are the names of the run that it reads, such as PlanName.
	context []string
	// uses are the parameters that it reads, runs the places where it reads of the run.
	uses     []use
	metadata []reference
	calls    []call
}

// file is the path of the template in the old package.
func (s *source) file() string { return templatesDir + s.name }

var parserMessage = regexp.MustCompile(`^template: .*?:(\d+): (?s:(.*))$`)

// parseSource reads a template. A text that is no template is an error of the package.
func parseSource(name, text string) (*source, *Error) {
	s := &source{name: name, text: text, trees: map[string]*parse.Tree{}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i)
		}
	}
	actions, wrong := scan(text)
	if wrong != "" {
		return nil, &Error{File: s.file(), Msg: wrong}
	}
	s.actions = actions
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", s.trees); err != nil {
		out := &Error{File: s.file(), Msg: clip(err.Error(), 200)}
		if m := parserMessage.FindStringSubmatch(err.Error()); m != nil {
			out.Line, _ = strconv.Atoi(m[1])
			out.Msg = "is no template: " + clip(m[2], 200)
		}
		return nil, out
	}
	l := arrange(s)
	s.entries, s.docs = l.entries, l.docs
	return s, nil
}

// line is the line of an offset.
func (s *source) line(offset int) int {
	i, _ := slices.BinarySearch(s.lines, offset)
	return i + 1
}

// actionAt finds the action around an offset.
func (s *source) actionAt(offset int) *action {
	i, found := slices.BinarySearchFunc(s.actions, offset, func(a *action, at int) int { return a.start - at })
	if !found {
		i--
	}
	if i < 0 || offset >= s.actions[i].end {
		return nil
	}
	return s.actions[i]
}

var indentCall = regexp.MustCompile(`\bn?indent[ \t]+([0-9]{1,3})$`)

// indentOf is the width of the indent or nindent that an action ends with; -1 without one.
// It only tells where lines go that hold nothing but this action.
func (s *source) indentOf(a *action) int {
	code := s.text[a.from:a.to]
	if m := indentCall.FindStringSubmatch(code); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	if fields := strings.Fields(code); len(fields) > 1 && (fields[0] == "indent" || fields[0] == "nindent") {
		if n, err := strconv.Atoi(fields[1]); err == nil && n >= 0 && n < 1000 {
			return n
		}
	}
	return -1
}

// treeNames lists the template itself and its blocks, sorted.
func (s *source) treeNames() []string { return slices.Sorted(maps.Keys(s.trees)) }

// parseTemplates reads the templates that a task names.
func (im *importer) parseTemplates() []error {
	var errs []error
	named := im.resources()
	for _, file := range im.files.names {
		name, found := strings.CutPrefix(file, templatesDir)
		if !found {
			continue
		}
		if !named[name] {
			im.lost(file, 0, "the template", "no task of a plan names it", "")
			continue
		}
		s, err := parseSource(name, string(im.files.content[file]))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		im.sources[name] = s
	}
	return errs
}

// resources are the templates that tasks name.
func (im *importer) resources() map[string]bool {
	out := map[string]bool{}
	for _, t := range im.operator.tasks {
		for _, r := range t.resources {
			out[r.text] = true
		}
		if t.pod.text != "" {
			out[t.pod.text] = true
		}
	}
	return out
}

func (im *importer) sourceNames() []string { return slices.Sorted(maps.Keys(im.sources)) }
