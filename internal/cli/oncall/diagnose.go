// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/diagnose"
)

func newDiagnose(env *command.Env) *cobra.Command {
	var output command.Output
	cmd := &cobra.Command{
		Use:   "diagnose NAME",
		Short: "Say why an Instance is stuck, and what to run next",
		Long: `Follows the Instance over its execution, step, object and pod to the event behind it, names the
cause and the commands to run next. It reads with your rights and says which are missing.`,
		Example:           "  kubectl kudo diagnose zk",
		Args:              command.Args(1, 1),
		ValidArgsFunction: CompleteNames(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := examine(cmd.Context(), env, args[0])
			if err != nil {
				return err
			}
			return output.Print(env, report, func() error {
				show(env, reportLines(look(env), report)...)
				return nil
			})
		},
	}
	output.AddFlags(cmd)
	return cmd
}

func examine(ctx context.Context, env *command.Env, name string) (*diagnose.Report, error) {
	s, err := find(ctx, env, name)
	if err != nil {
		return nil, err
	}
	r := diagnose.Explain(evidence.Gather(ctx, s.client, s.inst, env.Clock.Now()))
	return &r, nil
}

// reportLines show the chain, each link below the one before, then the cause and what to run.
func reportLines(l screen.Look, r *diagnose.Report) []string {
	out := make([]string, 0, len(r.Chain)+len(r.Next))
	for i, link := range r.Chain {
		branch := ""
		if i > 0 {
			branch = strings.Repeat("   ", i-1) + "└─ "
		}
		line := l.Paint(screen.Faint, branch) + l.Paint(screen.Bold, link.Object)
		if link.State != "" {
			line += "  " + l.Paint(colorOf(link.State), link.State)
		}
		if link.Message != "" {
			line += "  " + link.Message
		}
		out = append(out, line)
	}
	color := screen.Red
	switch r.Cause {
	case diagnose.None:
		color = screen.Green
	case diagnose.InProgress, diagnose.ApprovalPending, diagnose.Paused, diagnose.Suspended:
		color = screen.Yellow
	default:
	}
	if r.Cause == diagnose.None {
		out = append(out, "", l.Paint(color, r.Summary))
	} else {
		out = append(out, "", l.Paint(color, "Cause: "+string(r.Cause))+": "+r.Summary)
	}
	if len(r.Next) > 0 {
		out = append(out, "", "Next:")
	}
	for i, c := range r.Next {
		out = append(out, fmt.Sprintf("  %d. %s", i+1, l.Paint(screen.Faint, c.Why)), "     "+l.Paint(screen.Bold, c.Run))
	}
	if len(r.Others) > 0 {
		out = append(out, "", "Also:")
	}
	for _, other := range r.Others {
		out = append(out, "  "+strings.Join(strings.Fields(other), " "))
	}
	if len(r.Gaps) > 0 {
		out = append(out, "")
	}
	return append(out, gapLines(r.Gaps)...)
}

// colorOf is that of a state of a link, by its first word.
func colorOf(state string) string {
	word, _, _ := strings.Cut(state, ",")
	switch word {
	case "Stalled", "Failed", "PlanStalled", "PlanFailed", "Down", "Lost":
		return screen.Red
	case "Running", "Progressing", "PlanRunning":
		return screen.Cyan
	case "Ready", "Healthy", "Bound":
		return screen.Green
	}
	return screen.Yellow
}
