// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/golden"
)

// looks compares what is shown on a plain output, and on a terminal, with files.
func looks(t *testing.T, name string, lines func(screen.Look) []string) {
	t.Helper()
	for kind, l := range map[string]screen.Look{"plain": {}, "tty": {Color: true, Width: 100}} {
		golden.Compare(t, "testdata/"+name+"."+kind+".golden", strings.ReplaceAll(strings.Join(lines(l), "\n")+"\n", "\x1b", "ESC"))
	}
}

var (
	began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	today = began.Add(90 * time.Second)
)

// at is a moment of the story, in seconds.
func at(seconds float64) *metav1.MicroTime {
	m := metav1.NewMicroTime(began.Add(time.Duration(seconds * float64(time.Second))))
	return &m
}

func done(from, to float64) v1alpha1.NodeStatus {
	return v1alpha1.NodeStatus{State: v1alpha1.RunSucceeded, StartedAt: at(from), FinishedAt: at(to)}
}

// instance is one whose conditions say what the reason says.
func instance(name, reason, message string, conditions ...string) *v1alpha1.Instance {
	inst := &v1alpha1.Instance{}
	inst.Namespace, inst.Name, inst.UID, inst.Generation = "prod", name, "inst-uid", 3
	inst.CreationTimestamp = metav1.NewTime(began.Add(-48 * time.Hour))
	inst.Spec = v1alpha1.InstanceSpec{Framework: "zookeeper", Version: "3.9.3", ServiceAccountName: "installer"}
	inst.Status = v1alpha1.InstanceStatus{ObservedGeneration: 3, Version: "3.8.4", Plan: "update: Running"}
	status := metav1.ConditionFalse
	if reason == v1alpha1.ReasonReady {
		status = metav1.ConditionTrue
		inst.Status.Version, inst.Status.Plan = "3.9.3", "update: Succeeded"
	}
	inst.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: message, ObservedGeneration: 3}}
	for _, c := range conditions {
		inst.Status.Conditions = append(inst.Status.Conditions, metav1.Condition{Type: c, Status: metav1.ConditionTrue, Reason: reason, Message: message})
	}
	return inst
}

// typed makes it one that was made from zookeeper/<name>.
func typed(inst *v1alpha1.Instance, name string) *v1alpha1.Instance {
	controller := true
	inst.OwnerReferences = []metav1.OwnerReference{{APIVersion: "packages.kudo.dev/v1alpha1", Kind: "ZooKeeper", Name: name, UID: "typed-uid", Controller: &controller}}
	return inst
}

// execution is one of three steps whose second is in a state.
func execution(state v1alpha1.RunState, reason, message string) *v1alpha1.PlanExecution {
	roll := v1alpha1.NodeStatus{State: state, Reason: reason, Message: message, StartedAt: at(10)}
	pe := &v1alpha1.PlanExecution{}
	pe.Namespace, pe.Name, pe.UID = "prod", "zk-update-0123456789", "run-uid"
	pe.Spec = v1alpha1.PlanExecutionSpec{Instance: "zk", Plan: "update", Trigger: "spec/3/abc"}
	pe.Status = v1alpha1.PlanExecutionStatus{
		State: state, Reason: reason, Message: "servers/roll/servers: " + message, Progress: "1/3", Epoch: 2, StartedAt: at(0),
		Phases: []v1alpha1.PhaseStatus{
			{Name: "network", NodeStatus: done(0, 9.5), Steps: []v1alpha1.StepStatus{{Name: "services", NodeStatus: done(0, 9.5)}}},
			{Name: "servers", NodeStatus: v1alpha1.NodeStatus{State: state, StartedAt: at(10)}, Steps: []v1alpha1.StepStatus{
				{Name: "roll", NodeStatus: roll, Tasks: []v1alpha1.TaskStatus{{Name: "servers", NodeStatus: roll, Attempt: 1, AttemptAt: at(10)}}},
				{Name: "verify", NodeStatus: v1alpha1.NodeStatus{State: v1alpha1.RunPending}},
			}},
		},
	}
	return pe
}

func active(inst *v1alpha1.Instance) *v1alpha1.Instance {
	inst.Status.Active = &v1alpha1.ActiveExecution{Name: "zk-update-0123456789", UID: "run-uid", Plan: "update", Epoch: 2}
	return inst
}
