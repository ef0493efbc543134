// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
)

func newRollback(env *command.Env) *cobra.Command {
	var confirm command.Confirmation
	cmd := &cobra.Command{
		Use:   "rollback NAME",
		Short: "Put an Instance back to what last worked",
		Long: "Runs the built-in plan rollback: the objects become again what the last completed plan left, in\n" +
			"place of a plan that is stalled. The spec stays as it is, so the Instance is not Ready, RolledBack,\n" +
			"until its spec changes.",
		Example: "  kubectl kudo rollback zk/main",
		Args:    command.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return rollback(cmd.Context(), env, args[0], &confirm)
		},
	}
	confirm.AddFlags(cmd)
	return cmd
}

func rollback(ctx context.Context, env *command.Env, name string, confirm *command.Confirmation) error {
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
	if err := confirm.Confirm(ctx, s.Env, "Roll %s back?", evidence.Named(inst)); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	pe := &v1alpha1.PlanExecution{
		ObjectMeta: metav1.ObjectMeta{Namespace: inst.Namespace, GenerateName: inst.Name + "-rollback-"},
		Spec:       v1alpha1.PlanExecutionSpec{Instance: inst.Name, Plan: v1alpha1.PlanRollback, Preempt: true},
	}
	if err := s.client.Create(ctx, pe, manager); err != nil {
		return refused("rolling back", evidence.Named(inst), err)
	}
	s.Printf("planexecution/%s is made\nfollow it with: kubectl kudo status %s -n %s --watch\n", pe.Name, evidence.Named(inst), inst.Namespace)
	return nil
}
