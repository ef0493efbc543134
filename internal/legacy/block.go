// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"slices"
	"strings"
)

// block is the text of an entry: its line, and the lines below that belong to it. It is not
// ok where actions of the template stand in it, or where an item would lose its dash.
func (s *source) block(e *entry) (start, end int, ok bool) {
	if e.item || s.actionBetween(e.lineStart, e.keyStart) {
		return 0, 0, false
	}
	end = e.lineEnd
	for end < len(s.text) {
		next := end + strings.IndexByte(s.text[end:]+"\n", '\n') + 1
		line := strings.TrimRight(s.text[end:min(next, len(s.text))], " \n")
		body := strings.TrimLeft(line, " ")
		indent := len(line) - len(body)
		if body != "" && (indent < e.indent || indent == e.indent && !strings.HasPrefix(body, "- ")) {
			break
		}
		end = min(next, len(s.text))
	}
	return e.lineStart, end, !s.controlBetween(e.lineStart, end)
}

func (s *source) actionBetween(start, end int) bool {
	return slices.ContainsFunc(s.actions, func(a *action) bool { return a.start >= start && a.start < end })
}

// controlBetween says whether a block of the template opens or closes between two offsets,
// or a variable is set there.
func (s *source) controlBetween(start, end int) bool {
	return slices.ContainsFunc(s.actions, func(a *action) bool {
		return a.start >= start && a.start < end && !a.comment && (a.word != "" || a.assigns)
	})
}

// remove takes an entry out, and what held nothing but it.
func (s *source) remove(e *entry) ([]edit, bool) {
	for {
		parent := s.parent(e)
		if parent == nil || s.children(parent) != 1 || parent.end > parent.start || parent.item {
			break
		}
		if _, _, ok := s.block(parent); !ok {
			break
		}
		e = parent
	}
	start, end, ok := s.block(e)
	return []edit{{start: start, end: end}}, ok
}

// parent is the key that an entry stands below.
func (s *source) parent(e *entry) *entry {
	i := slices.Index(s.entries, e)
	for i--; i >= 0; i-- {
		p := s.entries[i]
		if p.doc != e.doc {
			return nil
		}
		if p.indent < e.indent && len(p.path) < len(e.path) && slices.Equal(p.path, e.path[:len(p.path)]) {
			if len(p.path) == len(e.path)-1 {
				return p
			}
			return nil
		}
	}
	return nil
}

// children counts the entries directly below a key.
func (s *source) children(parent *entry) int {
	n := 0
	for _, e := range s.entries[slices.Index(s.entries, parent)+1:] {
		if e.doc != parent.doc || e.indent <= parent.indent {
			break
		}
		if len(e.path) == len(parent.path)+1 {
			n++
		}
	}
	return n
}

// twin is the entry above that has the same key in the same map.
func (s *source) twin(e *entry) *entry {
	i := slices.Index(s.entries, e)
	for i--; i >= 0; i-- {
		p := s.entries[i]
		switch {
		case p.doc != e.doc || p.indent < e.indent || p.item && p.indent == e.indent && !slices.Equal(p.path, e.path):
			return nil
		case p.indent == e.indent && slices.Equal(p.path, e.path):
			return p
		}
	}
	return nil
}
