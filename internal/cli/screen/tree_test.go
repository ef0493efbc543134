// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"bytes"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/golden"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at is a moment of the story, in seconds.
func at(seconds float64) *metav1.MicroTime {
	m := metav1.NewMicroTime(began.Add(time.Duration(seconds * float64(time.Second))))
	return &m
}

func ended(from, to float64) v1alpha1.NodeStatus {
	return v1alpha1.NodeStatus{State: v1alpha1.RunSucceeded, StartedAt: at(from), FinishedAt: at(to)}
}

func under(state v1alpha1.RunState, from float64) v1alpha1.NodeStatus {
	return v1alpha1.NodeStatus{State: state, StartedAt: at(from)}
}

var (
	pending = v1alpha1.NodeStatus{State: v1alpha1.RunPending}
	skipped = v1alpha1.NodeStatus{State: v1alpha1.RunSkipped, FinishedAt: at(0.5)}
)

// execution is one whose servers are in a state.
func execution(state v1alpha1.RunState, message string) *v1alpha1.PlanExecution {
	servers := under(state, 0.6)
	task := v1alpha1.TaskStatus{Name: "servers", NodeStatus: servers}
	task.Message = message
	pe := &v1alpha1.PlanExecution{Spec: v1alpha1.PlanExecutionSpec{Instance: "zk", Plan: "update"}}
	pe.Status = v1alpha1.PlanExecutionStatus{
		State: state, Progress: "3/5", Message: message, StartedAt: at(0),
		Phases: []v1alpha1.PhaseStatus{
			{Name: "network", NodeStatus: ended(0, 0.5), Steps: []v1alpha1.StepStatus{{Name: "services", NodeStatus: ended(0.1, 0.5)}}},
			{Name: "resize", NodeStatus: skipped, Steps: []v1alpha1.StepStatus{{Name: "stop", NodeStatus: skipped}}},
			{Name: "servers", NodeStatus: servers, Steps: []v1alpha1.StepStatus{
				{Name: "config", NodeStatus: ended(0.6, 0.7)},
				{Name: "roll", NodeStatus: servers, Tasks: []v1alpha1.TaskStatus{task}},
			}},
			{Name: "verify", NodeStatus: pending, Steps: []v1alpha1.StepStatus{{Name: "verify", NodeStatus: pending}}},
		},
	}
	return pe
}

const waiting = "StatefulSet demo/zk: 1 of 3 servers are updated"

func lines(all []string) string { return strings.Join(all, "\n") + "\n" }

func TestTree(t *testing.T) {
	now := began.Add(12 * time.Second)
	for name, tc := range map[string]struct {
		pe *v1alpha1.PlanExecution
		l  Look
	}{
		"running": {execution(v1alpha1.RunRunning, waiting), Look{}},
		"narrow":  {execution(v1alpha1.RunRunning, waiting), Look{Width: 50, Frame: 13}},
		"color":   {execution(v1alpha1.RunRunning, waiting), Look{Color: true}},
		"stalled": {execution(v1alpha1.RunStalled, "Job demo/zk-verify\nfailed"), Look{}},
		"new":     {&v1alpha1.PlanExecution{Spec: v1alpha1.PlanExecutionSpec{Plan: "deploy"}}, Look{}},
	} {
		t.Run(name, func(t *testing.T) { golden.Compare(t, "testdata/"+name+".golden", lines(Tree(tc.pe, now, tc.l))) })
	}
}

func TestChanges(t *testing.T) {
	now := began.Add(12 * time.Second)
	fresh := &v1alpha1.PlanExecution{Spec: v1alpha1.PlanExecutionSpec{Plan: "update"}}
	running, stalled := execution(v1alpha1.RunRunning, waiting), execution(v1alpha1.RunStalled, "no quorum")
	done := execution(v1alpha1.RunSucceeded, "")
	done.Status.FinishedAt = at(9)
	for i := range done.Status.Phases {
		phase := &done.Status.Phases[i]
		if phase.Name == "resize" {
			continue
		}
		for j := range phase.Steps {
			phase.Steps[j].NodeStatus = ended(1, 8)
		}
		phase.NodeStatus = ended(1, 8)
	}
	var out []string
	for _, pair := range [][2]*v1alpha1.PlanExecution{{nil, fresh}, {fresh, running}, {running, running}, {running, stalled}, {stalled, done}} {
		out = append(append(out, Changes(pair[0], pair[1], now)...), "--")
	}
	golden.Compare(t, "testdata/changes.golden", lines(out))
}

func TestScreen(t *testing.T) {
	height := 24
	var out bytes.Buffer
	s := &Screen{out: &out, Live: true, size: func() (int, int) { return 80, height }}
	s.Draw([]string{"one", "two"})
	s.Draw([]string{"one", "two, done", "three"})
	s.Print("below")
	height = 3
	s.Draw([]string{"does not fit", "fits", "fits too"})
	golden.Compare(t, "testdata/screen.golden", strings.ReplaceAll(out.String(), "\x1b", "ESC"))
}

func TestStepWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	s := &Screen{out: &out}
	err := s.Step("control plane", func() (string, error) { return "in one process", nil })
	if got, want := out.String(), "✔ control plane               0.0s  in one process\n"; err != nil || got != want {
		t.Errorf("%v, %q, want %q", err, got, want)
	}
}
