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

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
)

// The ends that --until waits for.
const (
	untilReady   = "ready"
	untilStalled = "stalled"
	untilSettled = "settled"
)

type statusOptions struct {
	output  command.Output
	watch   bool
	until   string
	timeout time.Duration
}

func newStatus(env *command.Env) *cobra.Command {
	o := &statusOptions{}
	cmd := &cobra.Command{
		Use:   "status NAME",
		Short: "Show how far the plan of an Instance is: phases, steps, durations, the last error",
		Long: `Shows the Instance and what runs on it, or ran last.

With --watch it is drawn again as it changes; where the output is no terminal, what changed
is printed line by line. --until ends the watch: ready (exit code 0; 1 if it stalls), stalled,
or settled (either).`,
		Example: `  kubectl kudo status zk --watch
  kubectl kudo status zookeeper/zk --until ready --timeout 10m`,
		Args:              command.Args(1, 1),
		ValidArgsFunction: CompleteNames(env, 1),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, args[0]) },
	}
	o.output.AddFlags(cmd)
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "Draw it again whenever it changes")
	cmd.Flags().StringVar(&o.until, "until", "", "Watch until it is: ready, stalled or settled")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 0, "End the watch after this time with exit code 1; 0 for never")
	_ = cmd.RegisterFlagCompletionFunc("until", cobra.FixedCompletions([]string{untilReady, untilStalled, untilSettled}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *statusOptions) run(ctx context.Context, env *command.Env, name string) error {
	if o.until != "" && !slices.Contains([]string{untilReady, untilStalled, untilSettled}, o.until) {
		return command.Misuse("--until %s is not known: use ready, stalled or settled", o.until)
	}
	watches := o.watch || o.until != ""
	if watches && o.output.Asked() {
		return command.Misuse("-o shows one moment: leave out --watch and --until, or use kubectl wait")
	}
	s, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	if watches {
		return o.follow(ctx, env, s)
	}
	runs, _, err := s.visible(ctx, env)
	if err != nil {
		return err
	}
	return o.output.Print(env, newState(s.inst, runs), func() error {
		show(env, statusLines(look(env), s.inst, runs, env.Clock.Now())...)
		return nil
	})
}

// state is the answer of status as JSON or YAML.
type state struct {
	Instance   *v1alpha1.Instance       `json:"instance"`
	State      string                   `json:"state"`
	Executions []v1alpha1.PlanExecution `json:"executions"`
}

func newState(inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution) state {
	inst.ManagedFields = nil
	word, _ := stateOf(inst)
	out := state{Instance: inst, State: word, Executions: []v1alpha1.PlanExecution{}}
	for _, pe := range evidence.Shown(inst, runs) {
		pe.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("PlanExecution"))
		pe.ManagedFields = nil
		out.Executions = append(out.Executions, *pe)
	}
	return out
}

// statusLines show an Instance and what runs on it, or ran last.
func statusLines(l screen.Look, inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution, now time.Time) []string {
	word, color := stateOf(inst)
	ready := readyOf(inst)
	out := []string{l.Paint(screen.Bold, evidence.Named(inst)) + " in " + inst.Namespace}
	field := func(name, text, color string) {
		out = append(out, "  "+l.Paint(screen.Faint, fmt.Sprintf("%-9s", name))+l.Paint(color, text))
	}
	line := word
	if ready.Message != "" && !strings.HasPrefix(ready.Message, "plan ") {
		line += ": " + ready.Message
	}
	narrow := l
	narrow.Width = max(0, l.Width-len("  state    "))
	field("state", narrow.Cut(line), color)
	field("version", inst.Spec.Framework+" "+versionOf(inst), "")
	if text := errorOf(inst, runs); text != "" {
		const indent = "           "
		lines := narrow.Wrap(text)
		field("error", lines[0], "")
		for _, more := range lines[1:] {
			out = append(out, indent+more)
		}
	}
	for _, pe := range evidence.Shown(inst, runs) {
		out = append(out, "")
		out = append(out, screen.Tree(pe, now, l)...)
		if note := pauseOf(pe); note != "" {
			out = append(out, l.Paint(screen.Yellow, l.Cut(note)))
		}
	}
	if hint := hintOf(inst, runs); hint != "" {
		out = append(out, "", l.Paint(screen.Faint, hint))
	}
	return out
}

// errorOf is what is wrong with what runs, in full: the tree has room for its beginning only.
func errorOf(inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution) string {
	for _, pe := range evidence.Shown(inst, runs) {
		switch pe.Status.State {
		case v1alpha1.RunStalled, v1alpha1.RunFailed:
			return pe.Status.Message
		case v1alpha1.RunPending, v1alpha1.RunRunning, v1alpha1.RunSucceeded, v1alpha1.RunCancelled, v1alpha1.RunSkipped:
		}
	}
	return ""
}

func pauseOf(pe *v1alpha1.PlanExecution) string {
	if len(pe.Status.Paused) == 0 || pe.Status.State.Terminal() {
		return ""
	}
	what := strings.Join(pe.Status.Paused, ", ")
	if slices.Contains(pe.Status.Paused, v1alpha1.PausedAll) {
		what = "all of it"
	}
	return "paused: " + what
}

// hintOf is what a person may want to do next.
func hintOf(inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution) string {
	word, _ := stateOf(inst)
	plugin := "kubectl kudo -n " + inst.Namespace + " "
	for _, pe := range evidence.Current(inst, runs) {
		if pe.Status.Reason == v1alpha1.ReasonAwaitingApproval {
			return "It waits for you: " + plugin + "approve " + inst.Name
		}
	}
	if word == "Stalled" || word == "Waiting" {
		return "Why: " + plugin + "diagnose " + inst.Name
	}
	return ""
}

// errStalled ends a watch for Ready: what stalled does not become ready by waiting.
var errStalled = errors.New("it is stalled")

// reached says whether a watch has come to its end.
func (o *statusOptions) reached(inst *v1alpha1.Instance) (bool, error) {
	word, _ := stateOf(inst)
	switch {
	case o.until == "" || inst.Status.ObservedGeneration < inst.Generation:
		return false, nil
	case word == "Stalled" && o.until == untilReady:
		return true, fmt.Errorf("%s: %w. Why: kubectl kudo -n %s diagnose %s", readyOf(inst).Message, errStalled, inst.Namespace, inst.Name)
	case word == "Stalled":
		return true, nil
	case o.until != untilStalled:
		return word == "Ready" || word == "Drifted", nil
	}
	return false, nil
}
