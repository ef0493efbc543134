// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Command terminal draws what a program wrote to a terminal as an SVG, for the
// documentation:
//
//	go run ./hack/docs/terminal TITLE < internal/cli/oncall/testdata/status-running.tty.golden
package main

import (
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: terminal TITLE < OUTPUT > SVG")
		os.Exit(2)
	}
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "terminal:", err)
		os.Exit(1)
	}
	fmt.Print(draw(os.Args[1], string(raw)))
}

// style is how the text after an escape sequence looks.
var style = map[string]string{
	"1": "font-weight:bold", "2": "fill:#8b949e", "31": "fill:#ff7b72", "32": "fill:#7ee787", "33": "fill:#e3b341", "36": "fill:#79c0ff",
}

var escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")

const (
	width, height = 8.4, 19
	margin, head  = 16, 52
)

// draw makes the SVG.
func draw(title, text string) string {
	// Golden files spell the character of escape sequences out.
	text = strings.ReplaceAll(text, "ESC[", "\x1b[")
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	widest := utf8.RuneCountInString(title)
	for _, l := range lines {
		widest = max(widest, utf8.RuneCountInString(escape.ReplaceAllString(l, "")))
	}
	w, h := int(float64(widest)*width)+2*margin, len(lines)*height+head+margin
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", w, h, w, h)
	fmt.Fprintf(&out, "<title>%s</title>\n", html.EscapeString(title))
	fmt.Fprintf(&out, `<rect width="%d" height="%d" rx="8" fill="#0d1117"/>`+"\n", w, h)
	fmt.Fprintf(&out, `<g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14" fill="#e6edf3" xml:space="preserve">`+"\n")
	fmt.Fprintf(&out, `<text x="%d" y="28" style="fill:#8b949e">$ %s</text>`+"\n", margin, html.EscapeString(title))
	for i, l := range lines {
		fmt.Fprintf(&out, `<text x="%d" y="%d">%s</text>`+"\n", margin, head+i*height+height/2, spans(l))
	}
	return out.String() + "</g>\n</svg>\n"
}

// spans turns the escape sequences of a line into styled spans.
func spans(line string) string {
	var out strings.Builder
	now := ""
	put := func(text string) {
		if text = html.EscapeString(text); text == "" {
			return
		}
		if now == "" {
			out.WriteString(text)
			return
		}
		fmt.Fprintf(&out, `<tspan style="%s">%s</tspan>`, now, text)
	}
	last := 0
	for _, m := range escape.FindAllStringSubmatchIndex(line, -1) {
		put(line[last:m[0]])
		now, last = style[line[m[2]:m[3]]], m[1]
	}
	put(line[last:])
	return out.String()
}
