// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"slices"
	"strings"
)

// structure reads dashes, a key and a value.
func (l *layout) structure(c *chars, e *entry, body string, indent int) {
	at := indent
	l.pop(at, strings.HasPrefix(body, "- ") || body == "-")
	for body == "-" || strings.HasPrefix(body, "- ") {
		e.item = true
		l.stack = append(l.stack, level{at, "[]"})
		rest := strings.TrimLeft(body[1:], " ")
		at += len(body) - len(rest)
		body = rest
	}
	e.indent = at
	if body == "" {
		return
	}
	name, quoted, size := key(body)
	if size > 0 {
		l.stack = append(l.stack, level{at, name})
		e.keyStart, e.keyEnd = c.at[at], c.at[at+quoted]
		l.place(c, at, at+quoted, inText, l.path(), at)
		rest := strings.TrimLeft(body[size:], " ")
		at += len(body) - len(rest)
		body = rest
	}
	e.path = l.path()
	l.value(c, e, body, at, size > 0)
}

// value reads what stands behind a key or a dash.
func (l *layout) value(c *chars, e *entry, body string, at int, keyed bool) {
	end := at + len(body)
	if i := commentIn(body); i >= 0 {
		l.place(c, at+i, at+len(body), inQuotes, nil, at)
		body = strings.TrimRight(body[:i], " \t")
		end = at + len(body)
	}
	e.start, e.end = c.at[at], c.at[end]
	if keyed || e.item {
		l.record(e)
	}
	switch {
	case body == "":
	case body[0] == '|' || body[0] == '>':
		l.block = e.indent
		if !keyed {
			l.block = e.indent - 1
		}
	case body[0] == '"' || body[0] == '\'':
		l.place(c, at, end, inQuotes, e.path, at)
		if yamlClosing(body, 0) < 0 {
			l.quote = body[0]
		}
	case body[0] == '[' || body[0] == '{':
		l.flow(c, e, body, at)
	default:
		pos := inText
		if only, _ := onlyMarks(body); only && strings.Count(body, "") == 2 && (keyed || e.item) {
			pos = whole
		}
		l.place(c, at, end, pos, e.path, at)
	}
}

// goOn reads a line that belongs to a quoted scalar or a flow collection above.
func (l *layout) goOn(c *chars) {
	l.place(c, 0, len(c.text), inQuotes, nil, 0)
	if l.quote != 0 {
		if i := yamlClosing(string(l.quote)+c.text, 0); i >= 0 {
			l.quote = 0
		}
		return
	}
	l.brackets += balance(c.text)
	l.brackets = max(0, l.brackets)
}

// flow reads a flow collection: an element that is a value alone is whole.
func (l *layout) flow(c *chars, e *entry, body string, at int) {
	l.place(c, at, at+len(body), inQuotes, e.path, at)
	l.brackets = max(0, balance(body))
	if body[0] != '[' || l.brackets != 0 || strings.ContainsAny(body[1:], "[{'\"") {
		return
	}
	offset := 1
	for _, part := range strings.Split(strings.TrimSuffix(body[1:], "]"), ",") {
		text := strings.TrimSpace(part)
		pos := inText
		if only, _ := onlyMarks(text); only && strings.Count(text, "") == 2 {
			pos = whole
		}
		l.place(c, at+offset, at+offset+len(part), pos, append(slices.Clone(e.path), "[]"), at)
		offset += len(part) + 1
	}
}
