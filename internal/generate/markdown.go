// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"fmt"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// prose keeps words of an author from being read as Markdown or HTML.
var prose = strings.NewReplacer("\\", "\\\\", "<", "&lt;", "|", "\\|", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[", "\n", " ")

// Prose is a text of an author on one line of Markdown.
func Prose(text string) string { return prose.Replace(strings.TrimSpace(text)) }

// Code is a text as code within a line of Markdown, also within a table.
func Code(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), "|", "\\|")
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// Table is a table of Markdown; cells are Markdown already.
func Table(head []string, rows [][]string) string {
	var out strings.Builder
	line := func(cells []string) { out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(head)
	out.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	return out.String()
}

// ParameterTables are tables of all parameters, one for each group, below headings of a
// level. prefix stands before each name.
func (s *Source) ParameterTables(level int, prefix string) (string, error) {
	var out strings.Builder
	groups := s.Groups()
	for i, g := range groups {
		if i > 0 {
			out.WriteString("\n")
		}
		if g.Name != "" {
			fmt.Fprintf(&out, "%s %s\n\n", strings.Repeat("#", level), Prose(g.Name))
		} else if len(groups) > 1 {
			fmt.Fprintf(&out, "%s General\n\n", strings.Repeat("#", level))
		}
		rows := make([][]string, 0, len(g.Parameters))
		for _, p := range g.Parameters {
			row, err := parameterRow(p, prefix)
			if err != nil {
				return "", err
			}
			rows = append(rows, row)
		}
		out.WriteString(Table([]string{"parameter", "type", "default", "meaning"}, rows))
	}
	return out.String(), nil
}

func parameterRow(p *v1alpha1.Parameter, prefix string) ([]string, error) {
	schema, err := Schema(p)
	if err != nil {
		return nil, err
	}
	fallback := ""
	if p.Default != nil {
		fallback = Code(Compact(p.Default.Raw))
	}
	meaning := []string{}
	if p.DisplayName != "" {
		meaning = append(meaning, "**"+Prose(Sentence(p.DisplayName))+"**")
	}
	if p.Description != "" {
		meaning = append(meaning, Prose(Sentence(p.Description)))
	}
	for _, note := range Notes(p) {
		meaning = append(meaning, Prose(note))
	}
	if pattern, ok := schema["pattern"].(string); ok {
		meaning = append(meaning, "Pattern: "+Code(pattern)+".")
	}
	return []string{Code(prefix + p.Name), Prose(Type(schema)), fallback, strings.Join(meaning, " ")}, nil
}

// Sentence ends a text with a full stop.
func Sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}
