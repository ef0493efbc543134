// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package oncall holds the commands for those who operate Instances: what runs, what is
// stuck and why, and how to steer it.
package oncall

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/diagnose"
)

// Group is the id of the commands in the help.
const Group = "oncall"

// Commands are those of this package.
func Commands(env *command.Env) []*cobra.Command {
	all := []*cobra.Command{newGet(env), newStatus(env), newHistory(env), newTree(env), newLogs(env), newDiagnose(env), newRun(env), newGraph(env), newBundle(env)}
	all = append(all, newSteering(env)...)
	for _, c := range all {
		c.GroupID = Group
	}
	return all
}

// subject is the Instance that a command is about, and how to reach it.
type subject struct {
	client client.WithWatch
	inst   *v1alpha1.Instance
}

// find reads the Instance that a name means.
func find(ctx context.Context, env *command.Env, name string) (*subject, error) {
	namespace, err := env.Namespace()
	if err != nil {
		return nil, err
	}
	c, err := env.Client()
	if err != nil {
		return nil, err
	}
	inst, err := evidence.Find(ctx, c, namespace, name)
	if err != nil {
		return nil, err
	}
	inst.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Instance"))
	return &subject{client: c, inst: inst}, nil
}

// runs are the executions of the Instance.
func (s *subject) runs(ctx context.Context) ([]v1alpha1.PlanExecution, error) {
	var list v1alpha1.PlanExecutionList
	if err := s.client.List(ctx, &list, client.InNamespace(s.inst.Namespace)); err != nil {
		return nil, evidence.Denied("reading the executions of "+evidence.Named(s.inst), err)
	}
	return evidence.Of(list.Items, s.inst.Name), nil
}

// visible are the executions, or none with a note for who may not read them.
func (s *subject) visible(ctx context.Context, env *command.Env) (runs []v1alpha1.PlanExecution, denied bool, err error) {
	runs, err = s.runs(ctx)
	if apierrors.IsForbidden(err) {
		gap := diagnose.Gap{What: "PlanExecutions in the namespace " + s.inst.Namespace, Right: "list planexecutions.kudo.dev"}
		env.Warnf("%s\n", strings.Join(gapLines([]diagnose.Gap{gap}), "\n"))
		return nil, true, nil
	}
	return runs, false, err
}

// look is how things are drawn on the terminal of a command.
func look(env *command.Env) screen.Look { return screen.Of(env.Out, env.Terminal).Look() }

// show prints lines.
func show(env *command.Env, lines ...string) {
	for _, line := range lines {
		env.Printf("%s\n", strings.TrimRight(line, " "))
	}
}

func gapLines(gaps []diagnose.Gap) []string {
	var out []string
	for _, g := range gaps {
		if g.Right != "" {
			out = append(out, "note: you may not "+g.Right+", so "+g.What+" are left out")
			continue
		}
		out = append(out, "note: "+g.What+" could not be read: "+g.Message)
	}
	return out
}
