// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"strings"
	"unicode/utf8"
)

// Cell is a field of a table.
type Cell struct {
	// Text is shown in one line.
	Text string
	// Color of the text; empty for none.
	Color string
}

// Text is a row of cells without colours.
func Text(texts ...string) []Cell {
	row := make([]Cell, 0, len(texts))
	for _, t := range texts {
		row = append(row, Cell{Text: t})
	}
	return row
}

// Table lays rows out in columns, the first row being the heading. An empty cell shows as
// <none>; the last column may be ragged.
func (l Look) Table(rows [][]Cell) []string {
	const gap = "   "
	var widths []int
	for _, row := range rows {
		for i := range row {
			row[i].Text = Plain(row[i].Text)
			if row[i].Text == "" {
				row[i].Text = "<none>"
			}
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].Text))
		}
	}
	out := make([]string, 0, len(rows))
	for _, row := range rows {
		var b strings.Builder
		for i, c := range row {
			b.WriteString(l.Paint(c.Color, c.Text))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.Text)) + gap)
			}
		}
		out = append(out, b.String())
	}
	return out
}
