// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/generate"
)

// maxLabel is how many characters of a text a picture shows.
const maxLabel = 48

// block is a phase or a step in a picture.
type block struct {
	node  *engine.Node
	title string
	lines []string
	// steps of a phase.
	steps []block
}

// picture of a plan, from what the engine runs.
type picture struct {
	title  string
	phases []block
	root   *engine.Node
	// failure says what follows when a step can not be done; requires, what must hold first.
	failure  string
	requires int
}

func draw(s *generate.Source, p *v1alpha1.Plan) picture {
	plan := s.Version.Plans[p.Name]
	out := picture{
		title: fmt.Sprintf("%s %s: %s", s.Framework.Name, s.Version.Spec.Version, p.Name),
		root:  plan.Program.Root, failure: failureLabel(p.OnFailure), requires: len(p.Require),
	}
	for i := range p.Phases {
		ph := &p.Phases[i]
		phase := block{node: out.root.Children[i], title: ph.Name, lines: when(ph.When)}
		for j := range ph.Steps {
			step := &ph.Steps[j]
			phase.steps = append(phase.steps, block{node: phase.node.Children[j], title: step.Name, lines: stepLines(phase.node.Children[j], step)})
		}
		out.phases = append(out.phases, phase)
	}
	return out
}

func stepLines(n *engine.Node, step *v1alpha1.Step) []string {
	out := when(step.When)
	for _, t := range n.Children {
		label := string(t.Task.Kind)
		if t.Name != label {
			label += " " + t.Name
		}
		if n.Strategy == v1alpha1.Parallel {
			label = "∥ " + label
		}
		out = append(out, label+" ("+short(t.Task.Timeout)+")")
	}
	if len(step.Undo) > 0 {
		names := make([]string, 0, len(step.Undo))
		for _, u := range step.Undo {
			names = append(names, u.Task)
		}
		out = append(out, "undo: "+strings.Join(names, ", "))
	}
	return out
}

func when(condition string) []string {
	if condition == "" {
		return nil
	}
	return []string{"if " + clip(condition)}
}

func clip(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > maxLabel {
		return string(runes[:maxLabel-1]) + "…"
	}
	return string(runes)
}

// failureLabel is what a picture says of onFailure.
func failureLabel(of *v1alpha1.OnFailure) string {
	switch {
	case of == nil:
		return "stalls and waits for a person"
	case of.Rollback:
		return undoFirst(of) + "rollback"
	case of.Plan != "":
		return undoFirst(of) + "plan " + of.Plan
	case of.Undo:
		return "undo, then Failed"
	default:
		return "Failed"
	}
}

func undoFirst(of *v1alpha1.OnFailure) string {
	if of.Undo {
		return "undo, then "
	}
	return ""
}

// edges are the pairs of siblings of which the second waits for the first.
func edges(parent *engine.Node) [][2]int {
	var out [][2]int
	for i, n := range parent.Children {
		if parent.Strategy != v1alpha1.Parallel {
			if i > 0 {
				out = append(out, [2]int{i - 1, i})
			}
			continue
		}
		for _, name := range n.DependsOn {
			if at := slices.IndexFunc(parent.Children, func(c *engine.Node) bool { return c.Name == name }); at >= 0 {
				out = append(out, [2]int{at, i})
			}
		}
	}
	return out
}

// layers sorts siblings so that each stands below all that it waits for.
func layers(parent *engine.Node) [][]int {
	level := make([]int, len(parent.Children))
	for range parent.Children { // the longest chain has as many links
		for _, e := range edges(parent) {
			level[e[1]] = max(level[e[1]], level[e[0]]+1)
		}
	}
	var out [][]int
	for i, l := range level {
		for len(out) <= l {
			out = append(out, nil)
		}
		out[l] = append(out[l], i)
	}
	return out
}

// mermaidText keeps words of an author from being read as Mermaid.
var mermaidText = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;", "&", "#amp;", "\n", " ")

func mermaidLabel(b block) string {
	parts := make([]string, 0, len(b.lines)+1)
	for _, line := range append([]string{b.title}, b.lines...) {
		parts = append(parts, mermaidText.Replace(line))
	}
	return `"` + strings.Join(parts, "<br>") + `"`
}

// Mermaid draws a plan as a flow chart in Mermaid's language.
func Mermaid(s *generate.Source, p *v1alpha1.Plan) string {
	pic := draw(s, p)
	var out strings.Builder
	out.WriteString("flowchart TB\n")
	for i, ph := range pic.phases {
		fmt.Fprintf(&out, "  subgraph p%d[%s]\n    direction TB\n", i, mermaidLabel(block{title: ph.title, lines: ph.lines}))
		for j, step := range ph.steps {
			fmt.Fprintf(&out, "    p%ds%d[%s]\n", i, j, mermaidLabel(step))
		}
		for _, e := range edges(ph.node) {
			fmt.Fprintf(&out, "    p%ds%d --> p%ds%d\n", i, e[0], i, e[1])
		}
		out.WriteString("  end\n")
	}
	for _, e := range edges(pic.root) {
		fmt.Fprintf(&out, "  p%d --> p%d\n", e[0], e[1])
	}
	fmt.Fprintf(&out, "  failure([\"a step fails: %s\"])\n", mermaidText.Replace(pic.failure))
	return out.String()
}
