// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
)

// steering is a command that appends a request to an execution and prints its answer.
type steering struct {
	env     *command.Env
	action  string
	request v1alpha1.Request

	execution   string
	timeout     time.Duration
	undo, force bool
}

// verb describes one of the commands.
type verb struct {
	name, action, short, long string
	path                      pathUse
}

// pathUse says whether a command takes the path of a part.
type pathUse int

const (
	pathNone pathUse = iota
	pathOptional
	pathNeeded
)

var verbs = []verb{
	{"pause", v1alpha1.ActionPause, "Let nothing more start in a run, or below a path of it",
		"What is in flight goes on. `resume` takes it back.", pathOptional},
	{"resume", v1alpha1.ActionResume, "Let a paused run go on", "Takes back every pause at or below the path.", pathOptional},
	{"cancel", v1alpha1.ActionCancel, "End a run",
		"It ends at its next safe point and leaves what it did. --undo takes back what it started\nfirst. --force ends it at once, also while a job runs; what becomes of that is unknown.", pathNone},
	{"retry", v1alpha1.ActionRetry, "Try again what is stalled, or run again from a step that ended",
		"Without a path, all that is stalled is tried again.", pathOptional},
	{"approve", v1alpha1.ActionApprove, "Let a step go on that waits for a person",
		"Without a path, every step that waits is approved.", pathOptional},
	{"skip", v1alpha1.ActionSkip, "Go on without a phase or step", "What it did so far stays, and nothing of it is pruned.", pathNeeded},
	{"force-complete", v1alpha1.ActionForceComplete, "Take a run, a phase or a step for done",
		"What was started counts as succeeded, what was not as skipped.", pathOptional},
}

func newSteering(env *command.Env) []*cobra.Command {
	var out []*cobra.Command
	for _, v := range verbs {
		out = append(out, v.command(env))
	}
	return out
}

func (v verb) command(env *command.Env) *cobra.Command {
	s := &steering{env: env, action: v.name, request: v1alpha1.Request{Action: v.action}}
	use, least, most := v.name+" NAME [PATH]", 1, 2
	switch v.path {
	case pathNone:
		use, most = v.name+" NAME", 1
	case pathNeeded:
		use, least = v.name+" NAME PATH", 2
	case pathOptional:
	}
	cmd := &cobra.Command{
		Use: use, Short: v.short, Long: v.short + ".\n\n" + v.long,
		Example:           "  kubectl kudo " + strings.NewReplacer("NAME", "zk", "[PATH]", "servers/roll", "PATH", "servers/roll").Replace(use) + ` --reason "ticket 123"`,
		Args:              command.Args(least, most),
		ValidArgsFunction: completePaths(env, most),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				s.request.Path = strings.Trim(args[1], "/")
			}
			return s.run(cmd.Context(), args[0])
		},
	}
	cmd.Flags().StringVar(&s.request.Reason, "reason", "", "Why, for the record")
	cmd.Flags().StringVar(&s.execution, "execution", "", "PlanExecution that is meant, if several run")
	cmd.Flags().DurationVar(&s.timeout, "timeout", 30*time.Second, "How long to wait for the answer; 0 to not wait")
	if v.action == v1alpha1.ActionCancel {
		cmd.Flags().BoolVar(&s.undo, "undo", false, "Take back what the run started, then end it")
		cmd.Flags().BoolVar(&s.force, "force", false, "End it at once, also while a job runs")
	}
	return cmd
}

func (s *steering) run(ctx context.Context, name string) error {
	switch {
	case s.undo && s.force:
		return command.Misuse("--undo takes back first and --force ends at once: use one of them")
	case s.undo:
		s.request.Mode = v1alpha1.CancelUndo
	case s.force:
		s.request.Mode = v1alpha1.CancelForce
	}
	sub, err := find(ctx, s.env, name)
	if err != nil {
		return err
	}
	runs, err := sub.runs(ctx)
	if err != nil {
		return err
	}
	pe, err := s.choose(sub.inst, runs)
	if err != nil {
		return err
	}
	if err := knownPath(pe, s.request.Path); err != nil {
		return err
	}
	s.request.ID = s.action + "-" + utilrand.String(8)
	if err := s.ask(ctx, sub.client, pe); err != nil {
		return err
	}
	if s.timeout == 0 {
		s.env.Printf("%s asked of plan %s (%s)\n", s.action, pe.Spec.Plan, pe.Name)
		return nil
	}
	return s.answer(ctx, sub.client, pe)
}

// choose finds the execution that is meant.
func (s *steering) choose(inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution) (*v1alpha1.PlanExecution, error) {
	if s.execution != "" {
		for i := range runs {
			if runs[i].Name == s.execution {
				return &runs[i], nil
			}
		}
		return nil, fmt.Errorf("%s has no PlanExecution %s. Which has it? kubectl kudo -n %s history %s -o wide", evidence.Named(inst), s.execution, inst.Namespace, inst.Name)
	}
	current := evidence.Current(inst, runs)
	if len(current) > 0 && inst.Status.Active != nil && current[0].UID == inst.Status.Active.UID {
		return current[0], nil // what runs beside it, or waits, must be named
	}
	switch len(current) {
	case 0:
		last := "Nothing ever ran"
		if len(runs) > 0 {
			pe := &runs[len(runs)-1]
			last = fmt.Sprintf("The last plan, %s, is %s", pe.Spec.Plan, pe.Status.State)
		}
		return nil, fmt.Errorf("no plan of %s is under way, so there is nothing to %s. %s; to run one: kubectl kudo -n %s run PLAN %s",
			evidence.Named(inst), s.action, last, inst.Namespace, inst.Name)
	case 1:
		return current[0], nil
	}
	var names []string
	for _, pe := range current {
		names = append(names, pe.Name+" (plan "+pe.Spec.Plan+")")
	}
	return nil, command.Misuse("several executions of %s are under way: name one with --execution: %s", evidence.Named(inst), strings.Join(names, ", "))
}

// knownPath refuses a path that the execution does not have, before it stands in the record.
func knownPath(pe *v1alpha1.PlanExecution, path string) error {
	all := paths(pe)
	if path == "" || len(all) == 0 || slices.Contains(all, path) {
		return nil
	}
	steps := slices.DeleteFunc(all, func(p string) bool { return strings.Count(p, "/") > 1 })
	return command.Misuse("plan %s has no phase, step or task %q. It has: %s", pe.Spec.Plan, path, strings.Join(steps, ", "))
}

// paths are those of all phases, steps and tasks.
func paths(pe *v1alpha1.PlanExecution) []string {
	var out []string
	for _, phase := range pe.Status.Phases {
		out = append(out, phase.Name)
		for _, step := range phase.Steps {
			at := phase.Name + "/" + step.Name
			out = append(out, at)
			for _, t := range step.Tasks {
				out = append(out, at+"/"+t.Name)
			}
			for _, t := range step.Undo {
				out = append(out, at+"/undo/"+t.Name)
			}
		}
	}
	return out
}

// ask appends the request, and again if somebody else wrote meanwhile.
func (s *steering) ask(ctx context.Context, c client.Client, pe *v1alpha1.PlanExecution) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		now := &v1alpha1.PlanExecution{}
		if err := c.Get(ctx, client.ObjectKeyFromObject(pe), now); err != nil {
			return err
		}
		base := now.DeepCopy()
		now.Spec.Requests = append(now.Spec.Requests, s.request)
		return c.Patch(ctx, now, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	})
	return evidence.Denied("asking plan "+pe.Spec.Plan+" to "+s.action, err)
}

// answer waits for the answer and prints it; a refusal is an error.
func (s *steering) answer(ctx context.Context, c client.Client, pe *v1alpha1.PlanExecution) error {
	var found *v1alpha1.RequestStatus
	now := &v1alpha1.PlanExecution{}
	err := wait.PollUntilContextTimeout(ctx, pollEvery, s.timeout, true, func(ctx context.Context) (bool, error) {
		now = &v1alpha1.PlanExecution{}
		if err := c.Get(ctx, client.ObjectKeyFromObject(pe), now); err != nil {
			return false, err
		}
		i := slices.IndexFunc(now.Status.Requests, func(a v1alpha1.RequestStatus) bool { return a.ID == s.request.ID })
		if i >= 0 {
			found = &now.Status.Requests[i]
		}
		return found != nil, nil
	})
	switch {
	case found == nil && wait.Interrupted(err) && ctx.Err() == nil:
		return fmt.Errorf("the request %s stands in the PlanExecution %s, but was not answered within %s. Is the manager running? kubectl get pods --all-namespaces -l app.kubernetes.io/name=kudo",
			s.request.ID, pe.Name, s.timeout)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the PlanExecution %s went before it answered", pe.Name)
	case found == nil:
		return evidence.Denied("waiting for the answer", err)
	case found.State != "Done":
		return fmt.Errorf("refused: %s. See: kubectl kudo -n %s status %s", found.Message, pe.Namespace, pe.Spec.Instance)
	}
	s.env.Printf("%s: %s\n", cmp.Or(s.request.Path, "plan "+pe.Spec.Plan), found.Message)
	return nil
}
