// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/engine"
)

func newRollback(env *command.Env) *cobra.Command {
	r := &rollback{}
	cmd := &cobra.Command{
		Use:   "rollback NAME",
		Short: "Put an Instance back to what last worked",
		Long: "Runs the built-in plan rollback: the objects become again what the last completed plan left, in\n" +
			"place of a plan that is stalled. The spec stays as it is, so the Instance is not Ready, RolledBack,\n" +
			"until its spec changes.",
		Example: "  kubectl kudo rollback zk/main --wait",
		Args:    command.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd.Context(), env, args[0])
		},
	}
	r.confirm.AddFlags(cmd)
	r.waiting.addFlags(cmd, "until it has ended, or stalls")
	return cmd
}

// rollback is the command.
type rollback struct {
	confirm command.Confirmation
	waiting waiting
}

func (r *rollback) run(ctx context.Context, env *command.Env, name string) error {
	s, err := open(env)
	if err != nil {
		return err
	}
	inst, err := evidence.Find(ctx, s.client, s.namespace, name)
	if err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	if inst.DeletionTimestamp != nil {
		return fmt.Errorf("%s is being removed: it can not be rolled back", evidence.Named(inst))
	}
	b, err := s.stand(ctx, inst)
	if err != nil {
		return err
	}
	back := b.baseline.Completed
	if back == nil {
		return errors.New("no plan has ever completed: there is nothing to go back to. Correct the spec, or remove it with: kubectl kudo uninstall " + name)
	}
	s.Printf("%s/%s goes back to version %s, as plan %s left it", inst.Namespace, inst.Name, back.Version.Name, back.Plan)
	if b.applied != nil {
		s.Printf(": %d objects", len(b.applied.Objects))
	}
	s.Printf("\n")
	for _, line := range s.reverted(ctx, inst, b.baseline) {
		s.Printf("  %s\n", line)
	}
	if err := r.confirm.Confirm(ctx, s.Env, "Roll %s back?", evidence.Named(inst)); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	pe := &v1alpha1.PlanExecution{
		ObjectMeta: metav1.ObjectMeta{Namespace: inst.Namespace, GenerateName: inst.Name + "-rollback-"},
		Spec:       v1alpha1.PlanExecutionSpec{Instance: inst.Name, Plan: v1alpha1.PlanRollback, Preempt: true},
	}
	if err := s.client.Create(ctx, pe, manager); err != nil {
		return refused("rolling back", evidence.Named(inst), err)
	}
	s.Printf("planexecution/%s is made\n", pe.Name)
	return r.waiting.ended(ctx, s, pe, evidence.Named(inst))
}

// reverted lists the parameters that will have other values than the spec says. Where what it
// says can not be rolled out, none: that says nothing about what runs.
func (s *session) reverted(ctx context.Context, inst *v1alpha1.Instance, b *archive.Baseline) []string {
	version, err := s.version(ctx, inst.Spec.Framework, inst.Spec.Version)
	if err != nil {
		return nil
	}
	now, _, unfit := b.Judge(inst, version)
	if unfit != nil {
		return nil
	}
	var out []string
	for _, name := range b.Changed(version.Params, now) {
		from, to := brief(now, name), brief(b.Completed.Params, name)
		if from != to { // else a plan that failed changed it, and it was put back since
			out = append(out, name+": "+from+" → "+to)
		}
	}
	return out
}

// brief is the value of a parameter in one line.
func brief(values map[string]any, name string) string {
	const most = 60
	value, given := values[name]
	if !given {
		return "none"
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return engine.Brief(string(raw), most)
}
