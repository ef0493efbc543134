// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/diagram"
	"kudo.dev/kudo/internal/cli/evidence"
)

// The forms of a graph.
const (
	formText    = "text"
	formMermaid = "mermaid"
	formDOT     = "dot"
)

type graphOptions struct{ plan, form string }

func newGraph(env *command.Env) *cobra.Command {
	o := &graphOptions{}
	forms := []string{formText, formMermaid, formDOT}
	cmd := &cobra.Command{
		Use:   "graph NAME|FRAMEWORKVERSION",
		Short: "Draw plans as graphs: text, Mermaid or Graphviz",
		Long: `Of an Instance, draws the plan that runs or ran last, with the states of its steps; of a
FrameworkVersion, draws all its plans.`,
		Example: `  kubectl kudo graph zk
  kubectl kudo graph zookeeper-3.9.3 --plan upgrade -o mermaid
  kubectl kudo graph zk -o dot | dot -Tsvg > plan.svg`,
		Args:              command.Args(1, 1),
		ValidArgsFunction: CompleteNames(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(forms, o.form) {
				return command.Misuse("-o %s is not known here: use one of %s", o.form, strings.Join(forms, ", "))
			}
			return o.run(cmd.Context(), env, args[0])
		},
	}
	cmd.Flags().StringVar(&o.plan, "plan", "", "Plan to draw")
	cmd.Flags().StringVarP(&o.form, "output", "o", formText, "Form of the output: "+strings.Join(forms, ", "))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *graphOptions) run(ctx context.Context, env *command.Env, name string) error {
	// Versions have dots, Instances do not.
	find := o.ofInstance
	if strings.Contains(name, ".") && !strings.Contains(name, "/") {
		find = o.ofVersion
	}
	fwv, run, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	drawn := 0
	for i := range fwv.Spec.Plans {
		plan := &fwv.Spec.Plans[i]
		if o.plan != "" && plan.Name != o.plan {
			continue
		}
		if drawn++; drawn > 1 {
			show(env, "")
		}
		var of *v1alpha1.PlanExecution
		if run != nil && run.Spec.Plan == plan.Name {
			of = run
		}
		show(env, o.draw(diagram.New(&fwv.Spec, plan, of))...)
	}
	if drawn == 0 {
		return command.Misuse("version %s of %s has no plan %q to draw. It has: %s", fwv.Spec.Version, fwv.Spec.Framework, o.plan, strings.Join(planNames(fwv), ", "))
	}
	return nil
}

func (o *graphOptions) draw(p *diagram.Plan) []string {
	switch o.form {
	case formMermaid:
		return p.Mermaid()
	case formDOT:
		return p.DOT()
	}
	return p.Text()
}

func (o *graphOptions) ofVersion(ctx context.Context, env *command.Env, name string) (*v1alpha1.FrameworkVersion, *v1alpha1.PlanExecution, error) {
	c, err := env.Client()
	if err != nil {
		return nil, nil, err
	}
	fwv := &v1alpha1.FrameworkVersion{}
	err = c.Get(ctx, client.ObjectKey{Name: name}, fwv)
	if apierrors.IsNotFound(err) {
		return nil, nil, fmt.Errorf("there is no FrameworkVersion %s. Which are there? kubectl get frameworkversions", name)
	}
	return fwv, nil, evidence.Denied("reading the FrameworkVersion "+name, err)
}

// ofInstance finds the version that a run of an Instance is pinned to, or else the one that it names.
func (o *graphOptions) ofInstance(ctx context.Context, env *command.Env, name string) (*v1alpha1.FrameworkVersion, *v1alpha1.PlanExecution, error) {
	s, err := find(ctx, env, name)
	if err != nil {
		return nil, nil, err
	}
	runs, err := s.runs(ctx)
	if err != nil {
		return nil, nil, err
	}
	version := s.inst.Spec.Framework + "-" + s.inst.Spec.Version
	var run *v1alpha1.PlanExecution
	for _, pe := range evidence.Shown(s.inst, runs) {
		if o.plan == "" || o.plan == pe.Spec.Plan {
			run = pe
			break
		}
	}
	if run != nil && run.Spec.Plan != v1alpha1.PlanRollback {
		o.plan = run.Spec.Plan
		if run.Status.Program != nil {
			version = run.Status.Program.FrameworkVersion
		}
	}
	fwv, _, err := o.ofVersion(ctx, env, version)
	return fwv, run, err
}
