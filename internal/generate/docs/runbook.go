// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"path"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/graph"
)

// runbook is the page of a plan, for the person on call.
func runbook(s *generate.Source, p *v1alpha1.Plan) string {
	plan := s.Version.Plans[p.Name]
	out := page(s, fmt.Sprintf("Plan %s of %s %s", p.Name, generate.Prose(s.Title()), s.Version.Spec.Version))
	paragraph(out, generate.Prose(p.Description))
	paragraph(out, fmt.Sprintf("NAME is the name of the Instance: %s, so %s for an object named %s.",
		generate.Code(s.Names.Singular+"-<name of the object>"), generate.Code(instanceName(s)), generate.Code(s.ExampleName())))

	heading(out, 2, "When it runs")
	out.WriteString("\n- " + strings.Join(reasons(s, p), "\n- ") + "\n")
	if p.Name != v1alpha1.PlanCleanup {
		out.WriteString("- By hand: " + generate.Code("kubectl kudo run "+p.Name+" NAME") + ".\n")
	}
	if plan.Shared {
		paragraph(out, "It runs beside other plans, and the Instance stays Ready.")
	}
	requirements(out, p)

	heading(out, 2, "What it does")
	fmt.Fprintf(out, "\n![The plan %s: phases and steps](%s.svg)\n", p.Name, p.Name)
	fmt.Fprintf(out, "\n<details><summary>The same in Mermaid</summary>\n\n```mermaid\n%s```\n\n</details>\n", Mermaid(s, p))
	if len(p.Phases) > 1 {
		paragraph(out, order("phases", p.Strategy, 0))
	}
	for i := range p.Phases {
		phase(out, s, plan, i, &p.Phases[i])
	}
	stalls(out, s, p)
	failure(out, p)
	takingBack(out, s, p)
	return out.String()
}

func requirements(out *strings.Builder, p *v1alpha1.Plan) {
	if len(p.Require) == 0 {
		return
	}
	heading(out, 2, "What must hold first")
	paragraph(out, "Checked before the first step. What does not hold stalls the run with `RequirementNotMet`.")
	out.WriteString("\n")
	for _, r := range p.Require {
		fmt.Fprintf(out, "- %s\n  %s\n", generate.Prose(generate.Sentence(r.Message)), generate.Code(r.Rule))
	}
}

func order(what string, strategy v1alpha1.Strategy, most int32) string {
	if strategy != v1alpha1.Parallel {
		return "The " + what + " run one after another."
	}
	text := "The " + what + " run side by side, each once those that it depends on have ended."
	if most > 0 {
		text += fmt.Sprintf(" At most %d at a time.", most)
	}
	return text
}

func phase(out *strings.Builder, s *generate.Source, plan *graph.Plan, index int, p *v1alpha1.Phase) {
	heading(out, 3, fmt.Sprintf("%d. Phase %s", index+1, p.Name))
	if p.When != "" {
		paragraph(out, "Skipped unless "+generate.Code(p.When)+".")
	}
	if len(p.DependsOn) > 0 {
		paragraph(out, "Starts after "+codes(p.DependsOn)+".")
	}
	if len(p.Steps) > 1 {
		paragraph(out, order("steps", p.Strategy, p.MaxParallel))
	}
	for i := range p.Steps {
		step(out, s, plan, plan.Program.Root.Children[index].Children[i], &p.Steps[i])
	}
}

func step(out *strings.Builder, s *generate.Source, plan *graph.Plan, n *engine.Node, st *v1alpha1.Step) {
	paragraph(out, "**"+n.Path+"**")
	out.WriteString("\n")
	if st.When != "" {
		out.WriteString("- Skipped unless " + generate.Code(st.When) + ".\n")
	}
	if len(st.DependsOn) > 0 {
		out.WriteString("- Starts after " + codes(st.DependsOn) + ".\n")
	}
	for _, t := range n.Children {
		out.WriteString("- " + does(s, plan, t))
		if len(t.DependsOn) > 0 {
			out.WriteString(" After " + codes(t.DependsOn) + ".")
		}
		out.WriteString(" " + patience(t.Task) + "\n")
	}
	if len(n.Children) > 1 {
		out.WriteString("- " + order("tasks", st.Strategy, 0) + "\n")
	}
}

func codes(names []string) string {
	parts := make([]string, 0, len(names))
	for _, n := range names {
		parts = append(parts, generate.Code(n))
	}
	return strings.Join(parts, ", ")
}

// does says what a task does and what it waits for.
func does(s *generate.Source, plan *graph.Plan, t *engine.Node) string {
	action := plan.Tasks[t.Path].Action
	kinds := strings.Join(s.Kinds(t.Name), ", ")
	switch {
	case action.Apply != nil:
		waits := "waits until they are ready"
		if action.Apply.ReadyWhen != "" {
			waits = "waits until " + generate.Code(action.Apply.ReadyWhen)
		}
		return fmt.Sprintf("%s: applies %s of %s, and %s.%s", generate.Code(t.Name), orObjects(kinds), codes(action.Apply.Templates), waits, immutable(action.Apply.OnImmutable))
	case action.Delete != nil:
		return fmt.Sprintf("%s: deletes %s of %s, and waits until they are gone.", generate.Code(t.Name), orObjects(kinds), codes(action.Delete.Templates))
	case action.Job != nil:
		return fmt.Sprintf("%s: runs the Job of %s to its end.", generate.Code(t.Name), generate.Code(action.Job.Template))
	case action.Approve != nil:
		late := "If nobody does in time, the run stalls; it can still be approved."
		if action.Approve.OnTimeout == "Fail" {
			late = "If nobody does in time, the run fails."
		}
		return fmt.Sprintf("Waits for a person: %s Approve with %s. %s", generate.Prose(generate.Sentence(action.Approve.Message)),
			generate.Code("kubectl kudo approve NAME "+path.Dir(t.Path)), late)
	case action.Wait != nil && action.Wait.For != nil:
		return "Waits for " + short(action.Wait.For.Duration) + "."
	case action.Wait != nil:
		return "Waits until " + generate.Code(action.Wait.Until) + "."
	}
	return generate.Code(t.Name) + "."
}

func orObjects(kinds string) string {
	if kinds == "" {
		return "the objects"
	}
	return kinds
}

func immutable(policy v1alpha1.ImmutablePolicy) string {
	switch policy {
	case v1alpha1.ImmutableRecreate:
		return " Where a field can not be changed, the object is deleted with all that depends on it, and made anew."
	case v1alpha1.ImmutableOrphan:
		return " Where a field can not be changed, the object is deleted and made anew; what depends on it stays."
	case v1alpha1.ImmutableFail:
	}
	return ""
}

// patience says how long a task may take and how often it is tried.
func patience(t *engine.Task) string {
	if t.Kind == engine.TaskManual {
		return ""
	}
	out := "Time-out: " + short(t.Timeout)
	if t.Retry.Limit > 0 {
		out += fmt.Sprintf(" an attempt; %d attempts, the second after %s", t.Retry.Limit+1, short(t.Retry.Backoff))
		if t.Retry.Factor > 1 {
			out += fmt.Sprintf(", each pause %d times the one before, at most 5m", t.Retry.Factor)
		}
	}
	return out + "."
}
