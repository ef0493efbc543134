// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/generate"
)

// Measures in pixels. The font is of one width, so that text can be measured without it.
const (
	charWidth  = 7.3
	lineHeight = 17
	padding    = 12
	gap        = 28
)

// style follows the reader's choice of a light or a dark page.
const style = `<style>
text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; }
.title { font-weight: bold; font-size: 14px; }
.name { font-weight: bold; }
.phase { fill: #f6f8fa; stroke: #8c959f; }
.step { fill: #ffffff; stroke: #0969da; }
.edge { stroke: #57606a; fill: none; marker-end: url(#arrow); }
.head { fill: #57606a; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .phase { fill: #161b22; stroke: #6e7681; }
  .step { fill: #0d1117; stroke: #58a6ff; }
  .edge { stroke: #8b949e; }
  .head { fill: #8b949e; }
}
</style>
`

// rect is where a block stands.
type rect struct{ x, y, w, h float64 }

// canvas collects shapes: edges are drawn first, so that they run below the blocks.
type canvas struct{ edges, blocks strings.Builder }

func (c *canvas) text(class string, x, y float64, text string) {
	fmt.Fprintf(&c.blocks, `<text class="%s" x="%.0f" y="%.0f">%s</text>`+"\n", class, x, y, html.EscapeString(text))
}

func (c *canvas) box(class string, r rect) {
	fmt.Fprintf(&c.blocks, `<rect class="%s" x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="6"/>`+"\n", class, r.x, r.y, r.w, r.h)
}

func (c *canvas) arrow(from, to rect) {
	x1, y1, x2, y2 := from.x+from.w/2, from.y+from.h, to.x+to.w/2, to.y
	bend := (y2 - y1) / 2
	fmt.Fprintf(&c.edges, `<path class="edge" d="M%.0f %.0f C%.0f %.0f %.0f %.0f %.0f %.0f"/>`+"\n", x1, y1, x1, y1+bend, x2, y2-bend, x2, y2-2)
}

// SVG draws a plan as a picture.
func SVG(s *generate.Source, p *v1alpha1.Plan) string {
	pic := draw(s, p)
	c := &canvas{}
	foot := []string{"a step fails: " + pic.failure}
	if pic.requires > 0 {
		foot = append(foot, fmt.Sprintf("before the first step: %d requirements", pic.requires))
	}
	width := textWidth(append([]string{pic.title}, foot...))
	phases, size := arrange(pic.root, sizes(pic.phases), rect{x: padding, y: padding + 2*lineHeight})
	for i, ph := range pic.phases {
		c.phase(ph, phases[i])
	}
	for _, e := range edges(pic.root) {
		c.arrow(phases[e[0]], phases[e[1]])
	}
	width = max(width, size.w) + 2*padding
	y := padding + 2*lineHeight + size.h + gap/2
	for _, line := range foot {
		y += lineHeight
		c.text("note", padding, y, line)
	}
	c.text("title", padding, padding+lineHeight, pic.title)
	height := y + padding
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&out, "<title>%s</title>\n<desc>%s</desc>\n", html.EscapeString(pic.title), html.EscapeString(describe(pic)))
	out.WriteString(style)
	out.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>` + "\n")
	// Phases are wide areas: what joins steps within them must lie above.
	out.WriteString(c.blocks.String() + c.edges.String() + "</svg>\n")
	return out.String()
}

// phase draws a phase and the steps within.
func (c *canvas) phase(ph block, at rect) {
	c.box("phase", at)
	c.lines(ph, at)
	top := at.y + padding + float64(1+len(ph.lines))*lineHeight + padding/2
	steps, _ := arrange(ph.node, sizes(ph.steps), rect{x: at.x + padding, y: top})
	for j, step := range ph.steps {
		c.box("step", steps[j])
		c.lines(step, steps[j])
	}
	for _, e := range edges(ph.node) {
		c.arrow(steps[e[0]], steps[e[1]])
	}
}

func (c *canvas) lines(b block, at rect) {
	y := at.y + padding/2 + lineHeight - 3
	c.text("name", at.x+padding, y, b.title)
	for _, line := range b.lines {
		y += lineHeight
		c.text("line", at.x+padding, y, line)
	}
}

// sizes measures blocks.
func sizes(blocks []block) []rect {
	out := make([]rect, 0, len(blocks))
	for _, b := range blocks {
		r := rect{w: textWidth(append([]string{b.title}, b.lines...)) + 2*padding, h: float64(1+len(b.lines))*lineHeight + padding}
		if len(b.steps) > 0 {
			_, inner := arrange(b.node, sizes(b.steps), rect{})
			r.w = max(r.w, inner.w+2*padding)
			r.h += inner.h + padding
		}
		out = append(out, r)
	}
	return out
}

// arrange puts the children of a node in rows below each other, one for each layer, and
// gives the size of all.
func arrange(parent *engine.Node, size []rect, at rect) (placed []rect, whole rect) {
	placed = make([]rect, len(size))
	for row, layer := range layers(parent) {
		if row > 0 {
			whole.h += gap
		}
		x, high := 0.0, 0.0
		for k, i := range layer {
			if k > 0 {
				x += gap / 2
			}
			placed[i] = rect{at.x + x, at.y + whole.h, size[i].w, size[i].h}
			x += size[i].w
			high = max(high, size[i].h)
		}
		whole.w = max(whole.w, x)
		whole.h += high
	}
	return placed, whole
}

func textWidth(lines []string) float64 {
	width := 0
	for _, l := range lines {
		width = max(width, utf8.RuneCountInString(l))
	}
	return float64(width) * charWidth
}

// describe tells in words what the picture shows.
func describe(pic picture) string {
	names := make([]string, 0, len(pic.phases))
	for _, ph := range pic.phases {
		steps := make([]string, 0, len(ph.steps))
		for _, s := range ph.steps {
			steps = append(steps, s.title)
		}
		names = append(names, ph.title+" ("+strings.Join(steps, ", ")+")")
	}
	return "Phases: " + strings.Join(names, "; ") + ". If a step fails: " + pic.failure + "."
}
