// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"strings"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/forecast"
)

// show writes a prediction for people.
func (s *session) show(p *prediction, differences bool) {
	switch {
	case p.From == "":
		s.Printf("%s: version %s, new\n", p.Instance, p.To)
	case p.From != p.To:
		s.Printf("%s: version %s, from %s\n", p.Instance, p.To, p.From)
	default:
		s.Printf("%s: version %s\n", p.Instance, p.To)
	}
	if len(p.Changed) > 0 {
		s.Printf("changed parameters: %s\n", strings.Join(p.Changed, ", "))
	}
	if p.Note != "" {
		s.Printf("%s\n", p.Note)
	}
	if p.forecast == nil {
		return
	}
	s.Printf("plan %s:\n", p.Plan)
	for _, t := range p.forecast.Tasks {
		s.Printf("%4d. %-40s %s\n", t.Wave, t.Step, does(t))
	}
	for _, skip := range p.forecast.Skipped {
		s.Printf("   -  %-40s skipped: %s\n", skip.Path, skip.When)
	}
	for _, d := range p.forecast.Doubts {
		s.Printf("note: %s\n", d)
	}
	if differences {
		s.Printf("\nobjects:\n")
		command.PrintChanges(s.Env, p.changes)
	}
}

func does(t forecast.Task) string {
	if t.Waits != "" {
		if t.Kind == engine.TaskWait {
			return "wait: " + t.Waits
		}
		return t.Waits
	}
	names := make([]string, 0, len(t.Objects))
	for _, o := range t.Objects {
		names = append(names, command.Title(o.Object.GetKind(), o.Object.GetName()))
	}
	if len(names) == 0 {
		return string(t.Kind)
	}
	return string(t.Kind) + " " + strings.Join(names, ", ")
}

// answer is a prediction in JSON.
type answer struct {
	*prediction

	Steps   []step           `json:"steps,omitempty"`
	Skipped []string         `json:"skipped,omitempty"`
	Notes   []string         `json:"notes,omitempty"`
	Objects []objectForecast `json:"objects,omitempty"`
}

type step struct {
	Wave    int      `json:"wave"`
	Path    string   `json:"path"`
	Kind    string   `json:"kind"`
	Waits   string   `json:"waits,omitempty"`
	Objects []string `json:"objects,omitempty"`
}

type objectForecast struct {
	Verb       forecast.Verb `json:"verb"`
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Namespace  string        `json:"namespace,omitempty"`
	Name       string        `json:"name"`
	Restarts   bool          `json:"restartsPods,omitempty"`
	Remade     bool          `json:"remade,omitempty"`
	Diff       string        `json:"diff,omitempty"`
}

func (p *prediction) answer() answer {
	out := answer{prediction: p}
	if p.forecast == nil {
		return out
	}
	for _, t := range p.forecast.Tasks {
		one := step{Wave: t.Wave, Path: t.Path, Kind: string(t.Kind), Waits: t.Waits}
		for _, o := range t.Objects {
			one.Objects = append(one.Objects, command.Title(o.Object.GetKind(), o.Object.GetName()))
		}
		out.Steps = append(out.Steps, one)
	}
	for _, skip := range p.forecast.Skipped {
		out.Skipped = append(out.Skipped, skip.Path)
	}
	out.Notes = p.forecast.Doubts
	for _, c := range p.changes {
		out.Objects = append(out.Objects, objectForecast{
			Verb: c.Verb, APIVersion: c.Object.GetAPIVersion(), Kind: c.Object.GetKind(), Namespace: c.Object.GetNamespace(),
			Name: c.Object.GetName(), Restarts: c.Restarts, Remade: c.Remade, Diff: c.Diff,
		})
	}
	return out
}
