// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
)

func zk() *v1alpha1.Instance {
	return &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "zk", UID: "u-1", Generation: 3}}
}

// ended is an execution that Kudo made; its UID is its name.
func ended(name, plan string, epoch int64, state v1alpha1.RunState) v1alpha1.PlanExecution {
	pe := v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	yes := true
	pe.OwnerReferences = []metav1.OwnerReference{{UID: "u-1", Controller: &yes}}
	pe.Spec.Plan = plan
	pe.Status = v1alpha1.PlanExecutionStatus{Epoch: epoch, State: state}
	return pe
}

// repaired is a run of a recovery rule, created some time ago.
func repaired(name string, epoch int64, ago time.Duration, state v1alpha1.RunState) v1alpha1.PlanExecution {
	pe := ended(name, "repair", epoch, state)
	pe.Spec.Trigger = engine.TriggerRecovery + "rule/" + name
	pe.CreationTimestamp = metav1.NewTime(time.Now().Add(ago))
	return pe
}

func byUser(pe v1alpha1.PlanExecution) v1alpha1.PlanExecution {
	pe.OwnerReferences = nil
	return pe
}

// Only what Kudo made is collected: never the newest of a plan, nor what the current
// state stands on, nor what is unfinished since.
func TestSuperfluous(t *testing.T) {
	const ok, cancelled, stalled = v1alpha1.RunSucceeded, v1alpha1.RunCancelled, v1alpha1.RunStalled
	tests := map[string]struct {
		keep int
		done int64 // epoch of the last completed one
		runs []v1alpha1.PlanExecution
		want []string
	}{
		"within the limit": {2, 2, []v1alpha1.PlanExecution{ended("d", "deploy", 1, ok), ended("a", "update", 2, ok)}, nil},
		"the oldest of each plan go": {
			1, 4, []v1alpha1.PlanExecution{ended("d", "deploy", 1, ok), ended("c", "update", 4, ok), ended("a", "update", 2, ok), ended("b", "update", 3, ok)},
			[]string{"a", "b"},
		},
		"a limit of 0 keeps the newest": {0, 3, []v1alpha1.PlanExecution{ended("a", "update", 2, ok), ended("b", "update", 3, ok)}, []string{"a"}},
		"what is unfinished stays": {
			1, 1, []v1alpha1.PlanExecution{ended("d", "deploy", 1, ok), ended("a", "update", 2, cancelled), ended("b", "update", 3, cancelled)}, nil,
		},
		"what runs stays":     {1, 3, []v1alpha1.PlanExecution{ended("a", "update", 2, stalled), ended("b", "update", 3, ok)}, nil},
		"a person's own stay": {1, 3, []v1alpha1.PlanExecution{byUser(ended("a", "update", 2, ok)), ended("b", "update", 3, ok)}, nil},
		"repairs stay while they count, then they go": {1, 1, []v1alpha1.PlanExecution{
			repaired("a", 2, -3*time.Hour, ok), repaired("b", 3, -3*time.Hour, cancelled), repaired("c", 4, -time.Minute, ok), repaired("d", 5, -time.Minute, ok),
		}, []string{"a"}},
		"nothing completed": {1, -1, []v1alpha1.PlanExecution{ended("a", "deploy", 1, cancelled), ended("b", "deploy", 2, cancelled)}, nil},
		"the completed one stays though it is old": {
			1, 1, []v1alpha1.PlanExecution{ended("a", "deploy", 1, ok), ended("b", "deploy", 2, cancelled)}, nil,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := &observed{runs: tc.runs, baseline: &archive.Baseline{}, window: time.Hour}
			if tc.done >= 0 {
				o.baseline.Execution = &v1alpha1.CompletedExecution{Epoch: tc.done}
			}
			var got []string
			for _, pe := range superfluous(zk(), o, tc.keep, time.Now()) {
				got = append(got, pe.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An execution of an earlier Instance of the same name is not this one's.
func TestConcerns(t *testing.T) {
	other := ended("a", "deploy", 1, v1alpha1.RunSucceeded)
	other.OwnerReferences[0].UID = "u-0"
	admitted, before := byUser(ended("b", "x", 1, "")), byUser(ended("c", "x", 1, ""))
	admitted.Status.InstanceUID, before.Status.InstanceUID = "u-1", "u-0"
	fresh, going := byUser(ended("d", "x", 0, "")), byUser(ended("e", "x", 0, ""))
	now := metav1.Now()
	going.DeletionTimestamp = &now
	for name, tc := range map[string]struct {
		pe   v1alpha1.PlanExecution
		want bool
	}{
		"Kudo's":                    {ended("a", "deploy", 1, ""), true},
		"of another Instance":       {other, false},
		"a person's, admitted":      {admitted, true},
		"a person's, of another":    {before, false},
		"a person's, new":           {fresh, true},
		"a person's, going already": {going, false},
	} {
		if got := archive.Concerns(&tc.pe, zk()); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// A new epoch is higher than any that was ever given, also where status was wiped.
func TestAdmit(t *testing.T) {
	o := &observed{runs: []v1alpha1.PlanExecution{ended("a", "deploy", 7, v1alpha1.RunSucceeded)}}
	inst := zk()
	admit(inst, o, engine.Run{Name: "b", UID: "b", Plan: "update"})
	if a := inst.Status.Active; a.Epoch != 8 || inst.Status.Epoch != 8 || a.Plan != "update" || a.UID != "b" {
		t.Errorf("active %+v, epoch %d", a, inst.Status.Epoch)
	}
	inst = zk()
	admit(inst, o, engine.Run{Name: "a", UID: "a", Epoch: 7})
	if inst.Status.Active.Epoch != 7 || inst.Status.Epoch != 7 {
		t.Errorf("an execution that was admitted got another epoch: %+v", inst.Status)
	}
	inst = zk()
	inst.Status.Epoch = 12
	admit(inst, &observed{}, engine.Run{Name: "c", UID: "c"})
	if inst.Status.Active.Epoch != 13 {
		t.Errorf("epoch %d after 12", inst.Status.Active.Epoch)
	}
}
