// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
)

// suffix is how many random characters make the name of an execution unique.
const suffix = 5

type runOptions struct {
	preempt, wait bool
	timeout       time.Duration
}

func newRun(env *command.Env) *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run PLAN NAME",
		Short: "Run a plan of an Instance",
		Long: `Creates a PlanExecution. It starts once nothing else needs to run, oldest first; with --preempt it
takes the place of a run that is stalled.`,
		Example:           "  kubectl kudo run backup zk --wait",
		Args:              command.Args(2, 2),
		ValidArgsFunction: completeRun(env),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, args[0], args[1]) },
	}
	cmd.Flags().BoolVar(&o.preempt, "preempt", false, "Take the place of a run that is stalled")
	cmd.Flags().BoolVar(&o.wait, "wait", false, "Wait until it has ended; exit code 1 unless it succeeded")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 0, "End the wait after this time with exit code 1; 0 for never")
	return cmd
}

func (o *runOptions) run(ctx context.Context, env *command.Env, plan, name string) error {
	s, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	if err := checkPlan(ctx, s, plan); err != nil {
		return err
	}
	pe := newExecution(s.inst, plan, o.preempt)
	if err := s.client.Create(ctx, pe); err != nil {
		return evidence.Denied("running plan "+plan+" of "+evidence.Named(s.inst), err)
	}
	env.Printf("planexecution.kudo.dev/%s created\n", pe.Name)
	if !o.wait {
		return nil
	}
	return o.follow(ctx, env, s, pe)
}

// checkPlan says which plans there are if there is none of the name. Who may not read the
// version is told by the execution itself.
func checkPlan(ctx context.Context, s *subject, plan string) error {
	r := evidence.Reader{Client: s.client}
	fwv := r.Version(ctx, s.inst)
	if fwv == nil || plan == v1alpha1.PlanRollback {
		return nil
	}
	names := planNames(fwv)
	if slices.Contains(names, plan) {
		return nil
	}
	hint := ""
	for _, n := range names {
		if strings.HasPrefix(n, plan) || strings.HasPrefix(plan, n) {
			hint = "; did you mean " + n + "?"
		}
	}
	return command.Misuse("version %s of %s has no plan %q%s It has: %s", fwv.Spec.Version, fwv.Spec.Framework, plan, hint, strings.Join(names, ", "))
}

func planNames(fwv *v1alpha1.FrameworkVersion) []string {
	var out []string
	for i := range fwv.Spec.Plans {
		if name := fwv.Spec.Plans[i].Name; name != v1alpha1.PlanCleanup {
			out = append(out, name)
		}
	}
	return append(out, v1alpha1.PlanRollback)
}

// newExecution is named like those of Kudo, with a random end: each call is a run of its own.
func newExecution(inst *v1alpha1.Instance, plan string, preempt bool) *v1alpha1.PlanExecution {
	const most = 63
	prefix := inst.Name + "-" + plan
	prefix = strings.TrimRight(prefix[:min(len(prefix), most-suffix-1)], "-.")
	return &v1alpha1.PlanExecution{
		ObjectMeta: metav1.ObjectMeta{Namespace: inst.Namespace, Name: prefix + "-" + utilrand.String(suffix)},
		Spec:       v1alpha1.PlanExecutionSpec{Instance: inst.Name, Plan: plan, Preempt: preempt},
	}
}

// follow shows the run until it has ended, or stalls.
func (o *runOptions) follow(ctx context.Context, env *command.Env, s *subject, pe *v1alpha1.PlanExecution) error {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, errTimeout)
		defer cancel()
	}
	out := screen.Of(env.Out, env.Terminal)
	defer out.Keep()
	ticker := time.NewTicker(screen.RedrawEvery)
	defer ticker.Stop()
	var before *v1alpha1.PlanExecution
	var read time.Time
	for {
		if time.Since(read) >= pollEvery {
			next := &v1alpha1.PlanExecution{}
			if err := s.client.Get(ctx, client.ObjectKeyFromObject(pe), next); err != nil && ctx.Err() == nil {
				return evidence.Denied("waiting for the run", err)
			}
			if !out.Live {
				show(env, screen.Changes(before, next, env.Clock.Now())...)
			}
			before, read = next, time.Now()
		}
		if out.Live && before != nil {
			out.Draw(screen.Tree(before, env.Clock.Now(), out.Look()))
		}
		if over, err := evidence.Ended(before); over {
			return err //nolint:wrapcheck // it says what it is about
		}
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTimeout) {
				return fmt.Errorf("plan %s has not ended within %s. Why: kubectl kudo -n %s diagnose %s", pe.Spec.Plan, o.timeout, pe.Namespace, pe.Spec.Instance)
			}
			return nil
		case <-ticker.C:
		}
	}
}
