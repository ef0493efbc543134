// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/generate"
)

// reasons say when a plan runs, at least one sentence of Markdown.
func reasons(s *generate.Source, p *v1alpha1.Plan) []string {
	var out []string
	has := func(name string) bool { return slices.Contains(s.Version.PlanNames, name) }
	switch p.Name {
	case v1alpha1.PlanDeploy:
		out = append(out, "For a new object, until it has succeeded once.")
		if !has(v1alpha1.PlanUpdate) {
			out = append(out, "There is no plan update: also when parameters change, and after a run that did not succeed.")
		}
		if !has(v1alpha1.PlanUpdate) && !has(v1alpha1.PlanUpgrade) {
			out = append(out, "There is no plan upgrade: also when the version changes to this one.")
		}
	case v1alpha1.PlanUpdate:
		out = append(out, "When a parameter changes that names no plan of its own, and after a run that did not succeed.")
		if !has(v1alpha1.PlanUpgrade) {
			out = append(out, "There is no plan upgrade: also when the version changes to this one.")
		}
	case v1alpha1.PlanUpgrade:
		out = append(out, "When the version changes to this one from "+upgradable(s.Version.Spec)+".")
	case v1alpha1.PlanCleanup:
		out = append(out, "When the object is deleted, and never otherwise.")
	}
	out = append(out, causes(s, p)...)
	if len(out) == 0 {
		out = append(out, "When somebody runs it.")
	}
	return out
}

// causes are what starts a plan beside its name.
func causes(s *generate.Source, p *v1alpha1.Plan) []string {
	var out, names []string
	for _, parameter := range s.Version.Spec.Parameters {
		if parameter.Trigger == p.Name {
			names = append(names, generate.Code(parameter.Name))
		}
	}
	if len(names) > 0 {
		out = append(out, "When "+strings.Join(names, ", ")+" changes.")
	}
	if s.Version.ContentPlan("") == p.Name {
		out = append(out, "When a Secret or ConfigMap of others changes that pods consume.")
	}
	for _, r := range s.Version.Spec.Recovery {
		if r.Plan == p.Name {
			out = append(out, fmt.Sprintf("When the recovery rule %s finds %s.", generate.Code(r.Name), generate.Code(r.When)))
		}
	}
	for _, other := range s.Version.Spec.Plans {
		if other.OnFailure != nil && other.OnFailure.Plan == p.Name {
			out = append(out, "After a run of "+sibling(other.Name)+" that failed.")
		}
	}
	return out
}

// sibling links from one runbook to another.
func sibling(plan string) string { return fmt.Sprintf("[%s](%s.md)", plan, plan) }

// short writes a duration as authors do: 30m, not 30m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
