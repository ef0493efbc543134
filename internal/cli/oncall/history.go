// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/screen"
)

func newHistory(env *command.Env) *cobra.Command {
	var output command.Output
	cmd := &cobra.Command{
		Use:               "history NAME",
		Short:             "List what ran on an Instance: plans, why, how they ended, and who asked for what",
		Example:           "  kubectl kudo history zk",
		Args:              command.Args(1, 1),
		ValidArgsFunction: CompleteNames(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := find(cmd.Context(), env, args[0])
			if err != nil {
				return err
			}
			runs, err := s.runs(cmd.Context())
			if err != nil {
				return err
			}
			list := &v1alpha1.PlanExecutionList{Items: runs}
			list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("PlanExecutionList"))
			for i := range runs {
				runs[i].SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("PlanExecution"))
				runs[i].ManagedFields = nil
			}
			return output.Print(env, list, func() error {
				if output.Is(byName) {
					for i := range runs {
						env.Printf("planexecution.kudo.dev/%s\n", runs[i].Name)
					}
					return nil
				}
				if len(runs) == 0 {
					env.Warnf("Nothing has run on %s yet.\n", args[0])
					return nil
				}
				show(env, historyLines(look(env), runs, env.Clock.Now(), output.Is(wide))...)
				return nil
			})
		},
	}
	output.AddFlags(cmd, wide, byName)
	return cmd
}

// historyLines show executions, one a line, the oldest first, and below each what people asked.
func historyLines(l screen.Look, runs []v1alpha1.PlanExecution, now time.Time, more bool) []string {
	head := screen.Text("#", "PLAN", "STATE", "WHY", "STARTED", "TOOK", "STEPS")
	if more {
		head = append(head, screen.Text("EXECUTION", "MESSAGE")...)
	}
	rows := [][]screen.Cell{head}
	for i := range runs {
		rows = append(rows, historyRow(l, &runs[i], now, more))
	}
	table := l.Table(rows)
	out := []string{table[0]}
	for i, line := range table[1:] {
		out = append(out, line)
		for _, q := range runs[i].Spec.Requests {
			out = append(out, l.Paint(screen.Faint, "    "+screen.Plain(requestLine(&runs[i], q))))
		}
	}
	return out
}

func historyRow(l screen.Look, pe *v1alpha1.PlanExecution, now time.Time, more bool) []screen.Cell {
	s := pe.Status
	number := "-"
	if s.Epoch > 0 {
		number = strconv.FormatInt(s.Epoch, 10)
	}
	state := s.State
	if state == "" {
		state = v1alpha1.RunPending
	}
	text := string(state)
	if s.Reason != "" && s.Reason != text {
		text += ", " + s.Reason
	}
	_, color := l.Mark(state)
	started, took := "", ""
	if s.StartedAt != nil {
		started = duration.HumanDuration(now.Sub(s.StartedAt.Time)) + " ago"
		end := now
		if s.FinishedAt != nil {
			end = s.FinishedAt.Time
		}
		took = screen.Span(end.Sub(s.StartedAt.Time))
	}
	row := append(screen.Text(number, pe.Spec.Plan), screen.Cell{Text: text, Color: color})
	row = append(row, screen.Text(why(pe), started, took, s.Progress)...)
	if more {
		row = append(row, screen.Text(pe.Name, s.Message)...)
	}
	return row
}

// why says in words what made a run.
func why(pe *v1alpha1.PlanExecution) string {
	kind, rest, _ := strings.Cut(pe.Spec.Trigger, "/")
	detail, _, _ := strings.Cut(rest, "/")
	switch kind {
	case "spec":
		return "spec changed (generation " + detail + ")"
	case "content":
		return "a Secret or ConfigMap changed"
	case "again":
		return "the run before gave way"
	case "onFailure":
		return "the run before failed"
	case "recovery":
		return "recovery rule " + detail
	case "delete":
		return "deleted"
	case "":
		return "a person ran it"
	}
	return pe.Spec.Trigger
}

// requestLine tells a request with its answer.
func requestLine(pe *v1alpha1.PlanExecution, q v1alpha1.Request) string {
	line := q.Action
	if q.Mode != "" {
		line += " (" + q.Mode + ")"
	}
	if q.Path != "" {
		line += " " + q.Path
	}
	if q.By != "" {
		line += " by " + q.By
	}
	if q.Reason != "" {
		line += ": " + q.Reason
	}
	for _, a := range pe.Status.Requests {
		if a.ID == q.ID {
			line += " -> " + a.State
			if a.State != "Done" {
				line += ", " + a.Message
			}
			return line
		}
	}
	return line + " -> not answered yet"
}
