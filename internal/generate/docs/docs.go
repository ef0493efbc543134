// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package docs writes the documentation of a framework's version: its parameters, outputs
// and plans, a picture of each plan, and a runbook for the person on call.
package docs

import (
	"fmt"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/generate"
)

// Artefact is the name of this artefact.
const Artefact = "docs"

// Files of the artefact. The namespace stands in examples.
func Files(s *generate.Source, namespace string) (generate.Files, error) {
	out := generate.Files{}
	parameters, err := parameters(s)
	if err != nil {
		return nil, err
	}
	readme, err := readme(s, namespace)
	if err != nil {
		return nil, err
	}
	out["README.md"], out["parameters.md"] = []byte(readme), []byte(parameters)
	for i := range s.Version.Spec.Plans {
		p := &s.Version.Spec.Plans[i]
		out["plans/"+p.Name+".md"] = []byte(runbook(s, p))
		out["plans/"+p.Name+".svg"] = []byte(SVG(s, p))
	}
	return out, nil
}

// page starts a page of Markdown.
func page(s *generate.Source, title string) *strings.Builder {
	out := &strings.Builder{}
	fmt.Fprintf(out, "<!-- %s -->\n\n# %s\n", s.Header(Artefact), title)
	return out
}

// paragraph adds one, if there is a text.
func paragraph(out *strings.Builder, text string) {
	if text = strings.TrimSpace(text); text != "" {
		out.WriteString("\n" + text + "\n")
	}
}

func heading(out *strings.Builder, level int, text string) {
	fmt.Fprintf(out, "\n%s %s\n", strings.Repeat("#", level), text)
}

func parameters(s *generate.Source) (string, error) {
	out := page(s, "Parameters of "+generate.Prose(s.Title())+" "+s.Version.Spec.Version)
	paragraph(out, "What is not set takes the default of the version that runs; defaults are not stored in the object.")
	if len(s.Version.Spec.Parameters) == 0 {
		paragraph(out, "This version has no parameters.")
		return out.String(), nil
	}
	tables, err := s.ParameterTables(2, "")
	if err != nil {
		return "", err
	}
	paragraph(out, tables)
	if len(s.Version.Spec.Validations) > 0 {
		heading(out, 2, "Rules")
		out.WriteString("\n")
		for _, r := range s.Version.Spec.Validations {
			fmt.Fprintf(out, "- %s\n  %s\n", generate.Prose(generate.Sentence(r.Message)), generate.Code(r.Rule))
		}
	}
	return out.String(), nil
}

func readme(s *generate.Source, namespace string) (string, error) {
	spec := s.Version.Spec
	out := page(s, generate.Prose(s.Title())+" "+spec.Version)
	paragraph(out, generate.Prose(s.Framework.Spec.Description))
	paragraph(out, generate.Prose(spec.Description))
	facts := [][]string{{"kind", generate.Code(s.Kind.Kind + "." + v1alpha1.TypedGroup)}, {"software", generate.Code(spec.AppVersion)}}
	if s.Framework.Spec.URL != "" {
		facts = append(facts, []string{"home page", "<" + s.Framework.Spec.URL + ">"})
	}
	facts = append(facts, []string{"can be upgraded from", upgradable(spec)})
	paragraph(out, generate.Table([]string{"", ""}, facts))
	example, err := exampleOf(s, namespace)
	if err != nil {
		return "", err
	}
	paragraph(out, "The smallest object:\n\n```yaml\n"+example+"```")
	paragraph(out, "Its Instance is named "+generate.Code(instanceName(s))+": that is the NAME of the commands in the runbooks. Parameters stand in [parameters.md](parameters.md).")
	planTable(out, s)
	outputs(out, s)
	recovery(out, s)
	return out.String(), nil
}

func instanceName(s *generate.Source) string { return s.Names.Singular + "-" + s.ExampleName() }

func exampleOf(s *generate.Source, namespace string) (string, error) {
	example := s.Example()
	example["metadata"] = map[string]any{"name": s.ExampleName(), "namespace": namespace}
	raw, err := generate.YAML(example)
	return string(raw), err
}

func upgradable(spec *v1alpha1.FrameworkVersionSpec) string {
	if len(spec.UpgradableFrom) == 0 {
		return "every lower version"
	}
	parts := make([]string, 0, len(spec.UpgradableFrom))
	for _, c := range spec.UpgradableFrom {
		parts = append(parts, generate.Code(c))
	}
	return strings.Join(parts, ", ")
}

func planTable(out *strings.Builder, s *generate.Source) {
	heading(out, 2, "Plans")
	rows := [][]string{}
	for i := range s.Version.Spec.Plans {
		p := &s.Version.Spec.Plans[i]
		rows = append(rows, []string{fmt.Sprintf("[%s](plans/%s.md)", p.Name, p.Name), generate.Prose(p.Description), reasons(s, p)[0]})
	}
	rows = append(rows, []string{"rollback", "Puts every object back as the last completed run left it. Every version has it.", "When a failed plan says so, or when somebody runs it."})
	paragraph(out, generate.Table([]string{"plan", "what it does", "when it runs"}, rows))
}

func outputs(out *strings.Builder, s *generate.Source) {
	if len(s.Version.Spec.Outputs) == 0 {
		return
	}
	heading(out, 2, "Outputs")
	paragraph(out, "They stand in `status.outputs` once a plan that applies or deletes objects has succeeded.")
	rows := [][]string{}
	for _, o := range s.Version.Spec.Outputs {
		rows = append(rows, []string{generate.Code(o.Name), generate.Code(o.Value)})
	}
	paragraph(out, generate.Table([]string{"output", "value"}, rows))
}

func recovery(out *strings.Builder, s *generate.Source) {
	if len(s.Version.Spec.Recovery) == 0 {
		return
	}
	heading(out, 2, "Recovery")
	paragraph(out, "Kudo runs these plans by itself. Of several rules that hold, the first acts.")
	rows := [][]string{}
	for _, r := range s.Version.Spec.Recovery {
		held := "at once"
		if r.For != nil {
			held = "after " + short(r.For.Duration)
		}
		if r.Preempt {
			held += ", in place of a plan that runs"
		}
		rows = append(rows, []string{
			generate.Code(r.Name), generate.Code(r.When), held, planLink(r.Plan),
			fmt.Sprintf("%d times in %s", r.Limit.Attempts, short(r.Limit.Window.Duration)),
		})
	}
	paragraph(out, generate.Table([]string{"rule", "broken when", "acts", "plan", "at most"}, rows))
}

func planLink(name string) string { return fmt.Sprintf("[%s](plans/%s.md)", name, name) }
