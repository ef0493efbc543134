// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"strings"
	"text/template"
)

// execution is the state of one Render: budgets, holes and positions.
type execution struct {
	set   *Set
	tmpl  *template.Template
	steps int
	work  int
	depth int
	// nested counts includes: only the outermost output has positions.
	nested int
	at     int
	holes  []hole
	out    *output
	marks  []mark
}

// mark says which source text stands at an offset of the output.
type mark struct{ offset, place int }

// run executes a template; the markup that it returns still has its holes.
func (s *Set) run(name string, v Values) (*execution, markup, error) {
	if !s.Has(name) {
		return nil, "", &Error{Reason: ReasonExecution, Template: clip(name), Msg: "there is no such template"}
	}
	data, err := v.data()
	if err != nil {
		return nil, "", err
	}
	x := &execution{set: s, steps: s.limits.Steps * stepUnit, work: s.limits.Work}
	x.out = &output{x: x}
	if x.tmpl, err = s.base.Clone(); err != nil {
		return nil, "", &Error{Reason: ReasonExecution, Template: name, Msg: "the set of templates cannot be copied"}
	}
	x.tmpl.Funcs(x.functions())
	if err := x.execute(x.out, name, data); err != nil {
		return nil, "", err
	}
	text := markup(x.out.buf.String())
	if x.resolvedLen(text) > s.limits.Output {
		return nil, "", &Error{Reason: ReasonLimit, Template: name, Msg: "renders more than 1 MiB", Hint: "split the template"}
	}
	return x, text, nil
}

func (x *execution) execute(w *output, name string, data any) error {
	err := x.tmpl.ExecuteTemplate(w, name, data)
	if err == nil {
		return nil
	}
	own := located(err)
	if own.Template == "" {
		p := x.set.places[x.at]
		out := *own
		out.Template, out.Line, out.Column = p.template, p.line, p.column
		return &out
	}
	return own
}

// include renders another template of the set into a string of markup.
func (x *execution) include(name string, data any) (markup, error) {
	if x.tmpl.Lookup(name) == nil {
		return "", fault("name a source or a define block of this version", "there is no template %s", clip(name))
	}
	w := &output{x: x}
	x.nested++
	err := x.execute(w, name, data)
	x.nested--
	return markup(w.buf.String()), err
}

func (x *execution) step(at int) (string, error) {
	x.at = at
	if x.steps -= x.set.places[at].cost; x.steps < 0 {
		return "", limit("a loop or a recursion does not end, or does too much", "the template takes more than %d steps", x.set.limits.Steps)
	}
	x.mark(at)
	return "", nil
}

func (x *execution) enter(at int) (string, error) {
	if x.depth++; x.depth > x.set.limits.Depth {
		return "", limit("look for a template that includes itself", "templates include each other more than %d levels deep", x.set.limits.Depth)
	}
	return x.step(at)
}

func (x *execution) leave(int) string {
	x.depth--
	return ""
}

func (x *execution) position(at int) string {
	x.at = at
	x.mark(at)
	return ""
}

func (x *execution) mark(at int) {
	if x.nested > 0 {
		return
	}
	offset := x.out.buf.Len()
	if n := len(x.marks); n > 0 && x.marks[n-1].offset == offset {
		x.marks[n-1].place = at
		return
	}
	x.marks = append(x.marks, mark{offset, at})
}

// charge pays for reading or writing n bytes.
func (x *execution) charge(n int) error {
	if n < 0 || n > x.work {
		x.work = 0
		return limit("do less in the template", "the template processes more than %d MiB", x.set.limits.Work>>20)
	}
	x.work -= n
	return nil
}

// output is the writer of a template; it stops at the cap.
type output struct {
	x   *execution
	buf bytes.Buffer
}

// Write appends p, if the budgets allow it.
func (o *output) Write(p []byte) (int, error) {
	if o.buf.Len()+len(p) > o.x.set.limits.Output {
		return 0, limit("split the template", "the template renders more than 1 MiB")
	}
	if err := o.x.charge(len(p)); err != nil {
		return 0, err
	}
	return o.buf.Write(p)
}

// place finds the source of a line of the output, counted from 1. Rendered text
// after the last mark is the author's own, so its line breaks count too.
func (x *execution) place(text string, line int) place {
	start := lineOffset(text, line)
	end := lineOffset(text, line+1)
	found := -1
	for i, m := range x.marks {
		if m.offset > start && (found >= 0 || m.offset >= end) {
			break
		}
		found = i
	}
	if found < 0 {
		return place{}
	}
	m := x.marks[found]
	p := x.set.places[m.place]
	if m.offset < start && p.expr == "" {
		p.line += strings.Count(text[m.offset:start], "\n")
		p.column = 0
	}
	return place{template: p.template, line: p.line, column: p.column}
}

func lineOffset(text string, line int) int {
	offset := 0
	for range line - 1 {
		i := strings.IndexByte(text[offset:], '\n')
		if i < 0 {
			return len(text)
		}
		offset += i + 1
	}
	return offset
}
