// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/revision"
)

// The plan, or why there is none, is what the engine says once what runs has given way.
func TestWhichPlanWouldRun(t *testing.T) {
	run := func(uid, plan, desired string, state v1alpha1.RunState, byUser bool) v1alpha1.PlanExecution {
		pe := v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Name: uid, UID: types.UID(uid)}, Spec: v1alpha1.PlanExecutionSpec{Instance: "i", Plan: plan, Trigger: "spec/x"}}
		if byUser {
			pe.Spec.Trigger = ""
		} else {
			yes := true
			pe.OwnerReferences = []metav1.OwnerReference{{UID: "i", Controller: &yes}}
		}
		now := metav1.NowMicro()
		pe.Status = v1alpha1.PlanExecutionStatus{State: state, Epoch: 2, StartedAt: &now, Program: &v1alpha1.ProgramReference{Lifecycle: true, Desired: desired, Version: "1", Generation: 2}}
		return pe
	}
	rest := &archive.Baseline{
		Completed: &revision.Inputs{Plan: "deploy", Desired: "old", Version: revision.VersionName{Name: "1"}, Deployed: true},
		Execution: &v1alpha1.CompletedExecution{Name: "first", UID: "first", Epoch: 1},
	}
	for name, tt := range map[string]struct {
		desired    string
		suspend    bool
		runs       []v1alpha1.PlanExecution
		plan, note string
	}{
		"nothing differs":               {"old", false, nil, "", "nothing would run: this is what runs already"},
		"a change":                      {"new", false, nil, "update", ""},
		"a change of what is suspended": {"new", true, nil, "", "Suspended: spec.suspend is true: no execution starts"},
		"a run for something else":      {"new", false, []v1alpha1.PlanExecution{run("r", "update", "other", v1alpha1.RunRunning, false)}, "update", "plan update runs: it ends at its next safe point first"},
		"a run for exactly this":        {"new", false, []v1alpha1.PlanExecution{run("r", "update", "new", v1alpha1.RunRunning, false)}, "", "plan update runs already, for exactly this"},
		"a backup, and nothing differs": {"old", false, []v1alpha1.PlanExecution{run("r", "backup", "old", v1alpha1.RunRunning, true)}, "", "plan backup runs: it ends first"},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Name: "i", UID: "i", Generation: 3}}
			wanted.Spec.Suspend = tt.suspend
			if len(tt.runs) > 0 {
				wanted.Status.Active = &v1alpha1.ActiveExecution{UID: tt.runs[0].UID}
			}
			p := &prediction{}
			desired := &engine.Desired{Digest: tt.desired, Version: "1", Generation: "3", Plans: []string{"deploy", "update", "backup"}}
			if tt.desired != "old" {
				desired.Changed = []string{"a"}
			}
			start := choose(wanted, desired, &before{runs: tt.runs, baseline: rest}, p)
			plan := ""
			if start != nil {
				plan = start.Plan
			}
			if plan != tt.plan || p.Note != tt.note {
				t.Errorf("plan %q, note %q; want %q, %q", plan, p.Note, tt.plan, tt.note)
			}
		})
	}
}
