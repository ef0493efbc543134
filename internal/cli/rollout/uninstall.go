// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/forecast"
	"kudo.dev/kudo/internal/graph"
)

func newUninstall(env *command.Env) *cobra.Command {
	var confirm command.Confirmation
	var w waiting
	cmd := &cobra.Command{
		Use:   "uninstall NAME",
		Short: "Remove an Instance, by its cleanup plan",
		Long: "Removes an Instance, or the typed object that it was made from. Its plan cleanup runs first, if\n" +
			"the version has one. What outlives (volumes, generated Secrets, definitions, namespaces) is\n" +
			"listed and stays.",
		Example: "  kubectl kudo uninstall zk/main --wait",
		Args:    command.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return uninstall(cmd.Context(), env, args[0], &confirm, &w)
		},
	}
	confirm.AddFlags(cmd)
	w.addFlags(cmd)
	return cmd
}

func uninstall(ctx context.Context, env *command.Env, name string, confirm *command.Confirmation, w *waiting) error {
	s, inst, target, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	if err := s.farewell(ctx, inst); err != nil {
		return err
	}
	if err := confirm.Confirm(s.Env, "Remove %s?", titleOf(target)); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	if err := s.client.Delete(ctx, target); err != nil {
		return refused(titleOf(target), err)
	}
	return w.gone(ctx, s, target)
}

// farewell says what the removal does: the cleanup plan, what goes and what stays.
func (s *session) farewell(ctx context.Context, inst *v1alpha1.Instance) error {
	b, err := s.stand(ctx, inst)
	if err != nil {
		return err
	}
	in := b.baseline.Completed
	if in == nil || b.applied == nil {
		s.Printf("%s/%s: no plan has ever completed\n", inst.Namespace, inst.Name)
		return nil
	}
	p := &prediction{Instance: inst.Namespace + "/" + inst.Name, From: in.Version.Name, To: in.Version.Name}
	if _, version, err := s.version(ctx, in.Framework, in.Version.Name); err == nil && version.Plan(v1alpha1.PlanCleanup) != nil {
		p.Plan = v1alpha1.PlanCleanup
		cleanup := b.baseline.Cleanup(archive.Asked{Plan: p.Plan, Trigger: "delete"}, inst)
		p.forecast, err = forecast.Of(forecast.Subject{
			Version: version, Inputs: cleanup, Scope: s.scope,
			Identity: graph.Identity{Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID},
		})
		if err != nil {
			p.Note = "plan cleanup would stall: " + err.Error()
		}
	}
	s.show(p, false)
	s.Printf("\nobjects:\n")
	for _, o := range b.applied.Objects {
		fate := "- remove"
		if apply.Outlives(schema.FromAPIVersionAndKind(o.APIVersion, o.Kind).GroupKind()) {
			fate = "  stays "
		}
		s.Printf("%s %s/%s\n", fate, strings.ToLower(o.Kind), o.Name)
	}
	return nil
}
