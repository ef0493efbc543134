// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"strings"
)

// position says how a printed value stands in the YAML around it.
type position int

const (
	inText   position = iota // part of a plain scalar or of a key, or nobody knows
	whole                    // all of a plain scalar
	inQuotes                 // within quotes, or in a comment
	inBlock                  // within a block scalar
	ownLine                  // alone on a line where keys or items are expected
)

// place is where an action prints.
type place struct {
	pos  position
	path []string
	doc  int
	// indent is the column at which what is printed starts.
	indent int
}

// entry is one key of the YAML text, or an item that is a scalar.
type entry struct {
	path   []string
	doc    int
	indent int
	line   int
	depth  int
	// lineStart and lineEnd enclose the whole line, its line break included.
	lineStart, lineEnd int
	keyStart, keyEnd   int
	// start and end enclose the value on that line, without a comment; equal if there is none.
	start, end int
	// item says that a dash stands before the key on this line.
	item bool
}

// document is one YAML document of a template, as far as its text tells.
type document struct {
	start, end       int
	line             int
	apiVersion, kind string
	// depth is how many blocks of the template are open around the kind.
	depth int
	// split says that no block of the template is open where the document starts and ends.
	split bool
}

// layout reads the text around the actions line by line, by indentation. It understands
// what people write in manifests; of anything else it says inText, and nothing is changed.
type layout struct {
	src     *source
	entries []*entry
	docs    []*document

	stack []level
	// block is the indentation of the key whose block scalar is open; -1 if none is.
	block int
	// quote is the quote of a scalar that goes on over lines, brackets how many are open.
	quote    byte
	brackets int
	next     int
	depth    int
}

type level struct {
	indent int
	name   string
}

// In a line, printing actions are runes of a private area; their index is counted from here.
const mark = '\U000F0000'

// arrange fills in the places of the actions, the entries and the documents.
func arrange(src *source) *layout {
	l := &layout{src: src, block: -1}
	l.docs = []*document{{start: 0, line: 1, split: true}}
	number := 0
	for start := 0; start < len(src.text); {
		number++
		start = l.takeLine(start, number)
	}
	last := l.docs[len(l.docs)-1]
	last.end = len(src.text)
	last.split = last.split && l.depth == 0
	return l
}

// chars is a line with its actions folded; at maps each byte to the source.
type chars struct {
	text string
	at   []int
	// marks are the printing actions in the order of their runes.
	marks   []*action
	control bool
}

// takeLine reads a line, with all lines that an action in it goes on over, and returns
// where the next one starts.
func (l *layout) takeLine(start, number int) int {
	text := l.src.text
	var c chars
	var b strings.Builder
	i := start
	depth := l.depth
	for i < len(text) && text[i] != '\n' {
		if l.next < len(l.src.actions) && l.src.actions[l.next].start == i {
			a := l.src.actions[l.next]
			l.next++
			l.track(a)
			if a.prints() {
				r := string(mark + rune(len(c.marks)))
				for range len(r) {
					c.at = append(c.at, i)
				}
				b.WriteString(r)
				c.marks = append(c.marks, a)
			} else {
				c.control = true
			}
			i = a.end
			continue
		}
		b.WriteByte(text[i])
		c.at = append(c.at, i)
		i++
	}
	end := min(i+1, len(text))
	c.text = b.String()
	c.at = append(c.at, i)
	l.line(&c, &entry{line: number, depth: min(depth, l.depth), lineStart: start, lineEnd: end})
	return end
}

func (l *layout) track(a *action) {
	switch a.word {
	case "if", "range", "with", "define", "block":
		l.depth++
	case "end":
		l.depth = max(0, l.depth-1)
	}
}

func (l *layout) line(c *chars, e *entry) {
	indent := len(c.text) - len(strings.TrimLeft(c.text, " "))
	body := strings.TrimRight(c.text[indent:], " \t")
	e.doc, e.indent = len(l.docs)-1, indent
	switch {
	case body == "" && len(c.marks) == 0:
		return
	case l.block >= 0 && (l.shifted(c, body, indent) > l.block):
		l.place(c, 0, len(c.text), inBlock, nil, indent)
		return
	case l.quote != 0 || l.brackets > 0:
		l.block = -1
		l.goOn(c)
		return
	}
	l.block = -1
	if strings.HasPrefix(body, "---") && strings.TrimLeft(body, "-") == "" || body == "..." || strings.HasPrefix(body, "--- ") {
		l.document(e)
		return
	}
	if body[0] == '#' {
		l.place(c, 0, len(c.text), inQuotes, nil, indent)
		return
	}
	if marked, ok := onlyMarks(body); ok && marked {
		at := l.shifted(c, body, indent)
		l.place(c, 0, len(c.text), ownLine, l.pathAbove(at), at)
		return
	}
	l.structure(c, e, body, indent)
}

// shifted is the column at which a line starts once indent and nindent have done their work.
func (l *layout) shifted(c *chars, body string, indent int) int {
	if only, ok := onlyMarks(body); !ok || !only {
		return indent
	}
	if n := l.src.indentOf(c.marks[0]); n >= 0 {
		return indent + n
	}
	return indent
}

func (l *layout) document(e *entry) {
	now := l.docs[len(l.docs)-1]
	now.end = e.lineStart
	now.split = now.split && l.depth == 0
	l.docs = append(l.docs, &document{start: e.lineEnd, line: e.line + 1, split: l.depth == 0})
	l.stack = nil
}

// record keeps an entry, and what it says about its document.
func (l *layout) record(e *entry) {
	l.entries = append(l.entries, e)
	if len(e.path) != 1 {
		return
	}
	doc := l.docs[e.doc]
	value := strings.Trim(l.src.text[e.start:e.end], `"'`)
	switch e.path[0] {
	case "apiVersion":
		doc.apiVersion = value
	case "kind":
		doc.kind, doc.depth = value, e.depth
	}
}

// place sets the place of the actions between two columns.
func (l *layout) place(c *chars, from, to int, pos position, path []string, indent int) {
	for i, r := range c.text {
		if r >= mark && i >= from && i < to {
			if n := int(r - mark); n < len(c.marks) {
				c.marks[n].place = place{pos: pos, path: path, doc: len(l.docs) - 1, indent: indent}
			}
		}
	}
}

// pop leaves the levels that a line at a column is not within. A dash may stand in the
// column of the key that it belongs to.
func (l *layout) pop(indent int, dash bool) {
	for len(l.stack) > 0 {
		top := l.stack[len(l.stack)-1]
		if top.indent < indent || dash && top.indent == indent && top.name != "[]" {
			return
		}
		l.stack = l.stack[:len(l.stack)-1]
	}
}

func (l *layout) path() []string {
	out := make([]string, len(l.stack))
	for i, s := range l.stack {
		out[i] = s.name
	}
	return out
}

// pathAbove is the path of the collection that a line at a column belongs to.
func (l *layout) pathAbove(indent int) []string {
	var out []string
	for _, s := range l.stack {
		if s.indent < indent {
			out = append(out, s.name)
		}
	}
	return out
}
