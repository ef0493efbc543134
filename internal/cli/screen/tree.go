// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Part is an execution, or a phase or step of it.
type Part struct {
	// path from the plan on; branch is what is drawn before the name.
	path, branch, name string
	depth              int
	state              v1alpha1.RunState
	from, to           *metav1.MicroTime
	note               string
}

// Parts lists an execution and all below it, in the order of the plan.
func Parts(pe *v1alpha1.PlanExecution) []Part {
	s := pe.Status
	top := Part{path: pe.Spec.Plan, name: pe.Spec.Plan, state: s.State, from: s.StartedAt, to: s.FinishedAt}
	switch s.State {
	case v1alpha1.RunStalled, v1alpha1.RunFailed, v1alpha1.RunCancelled:
		top.note = s.Message
	case "":
		top.state = v1alpha1.RunPending
	default:
		top.note = s.Progress + " steps"
	}
	out := []Part{top}
	for i, phase := range s.Phases {
		branch, below := fork(i == len(s.Phases)-1)
		p := newPart(top.path, branch, phase.Name, 1, phase.NodeStatus)
		out = append(out, p)
		for j, step := range phase.Steps {
			branch, _ := fork(j == len(phase.Steps)-1)
			st := newPart(p.path, below+branch, step.Name, 2, step.NodeStatus)
			st.note = noteOf(step)
			out = append(out, st)
		}
	}
	return out
}

func newPart(parent, branch, name string, depth int, s v1alpha1.NodeStatus) Part {
	return Part{
		path: parent + "/" + name, branch: branch, name: name, depth: depth,
		state: s.State, from: s.StartedAt, to: s.FinishedAt,
	}
}

func fork(last bool) (branch, below string) {
	if last {
		return "└─ ", "   "
	}
	return "├─ ", "│  "
}

// noteOf says what a step that goes on waits for, or why one does not.
func noteOf(step v1alpha1.StepStatus) string {
	switch step.State {
	case v1alpha1.RunRunning, v1alpha1.RunStalled, v1alpha1.RunFailed:
	default:
		return ""
	}
	for _, task := range step.Tasks {
		if task.State == step.State && task.Message != "" {
			return task.Message
		}
	}
	return step.Message
}

// Took is how long a part ran, or has been running.
func (p Part) Took(now time.Time) string {
	if p.from == nil {
		return ""
	}
	if p.to != nil {
		now = p.to.Time
	}
	return Span(now.Sub(p.from.Time))
}

// Span is a duration for people: tenths of seconds, then the two largest units.
func Span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Tree draws an execution: its phases and steps with their states and durations, and
// what the running ones wait for.
func Tree(pe *v1alpha1.PlanExecution, now time.Time, l Look) []string {
	all := Parts(pe)
	widest := 0
	for _, p := range all {
		widest = max(widest, utf8.RuneCountInString(p.branch+p.name))
	}
	out := make([]string, 0, len(all))
	for _, p := range all {
		out = append(out, l.line(p, widest, now))
	}
	return out
}

// line puts a part on a line. Only its note is cut: what stands before it is short.
func (l Look) line(p Part, widest int, now time.Time) string {
	sign, color := l.Mark(p.state)
	name := p.name
	if p.depth == 0 {
		name = l.Paint(Bold, name)
	}
	gap := strings.Repeat(" ", widest-utf8.RuneCountInString(p.branch+p.name))
	took := fmt.Sprintf("%7s", p.Took(now))
	state := l.Paint(color, fmt.Sprintf("%-9s", p.state))
	head := l.Paint(Faint, p.branch) + l.Paint(color, sign) + " " + name + gap + "  " + state + " " + took
	used := widest + len("s   Succeeded ") + len(took) + len("  ")
	note := cut(p.note, l.Width-used, l.Width > 0)
	return strings.TrimRight(head+"  "+l.Paint(Faint, note), " ")
}

// Plain is a text in one line, without what would steer a terminal: others wrote it.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
}

// Cut shortens a line of plain text to the width.
func (l Look) Cut(text string) string { return cut(text, l.Width, l.Width > 0) }

// Wrap breaks a plain text into lines of the width, between words where it can.
func (l Look) Wrap(text string) []string {
	line := ""
	var out []string
	for word := range strings.FieldsSeq(Plain(text)) {
		switch {
		case line == "":
			line = word
		case l.Width > 0 && utf8.RuneCountInString(line+" "+word) > l.Width:
			out, line = append(out, line), word
		default:
			line += " " + word
		}
	}
	return append(out, line)
}

// cut shortens a text to a number of characters.
func cut(text string, limit int, limited bool) string {
	text = Plain(text)
	if !limited || utf8.RuneCountInString(text) <= limit {
		return text
	}
	if limit < 2 {
		return ""
	}
	return string([]rune(text)[:limit-1]) + "…"
}
