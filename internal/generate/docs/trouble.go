// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/generate"
)

// remedy is what to do about a reason to stall.
type remedy struct {
	reason, meaning, cure string
	// kinds of tasks that can stall with it; none for every task.
	kinds []engine.TaskKind
}

var remedies = []remedy{
	{v1alpha1.ReasonTimeout, "an attempt took longer than its time-out", "`kubectl kudo diagnose NAME` says what it waits for. If that becomes ready after all, the step goes on by itself; else `kubectl kudo retry NAME`.", nil},
	{v1alpha1.ReasonUnhealthy, "an object reports that it failed", "`kubectl kudo tree NAME` shows which, `kubectl kudo logs NAME` its log. A change of the spec takes the place of the stalled run.", []engine.TaskKind{engine.TaskApply}},
	{v1alpha1.ReasonJobFailed, "the last Job failed", "Read `kubectl kudo logs NAME`, remove the cause, then `kubectl kudo retry NAME`.", []engine.TaskKind{engine.TaskJob}},
	{v1alpha1.ReasonOutcomeUnknown, "a Job was removed before its result was known; it may have run", "Find out whether it did, then `kubectl kudo retry NAME`, or `kubectl kudo force-complete NAME PATH`.", []engine.TaskKind{engine.TaskJob}},
	{v1alpha1.ReasonAwaitingApproval, "it waits for a person, and is not stalled", "`kubectl kudo approve NAME PATH`.", []engine.TaskKind{engine.TaskApprove}},
	{v1alpha1.ReasonRefused, "the API server refused a request; the message holds its words", "Often a right or a quota is missing: compare with `generate rbac`, grant it, then `kubectl kudo retry NAME`.", []engine.TaskKind{engine.TaskApply, engine.TaskDelete, engine.TaskJob}},
	{v1alpha1.ReasonInvalidTemplate, "the objects are wrong for these parameters", "Correct the parameters: that takes the place of the stalled run.", []engine.TaskKind{engine.TaskApply, engine.TaskDelete, engine.TaskJob}},
	{v1alpha1.ReasonNotOwned, "an object of that name exists that Kudo did not make", "Remove or rename it, or set `spec.adopt`, then `kubectl kudo retry NAME`.", []engine.TaskKind{engine.TaskApply, engine.TaskDelete, engine.TaskJob}},
	{v1alpha1.ReasonConflict, "another manager owns a field that Kudo sets", "List the field in `spec.ignoreFields`, or make the other manager give it up, then `kubectl kudo retry NAME`.", []engine.TaskKind{engine.TaskApply}},
	{v1alpha1.ReasonExpression, "an expression could not be evaluated", "The message says why. What it reads is missing: wait for it or make it, then `kubectl kudo retry NAME`.", nil},
}

// stalls says what to do when a step does not go on.
func stalls(out *strings.Builder, s *generate.Source, p *v1alpha1.Plan) {
	heading(out, 2, "When a step stalls")
	out.WriteString(`
1. ` + "`kubectl kudo status NAME`" + ` shows the phases and steps, and the last error.
2. ` + "`kubectl kudo diagnose NAME`" + ` follows it to the object, the pod and the event that cause it.
3. Remove the cause, then one of:

`)
	out.WriteString(generate.Table([]string{"to", "command"}, [][]string{
		{"try again now", "`kubectl kudo retry NAME [PATH]`"},
		{"go on without the step; what it did stays", "`kubectl kudo skip NAME PATH`"},
		{"take the step for done", "`kubectl kudo force-complete NAME PATH`"},
		{"let nothing more start, and go on later", "`kubectl kudo pause NAME`, `kubectl kudo resume NAME`"},
		{"end the run at its next safe point; what it did stays", "`kubectl kudo cancel NAME`"},
	}))
	kinds := map[engine.TaskKind]bool{}
	s.Version.Plans[p.Name].Program.Root.Leaves(func(n *engine.Node) { kinds[n.Task.Kind] = true })
	rows := [][]string{}
	for _, r := range remedies {
		if r.applies(kinds) {
			rows = append(rows, []string{generate.Code(r.reason), r.meaning, r.cure})
		}
	}
	if len(p.Require) > 0 {
		rows = append(rows, []string{generate.Code(v1alpha1.ReasonRequirement), "what must hold first does not", "The message says what. Once it holds, `kubectl kudo retry NAME`."})
	}
	paragraph(out, "A PATH is that of a step above, for example "+generate.Code(firstStep(p))+".")
	paragraph(out, generate.Table([]string{"reason", "meaning", "what to do"}, rows))
}

func (r remedy) applies(kinds map[engine.TaskKind]bool) bool {
	if len(r.kinds) == 0 {
		return true
	}
	for _, k := range r.kinds {
		if kinds[k] {
			return true
		}
	}
	return false
}

func firstStep(p *v1alpha1.Plan) string { return p.Phases[0].Name + "/" + p.Phases[0].Steps[0].Name }

// failure says what follows when a step can not be done.
func failure(out *strings.Builder, p *v1alpha1.Plan) {
	heading(out, 2, "When a step can not be done")
	of := p.OnFailure
	if of == nil {
		paragraph(out, "The run stalls and holds the Instance until a person acts, the cause goes away, or the spec changes.")
		return
	}
	text := "The run ends as Failed."
	if of.Undo {
		text = "Every step that was started is taken back, the newest first. Then the run ends as Failed."
	}
	switch {
	case of.Rollback:
		text += " The plan rollback follows: every object becomes again what the last completed run left."
	case of.Plan != "":
		text += " The plan " + sibling(of.Plan) + " follows."
	default:
		text += " Nothing follows: the Instance is Stalled with `PlanFailed` until its spec changes or somebody runs a plan."
	}
	paragraph(out, text)
}

// takingBack says what undo does, step by step.
func takingBack(out *strings.Builder, s *generate.Source, p *v1alpha1.Plan) {
	heading(out, 2, "Taking it back")
	paragraph(out, "`kubectl kudo cancel NAME --undo` takes back every step that was started, the newest first:")
	rows := [][]string{}
	s.Version.Plans[p.Name].Program.Root.Walk(func(n *engine.Node) {
		if len(n.Undo) == 0 {
			return
		}
		parts := make([]string, 0, len(n.Undo))
		for _, u := range n.Undo {
			parts = append(parts, takesBack(u))
		}
		rows = append(rows, []string{generate.Code(n.Path), strings.Join(parts, " ")})
	})
	if len(rows) == 0 {
		paragraph(out, "No step of this plan leaves anything to take back.")
	} else {
		paragraph(out, generate.Table([]string{"step", "what takes it back"}, rows))
	}
	if p.Name != v1alpha1.PlanCleanup {
		paragraph(out, "`kubectl kudo run rollback NAME --preempt` takes the place of a stalled run and puts every object back as the last completed run left it.")
	}
}

func takesBack(u *engine.Node) string {
	switch u.Task.Kind {
	case engine.TaskRevert:
		return "Its objects become again what the last completed run left; what it created is deleted, but never data."
	case engine.TaskManual:
		return fmt.Sprintf("A person: the step ran a Job and names no undo. Take it back by hand, then %s.", generate.Code("kubectl kudo skip NAME "+u.Path))
	case engine.TaskApply, engine.TaskDelete, engine.TaskJob, engine.TaskWait, engine.TaskApprove, engine.TaskRestore:
	}
	return fmt.Sprintf("The task %s. %s", generate.Code(u.Name), patience(u.Task))
}
