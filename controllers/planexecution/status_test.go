// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
)

func program() *graph.Plan {
	task := &engine.Node{Name: "config", Path: "main/one/config", Task: &engine.Task{Kind: engine.TaskApply}}
	undo := &engine.Node{Name: "revert", Path: "main/one/undo/revert", Task: &engine.Task{Kind: engine.TaskRevert}}
	step := &engine.Node{Name: "one", Path: "main/one", Children: []*engine.Node{task}, Undo: []*engine.Node{undo}}
	phase := &engine.Node{Name: "main", Path: "main", Children: []*engine.Node{step}}
	return &graph.Plan{Program: &engine.Program{Plan: "deploy", Root: &engine.Node{Children: []*engine.Node{phase}}}}
}

// Status is the whole truth about a run: what is written, is what a new process reads.
func TestStatusRoundTrip(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)
	node := func(run v1alpha1.RunState) engine.NodeState {
		return engine.NodeState{Run: run, Reason: "Retrying", Message: "m", StartedAt: now}
	}
	task := node(v1alpha1.RunRunning)
	task.Attempt, task.AttemptAt, task.RetryAt, task.ProgressAt = 3, now, now.Add(time.Minute), now.Add(time.Second)
	state := engine.State{
		Run: v1alpha1.RunRunning, Reason: "Running", Message: "main/one", StartedAt: now,
		Nodes: map[string]engine.NodeState{
			"main": node(v1alpha1.RunRunning), "main/one": node(v1alpha1.RunRunning), "main/one/config": task,
			"main/one/undo/revert": task,
		},
		Paused: []string{"", "main/one"}, FollowedBy: "rescue",
		Ending:   &engine.Ending{Run: v1alpha1.RunFailed, Reason: "Timeout", Message: "too late", Undo: true, Force: true},
		Answered: map[string]engine.Answer{"a": {Message: "retried", At: now}, "b": {Refused: true, Message: "no", At: now}},
	}
	refs := []v1alpha1.ObjectReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "c", UID: "u"}}
	objects := map[string][]v1alpha1.ObjectReference{"main/one/config": refs, "main/one/undo/revert": refs}
	n := &run{pe: &v1alpha1.PlanExecution{}, state: state, objects: objects, plan: program()}
	n.pe.Spec.Requests = []v1alpha1.Request{{ID: "b"}, {ID: "a"}, {ID: "new"}}
	save(&n.pe.Status, n, now)
	gotState, gotObjects := load(&n.pe.Status)
	if diff := cmp.Diff(state, gotState); diff != "" {
		t.Errorf("state (-saved +loaded):\n%s", diff)
	}
	if diff := cmp.Diff(objects, gotObjects); diff != "" {
		t.Errorf("objects (-saved +loaded):\n%s", diff)
	}
	if n.pe.Status.Progress != "0/1" {
		t.Errorf("progress %q", n.pe.Status.Progress)
	}
	if got := n.pe.Status.Requests; len(got) != 2 || got[0].ID != "b" || got[0].State != "Refused" || got[1].State != "Done" {
		t.Errorf("answers %+v", got)
	}
}

func TestMessagesAreBounded(t *testing.T) {
	n := &run{pe: &v1alpha1.PlanExecution{}, plan: program(), state: engine.State{Message: strings.Repeat("x", 5000), Run: v1alpha1.RunStalled, Reason: "Refused"}}
	n.state.Nodes = map[string]engine.NodeState{"main/one/config": {Run: v1alpha1.RunStalled, Message: strings.Repeat("y", 5000)}}
	save(&n.pe.Status, n, time.Unix(1, 0))
	if got := len(n.pe.Status.Message); got != engine.MaxMessage {
		t.Errorf("message of %d bytes", got)
	}
	if got := len(n.pe.Status.Phases[0].Steps[0].Tasks[0].Message); got != engine.MaxMessage {
		t.Errorf("message of the task of %d bytes", got)
	}
}

func TestConditions(t *testing.T) {
	tests := map[v1alpha1.RunState]string{
		v1alpha1.RunPending:   "Succeeded=Unknown Reconciling=True",
		v1alpha1.RunRunning:   "Succeeded=Unknown Reconciling=True",
		v1alpha1.RunStalled:   "Succeeded=Unknown Stalled=True",
		v1alpha1.RunSucceeded: "Succeeded=True",
		v1alpha1.RunFailed:    "Succeeded=False Stalled=True",
		v1alpha1.RunCancelled: "Succeeded=False Stalled=True",
	}
	for state, want := range tests {
		s := &v1alpha1.PlanExecutionStatus{State: state, Reason: "Because"}
		for _, old := range []string{v1alpha1.ConditionWaiting, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
			meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: old, Status: metav1.ConditionTrue, Reason: "Old"})
		}
		setConditions(s, 1, time.Unix(1, 0))
		var got []string
		for _, kind := range []string{v1alpha1.ConditionSucceeded, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionWaiting} {
			if c := meta.FindStatusCondition(s.Conditions, kind); c != nil {
				got = append(got, kind+"="+string(c.Status))
			}
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", state, diff)
		}
	}
}

// The Instance admits by UID and epoch: a name alone admits nobody.
func TestHolds(t *testing.T) {
	pe := &v1alpha1.PlanExecution{}
	pe.UID, pe.Status.Epoch = "u-1", 3
	tests := map[string]struct {
		active *v1alpha1.ActiveExecution
		want   bool
	}{
		"nobody":          {nil, false},
		"this one":        {&v1alpha1.ActiveExecution{UID: "u-1", Epoch: 3}, true},
		"another":         {&v1alpha1.ActiveExecution{UID: "u-2", Epoch: 3}, false},
		"another time":    {&v1alpha1.ActiveExecution{UID: "u-1", Epoch: 4}, false},
		"an earlier time": {&v1alpha1.ActiveExecution{UID: "u-1", Epoch: 2}, false},
	}
	for name, tc := range tests {
		inst := &v1alpha1.Instance{}
		inst.Status.Active = tc.active
		if got := held(inst, pe) != nil; got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	pe.Status.Epoch = 0
	inst := &v1alpha1.Instance{}
	inst.Status.Active = &v1alpha1.ActiveExecution{UID: "u-1", Epoch: 9}
	if held(inst, pe) == nil {
		t.Error("one that never wrote its epoch is not admitted")
	}
}

func TestMemory(t *testing.T) {
	pe := &v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "a", UID: "u-1"}}
	m := &memory{}
	m.of(pe).failures = 3
	if m.of(pe).failures != 3 {
		t.Error("forgotten")
	}
	again := pe.DeepCopy()
	again.UID = "u-2"
	if m.of(again).failures != 0 {
		t.Error("another execution of the same name is remembered as the first")
	}
	var pauses []time.Duration
	r := &recollection{}
	for range 9 {
		pauses = append(pauses, r.pause()/time.Second)
	}
	if diff := cmp.Diff([]time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60}, pauses); diff != "" {
		t.Errorf("pauses in seconds (-want +got):\n%s", diff)
	}
}

func TestKeepUIDs(t *testing.T) {
	ref := func(name, uid string) v1alpha1.ObjectReference {
		return v1alpha1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Name: name, UID: types.UID(uid)}
	}
	got := keepUIDs([]v1alpha1.ObjectReference{ref("a", ""), ref("b", "")}, []v1alpha1.ObjectReference{ref("b", "2"), ref("c", "3")})
	if diff := cmp.Diff([]v1alpha1.ObjectReference{ref("a", ""), ref("b", "2")}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The user's own labels are inputs; those of Kudo and of kubectl are not.
func TestInstanceLabels(t *testing.T) {
	inst := &v1alpha1.Instance{}
	inst.Labels = map[string]string{"team": "a", "kudo.dev/x": "b", "packages.kudo.dev/y": "c"}
	if diff := cmp.Diff(map[string]string{"team": "a"}, archive.Labels(inst)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
