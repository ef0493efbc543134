// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"cmp"
	"slices"
	"strings"
)

// edit replaces the text between two offsets of a template.
type edit struct {
	start, end int
	text       string
	// copied is text of the template that follows, edited like it, each line behind pad.
	copied *piece
	pad    string
}

// apply makes the edits within a part of a text. Of edits that overlap the widest counts:
// what is replaced as a whole needs no changes within; what is put in front of it stays.
// It also gives for each line of the result the offset in the text that it came from.
func apply(text string, start, end int, edits []edit) (string, []int) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit) int {
		if a.start == b.start && (a.end == a.start) != (b.end == b.start) {
			return cmp.Compare(a.end, b.end)
		}
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	var b strings.Builder
	at, lines := start, []int{start}
	keep := func(to int) {
		for i := at; i < to; i++ {
			if text[i] == '\n' {
				lines = append(lines, i+1)
			}
		}
		b.WriteString(text[at:to])
	}
	for _, e := range edits {
		if e.start < at || e.end > end {
			continue
		}
		keep(e.start)
		inserted := e.text + e.copy(text, edits)
		b.WriteString(inserted)
		for range strings.Count(inserted, "\n") {
			lines = append(lines, e.start)
		}
		at = e.end
	}
	keep(end)
	return b.String(), lines
}

// copy is the text that an edit copies.
func (e *edit) copy(text string, edits []edit) string {
	if e.copied == nil {
		return ""
	}
	own := slices.DeleteFunc(slices.Clone(edits), func(e edit) bool { return e.copied != nil })
	body, _ := apply(text, e.copied.start, e.copied.end, own)
	first := len(body) - len(strings.TrimLeft(body, " "))
	var b strings.Builder
	for line := range strings.Lines(body) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(e.pad + strings.TrimRight(line[min(first, len(line)):], "\n") + "\n")
		}
	}
	return b.String()
}

// scope is the run that a template is rendered in: KUDO told templates its names, Kudo does
// not, so that what is rendered is the same in every plan.
type scope struct {
	plan, phase, step, task string
	number                  int
	// job says that the template is that of a job task.
	job bool
}

// output is a template of the new package: a part of an old one, for one scope.
type output struct {
	name       string
	src        *source
	start, end int
	scope      scope
	content    string
	// lines are the offsets in the source that the lines of the content came from.
	lines []int
}

// edits are all changes to a template for a scope.
func (im *importer) edits(s *source, sc scope) []edit {
	var out []edit
	for _, u := range s.uses {
		if p := im.byName[u.parameter]; p != nil {
			out = append(out, im.useEdits(p, u)...)
		}
	}
	for _, r := range s.metadata {
		out = append(out, im.referenceEdit(s, r, sc))
	}
	for _, a := range s.actions {
		if e, needed := im.resolve(s, a); needed {
			out = append(out, e)
		}
	}
	out = append(out, im.callEdits(s)...)
	out = append(out, im.entryEdits(s)...)
	return slices.DeleteFunc(out, func(e edit) bool { return e.start == e.end && e.text == "" })
}

// writeTemplates fills in the content of the outputs.
func (im *importer) writeTemplates() {
	for _, o := range im.build.outputs {
		content, lines := apply(o.src.text, o.start, o.end, im.edits(o.src, o.scope))
		stripped := strings.TrimLeft(content, "\n")
		o.lines = lines[len(content)-len(stripped):]
		if o.content = strings.TrimRight(stripped, "\n"); o.content != "" {
			o.content += "\n"
		}
	}
}
