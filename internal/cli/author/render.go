// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/values"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/forecast"
	"kudo.dev/kudo/internal/graph"
)

// rendering is the command render.
type rendering struct {
	from        sources
	set, oldSet values.Flags
	output      command.Output
	plan, old   string
	name        string
	diff        bool
}

func newRender(env *command.Env) *cobra.Command {
	r := &rendering{}
	cmd := &cobra.Command{
		Use:   "render PACKAGE",
		Short: "Print what a plan applies, step by step, without a cluster",
		Long: "Prints the objects that a plan of a package applies, deletes and starts, in the order of its\n" +
			"steps, exactly as the manager would. Without a cluster, conditions over observed objects\n" +
			"count as true; what was assumed is told on the standard error.\n\n" +
			"--old names what ran before: another package, other parameters, or both. --diff prints\n" +
			"instead how the content at rest differs from that.\n\n" + sourceHelp,
		Example: "  kubectl kudo render frameworks/zookeeper/3.9.3 --set nodeCount=5\n" +
			"  kubectl kudo render frameworks/zookeeper/3.9.3 --plan update --old-set nodeCount=3 --set nodeCount=5\n" +
			"  kubectl kudo render frameworks/zookeeper/3.9.3 --old frameworks/zookeeper/3.8.4 --diff",
		Args: command.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd.Context(), env, args[0])
		},
	}
	cmd.Flags().StringVar(&r.plan, "plan", "", "Plan to render (default deploy; update or upgrade where something ran before)")
	cmd.Flags().StringVar(&r.name, "name", "example", "Name of the Instance")
	cmd.Flags().StringVar(&r.old, "old", "", "Package that ran before (default the same)")
	cmd.Flags().BoolVar(&r.diff, "diff", false, "Print how the content at rest differs from what ran before")
	r.set.AddFlags(cmd, "", "of the Instance")
	r.oldSet.AddFlags(cmd, "old-", "that it had before")
	r.from.addFlags(cmd)
	r.output.AddFlags(cmd, "name")
	return cmd
}

func (r *rendering) run(ctx context.Context, env *command.Env, name string) error {
	now, err := r.side(ctx, env.In, name, &r.set)
	if err != nil {
		return err
	}
	var old *forecast.Side
	if r.old != "" || r.oldSet.Given() {
		from := name
		if r.old != "" {
			from = r.old
		}
		if old, err = r.side(ctx, env.In, from, &r.oldSet); err != nil {
			return err
		}
	}
	if r.diff {
		return r.compare(env, old, now)
	}
	f, err := forecast.Of(r.subject(env, old, now, r.plan))
	if err != nil {
		return fmt.Errorf("rendering: %w", err)
	}
	for _, d := range f.Doubts {
		env.Warnf("note: %s\n", d)
	}
	return r.print(env, f)
}

func (r *rendering) side(ctx context.Context, in io.Reader, name string, set *values.Flags) (*forecast.Side, error) {
	p, err := r.from.load(ctx, name)
	if err != nil {
		return nil, err
	}
	version, err := compile(p.Package)
	if err != nil {
		return nil, err
	}
	given, err := set.Parse(in, version.Params)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the flag
	}
	side, err := forecast.Resolve(version, values.Merge(nil, given))
	if err != nil {
		return nil, command.Misuse("%v", err)
	}
	return side, nil
}

// subject is a run of a plan on the way from one side to the other.
func (r *rendering) subject(env *command.Env, old, now *forecast.Side, plan string) forecast.Subject {
	namespace, err := env.Namespace()
	if err != nil || namespace == "" {
		namespace = "default"
	}
	return forecast.Between(old, now, plan, graph.Identity{Name: r.name, Namespace: namespace})
}

// compare prints how the content at rest differs, whatever plan leads from one to the other.
func (r *rendering) compare(env *command.Env, old, now *forecast.Side) error {
	if old == nil {
		return command.Misuse("--diff needs what ran before: --old PACKAGE, --old-set NAME=VALUE or --old-values FILE")
	}
	before, err := forecast.Of(r.subject(env, nil, old, v1alpha1.PlanDeploy))
	if err != nil {
		return fmt.Errorf("rendering what ran before: %w", err)
	}
	after, err := forecast.Of(r.subject(env, nil, now, v1alpha1.PlanDeploy))
	if err != nil {
		return fmt.Errorf("rendering: %w", err)
	}
	changes, err := forecast.Compare(before.AtRest(), after.AtRest())
	if err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	command.PrintChanges(env, changes)
	return nil
}

// rendered is a task in JSON.
type rendered struct {
	Step    string           `json:"step"`
	Task    string           `json:"task"`
	Kind    string           `json:"kind"`
	Waits   string           `json:"waits,omitempty"`
	Objects []map[string]any `json:"objects,omitempty"`
}

func (r *rendering) print(env *command.Env, f *forecast.Forecast) error {
	answer := struct {
		Plan    string             `json:"plan"`
		Tasks   []rendered         `json:"tasks"`
		Skipped []forecast.Skipped `json:"skipped,omitempty"`
		Doubts  []string           `json:"doubts,omitempty"`
	}{Plan: f.Plan, Tasks: []rendered{}, Skipped: f.Skipped, Doubts: f.Doubts}
	for _, t := range f.Tasks {
		one := rendered{Step: t.Step, Task: t.Name, Kind: string(t.Kind), Waits: t.Waits}
		for _, o := range t.Objects {
			one.Objects = append(one.Objects, o.Object.Object)
		}
		answer.Tasks = append(answer.Tasks, one)
	}
	return r.output.Print(env, answer, func() error { return r.text(env, f) }) //nolint:wrapcheck // it says what it does
}

// text is a stream of YAML that kubectl could apply, with the steps as comments.
func (r *rendering) text(env *command.Env, f *forecast.Forecast) error {
	if r.output.Is("name") {
		for _, t := range f.Tasks {
			for _, o := range t.Objects {
				env.Printf("%s %s %s\n", t.Path, t.Kind, command.Title(o.Object.GetKind(), o.Object.GetName()))
			}
		}
		return nil
	}
	env.Printf("# plan %s\n", f.Plan)
	for _, t := range f.Tasks {
		if len(t.Objects) == 0 {
			env.Printf("# %s %s %s\n", t.Path, t.Kind, strings.Join(slices.DeleteFunc([]string{t.Waits}, func(s string) bool { return s == "" }), ""))
		}
		for _, o := range t.Objects {
			raw, err := yaml.Marshal(o.Object.Object)
			if err != nil {
				return fmt.Errorf("encoding %s %s: %w", o.Object.GetKind(), o.Object.GetName(), err)
			}
			env.Printf("---\n# %s %s, template %s\n", t.Path, t.Kind, o.Template)
			if t.Kind == engine.TaskDelete {
				raw = []byte("# " + strings.ReplaceAll(strings.TrimSpace(string(raw)), "\n", "\n# ") + "\n")
			}
			env.Printf("%s", raw)
		}
	}
	for _, s := range f.Skipped {
		env.Printf("# %s is skipped: %s\n", s.Path, s.When)
	}
	return nil
}
