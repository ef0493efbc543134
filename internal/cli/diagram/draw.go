// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"fmt"
	"strconv"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// colors of states, for Mermaid and Graphviz.
var colors = map[v1alpha1.RunState]string{
	v1alpha1.RunSucceeded: "#c8e6c9", v1alpha1.RunRunning: "#b3e5fc", v1alpha1.RunStalled: "#ffe0b2",
	v1alpha1.RunFailed: "#ffcdd2", v1alpha1.RunCancelled: "#ffcdd2", v1alpha1.RunSkipped: "#eeeeee",
}

// Text draws the plan for a terminal.
func (p *Plan) Text() []string {
	out := []string{fmt.Sprintf("plan %s of %s", p.Name, p.Of)}
	for i := range p.Phases {
		phase := &p.Phases[i]
		out = append(out, line(i, p.Strategy, "phase ", &phase.Node))
		for j := range phase.Steps {
			out = append(out, "   "+line(j, phase.Strategy, "", &phase.Steps[j]))
		}
	}
	if p.Then != "" {
		out = append(out, "if it fails: "+p.Then)
	}
	return out
}

// line is a node: numbered where the order is fixed, and with what it follows where it is not.
func line(i int, s v1alpha1.Strategy, what string, n *Node) string {
	text := fmt.Sprintf("%d. %s%s", i+1, what, n.Name)
	if s == v1alpha1.Parallel {
		text = "- " + what + n.Name
		if len(n.After) > 0 {
			text += " (after " + strings.Join(n.After, ", ") + ")"
		}
	}
	if n.When != "" {
		text += " (when " + strings.Join(strings.Fields(n.When), " ") + ")"
	}
	if n.State != "" {
		text += " [" + string(n.State) + "]"
	}
	if len(n.Does) > 0 {
		text += ": " + strings.Join(n.Does, "; ")
	}
	return text
}

// Mermaid draws the plan as a flowchart.
func (p *Plan) Mermaid() []string {
	out := []string{"flowchart TD"}
	add := func(indent, format string, args ...any) { out = append(out, indent+fmt.Sprintf(format, args...)) }
	for i := range p.Phases {
		phase := &p.Phases[i]
		add("  ", "subgraph p%d[%s]", i, mermaidText(&phase.Node))
		for j := range phase.Steps {
			add("    ", "p%ds%d[%s]", i, j, mermaidText(&phase.Steps[j]))
		}
		for _, e := range edges(phase.Steps) {
			add("    ", "p%ds%d --> p%ds%d", i, e[0], i, e[1])
		}
		add("  ", "end")
		for j := range phase.Steps {
			if c := colors[phase.Steps[j].State]; c != "" {
				add("  ", "style p%ds%d fill:%s", i, j, c)
			}
		}
	}
	for _, e := range edges(p.nodes()) {
		add("  ", "p%d --> p%d", e[0], e[1])
	}
	if p.Then != "" {
		add("  ", "p%d -. fails .-> f[%s]", len(p.Phases)-1, quoted(p.Then))
	}
	return out
}

func (p *Plan) nodes() []Node {
	var out []Node
	for i := range p.Phases {
		out = append(out, p.Phases[i].Node)
	}
	return out
}

// edges are the pairs of siblings of which one follows the other.
func edges(nodes []Node) [][2]int {
	at := map[string]int{}
	for i := range nodes {
		at[nodes[i].Name] = i
	}
	var out [][2]int
	for i := range nodes {
		for _, name := range nodes[i].After {
			out = append(out, [2]int{at[name], i})
		}
	}
	return out
}

// label is what stands in the box of a node.
func label(n *Node) []string {
	out := append([]string{n.Name}, n.Does...)
	if n.When != "" {
		out = append(out, "when "+strings.Join(strings.Fields(n.When), " "))
	}
	return out
}

func mermaidText(n *Node) string {
	var all []string
	for _, l := range label(n) {
		all = append(all, escaped(l))
	}
	return `"` + strings.Join(all, "<br/>") + `"`
}

func quoted(text string) string { return `"` + escaped(text) + `"` }

// escaped is a text that Mermaid takes for no markup.
func escaped(text string) string {
	return strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", " ").Replace(text)
}

// DOT draws the plan for Graphviz.
func (p *Plan) DOT() []string {
	out := []string{"digraph " + strconv.Quote(p.Name) + " {", "  compound=true; rankdir=TB; node [shape=box, style=\"rounded,filled\", fillcolor=white];"}
	add := func(indent, format string, args ...any) { out = append(out, indent+fmt.Sprintf(format, args...)) }
	for i := range p.Phases {
		phase := &p.Phases[i]
		add("  ", "subgraph cluster_p%d {", i)
		add("    ", "label=%s;", dotText(&phase.Node))
		if len(phase.Steps) == 0 {
			add("    ", "p%ds0 [style=invis];", i)
		}
		for j := range phase.Steps {
			color := ""
			if c := colors[phase.Steps[j].State]; c != "" {
				color = fmt.Sprintf(", fillcolor=%q", c)
			}
			add("    ", "p%ds%d [label=%s%s];", i, j, dotText(&phase.Steps[j]), color)
		}
		for _, e := range edges(phase.Steps) {
			add("    ", "p%ds%d -> p%ds%d;", i, e[0], i, e[1])
		}
		add("  ", "}")
	}
	for _, e := range edges(p.nodes()) {
		add("  ", "p%ds%d -> p%ds0 [ltail=cluster_p%d, lhead=cluster_p%d];", e[0], max(0, len(p.Phases[e[0]].Steps)-1), e[1], e[0], e[1])
	}
	return append(out, "}")
}

func dotText(n *Node) string { return strconv.Quote(strings.Join(label(n), "\n")) }
