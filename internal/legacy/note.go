// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says how much of something was carried over.
type Severity string

// The severities of notes.
const (
	// Changed is carried over, but works differently or looks different.
	Changed Severity = "carried differently"
	// Lost is not carried over.
	Lost Severity = "not carried"
)

// Note says what of the old package is not in the new one as it was.
type Note struct {
	// File of the old package, and the line; 0 for the whole file.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	// Severity says whether it was carried over.
	Severity Severity `json:"severity"`
	// What it is about, Why it is so, and what to Do; empty where nothing is to be done.
	What string `json:"what"`
	Why  string `json:"why"`
	Do   string `json:"do,omitempty"`
	// Blocks says that the package can not be published before this is changed.
	Blocks bool `json:"blocks,omitempty"`
}

// String is the note on one line.
func (n Note) String() string {
	var b strings.Builder
	b.WriteString(n.File)
	if n.Line > 0 {
		fmt.Fprintf(&b, ":%d", n.Line)
	}
	fmt.Fprintf(&b, ": %s: %s: %s", n.Severity, n.What, n.Why)
	if n.Do != "" {
		b.WriteString("; " + n.Do)
	}
	return b.String()
}

func (im *importer) note(n Note) {
	n.What, n.Why, n.Do = oneLine(n.What), oneLine(n.Why), oneLine(n.Do)
	if !slices.Contains(im.notes, n) && len(im.notes) < maxNotes {
		im.notes = append(im.notes, n)
	}
}

// changed and lost are the usual notes.
func (im *importer) changed(file string, line int, what, why, do string) {
	im.note(Note{File: file, Line: line, Severity: Changed, What: what, Why: why, Do: do})
}

func (im *importer) lost(file string, line int, what, why, do string) {
	im.note(Note{File: file, Line: line, Severity: Lost, What: what, Why: why, Do: do})
}

// blocked is something that must be changed by a person first.
func (im *importer) blocked(file string, line int, what, why, do string) {
	im.note(Note{File: file, Line: line, Severity: Lost, What: what, Why: why, Do: do, Blocks: true})
}

func (im *importer) sortNotes() {
	for i := range im.notes {
		im.notes[i].File = im.files.prefix + im.notes[i].File
	}
	slices.SortStableFunc(im.notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}

func oneLine(s string) string {
	return clip(strings.Join(strings.Fields(s), " "), 400)
}

func clip(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
