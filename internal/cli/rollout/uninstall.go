// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/forecast"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
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
	w.addFlags(cmd, "until it is gone")
	return cmd
}

func uninstall(ctx context.Context, env *command.Env, name string, confirm *command.Confirmation, w *waiting) error {
	s, inst, target, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	if leaving(target) {
		s.Printf("%s was told to go already\n", titleOf(target))
		return w.gone(ctx, s, target)
	}
	if err := s.farewell(ctx, inst); err != nil {
		return err
	}
	if tool := handedOver(target); tool != "" {
		s.Warnf("warning: %s is written by %s, which will make it again: remove it there\n", titleOf(target), tool)
	}
	if err := confirm.Confirm(ctx, s.Env, "Remove %s?", titleOf(target)); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	uid := target.GetUID() // what was shown, and not another one of its name
	err = s.client.Delete(ctx, target, client.Preconditions{UID: &uid})
	if err != nil && !apierrors.IsNotFound(err) {
		return refused("removing", titleOf(target), err)
	}
	return w.gone(ctx, s, target)
}

// farewell says what the removal does: the cleanup plan, what goes and what stays.
func (s *session) farewell(ctx context.Context, inst *v1alpha1.Instance) error {
	b, err := s.stand(ctx, inst)
	if err != nil {
		return err
	}
	p := &prediction{Instance: inst.Namespace + "/" + inst.Name, From: inst.Spec.Version, To: inst.Spec.Version}
	if in := b.baseline.Completed; in != nil {
		p.From, p.To = in.Version.Name, in.Version.Name
	} else {
		p.Note = "no plan has ever completed"
	}
	if err := s.cleanup(ctx, inst, b, p); err != nil {
		p.Note = "what plan cleanup would do is not known: " + err.Error()
	}
	s.show(p, false)
	if b.applied != nil {
		s.Printf("\nobjects:\n%s", fates(b.applied, p.forecast))
	}
	return nil
}

// cleanup foresees the plan cleanup, where one would run: that of the version that runs, or
// of the one that was wanted where none ever ran to its end.
func (s *session) cleanup(ctx context.Context, inst *v1alpha1.Instance, b *before, p *prediction) error {
	framework := inst.Spec.Framework
	if in := b.baseline.Completed; in != nil {
		framework = in.Framework
	} else if b.applied == nil {
		return nil
	}
	version, err := s.version(ctx, framework, p.To)
	if err != nil || version.Plan(v1alpha1.PlanCleanup) == nil {
		return err
	}
	p.Plan = v1alpha1.PlanCleanup
	asked := archive.Asked{Plan: p.Plan, Trigger: "delete"}
	var in *revision.Inputs
	if b.baseline.Completed != nil {
		in = b.baseline.Cleanup(asked, inst)
	} else {
		values, digest, err := version.Desired(inst.Spec.Parameters)
		if err != nil {
			return fmt.Errorf("the parameters do not fit: %w", err)
		}
		in = b.baseline.Inputs(inst, version, values, digest, asked)
	}
	subject := forecast.Subject{
		Version: version, Inputs: in, Scope: s.scope,
		Identity: graph.Identity{Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID},
	}
	subject.Objects = s.observed(ctx, subject)
	p.forecast, err = forecast.Of(subject)
	return err //nolint:wrapcheck // it says what would stall
}

// fates says what becomes of the objects of an Instance that is removed: what outlives it stays,
// unless the plan cleanup deletes it.
func fates(applied *revision.Applied, cleanup *forecast.Forecast) string {
	deleted := map[string]bool{}
	if cleanup != nil {
		for _, t := range cleanup.Tasks {
			for _, o := range t.Objects {
				deleted[revision.Key(revision.Reference(o.Object))] = t.Kind == engine.TaskDelete
			}
		}
	}
	var out strings.Builder
	for _, o := range applied.Objects {
		fate := "- remove"
		outlives := apply.Outlives(schema.FromAPIVersionAndKind(o.APIVersion, o.Kind).GroupKind())
		if outlives && !deleted[revision.Key(o.ObjectReference)] {
			fate = "  stays "
		}
		out.WriteString(fate + " " + command.Title(o.Kind, o.Name) + "\n")
	}
	return out.String()
}
