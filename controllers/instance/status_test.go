// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/revision"
)

// Ready, Reconciling, Stalled and Waiting as kstatus, Flux and kubectl wait read them.
func TestVerdict(t *testing.T) {
	active := func(state v1alpha1.RunState, message string) (*v1alpha1.Instance, *observed) {
		pe := ended("a", "update", 2, state)
		pe.Status.Message = message
		inst := zk()
		inst.Spec.Version = "1.0.0"
		inst.Status.Active = &v1alpha1.ActiveExecution{Name: "a", UID: "a", Plan: "update"}
		return inst, &observed{runs: []v1alpha1.PlanExecution{pe}, baseline: &archive.Baseline{}}
	}
	rest := func(change func(*observed)) (*v1alpha1.Instance, *observed) {
		o := &observed{baseline: &archive.Baseline{}}
		change(o)
		inst := zk()
		inst.Spec.Version = "1.0.0"
		return inst, o
	}
	tests := map[string]struct {
		facts  func() (*v1alpha1.Instance, *observed)
		choice engine.Choice
		want   string
	}{
		"at rest": {func() (*v1alpha1.Instance, *observed) { return rest(func(*observed) {}) }, engine.Choice{}, "ready Ready: version 1.0.0 is rolled out"},
		"running": {
			func() (*v1alpha1.Instance, *observed) { return active(v1alpha1.RunRunning, "") }, engine.Choice{},
			"reconciling PlanRunning: plan update is running",
		},
		"stalled": {
			func() (*v1alpha1.Instance, *observed) { return active(v1alpha1.RunStalled, "quota") }, engine.Choice{},
			"stalled PlanStalled: plan update is stalled: quota",
		},
		"waiting for a reference": {
			func() (*v1alpha1.Instance, *observed) {
				return rest(func(o *observed) { o.problem = &problem{"VersionMissing", "not there", true} })
			},
			engine.Choice{}, "reconciling waiting VersionMissing: not there",
		},
		"wrong parameters": {
			func() (*v1alpha1.Instance, *observed) {
				return rest(func(o *observed) { o.problem = &problem{"ParametersInvalid", "bad", false} })
			},
			engine.Choice{}, "stalled ParametersInvalid: bad",
		},
		"failed": {
			func() (*v1alpha1.Instance, *observed) { return rest(func(*observed) {}) },
			engine.Choice{Blocked: "PlanFailed", Message: "plan update failed"}, "stalled PlanFailed: plan update failed",
		},
		"suspended before the first deploy": {
			func() (*v1alpha1.Instance, *observed) { return rest(func(*observed) {}) },
			engine.Choice{Blocked: "Suspended", Message: "m"}, "Suspended: m",
		},
		"suspended with nothing to do": {
			func() (*v1alpha1.Instance, *observed) {
				return rest(func(o *observed) {
					o.baseline.Completed = &revision.Inputs{}
					o.facts.Desired, o.facts.Completed = &engine.Desired{Digest: "A"}, &engine.Run{Desired: "A"}
				})
			},
			engine.Choice{Blocked: "Suspended", Message: "m"}, "ready Suspended: m",
		},
		"being deleted": {
			func() (*v1alpha1.Instance, *observed) {
				inst, o := active(v1alpha1.RunStalled, "a finalizer")
				o.facts.Deleting = true
				return inst, o
			},
			engine.Choice{}, "stalled Deleting: the Instance is being deleted: plan update is stalled: a finalizer",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inst, o := tc.facts()
			if diff := cmp.Diff(tc.want, describe(verdict(inst, o, tc.choice))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func describe(o outcome) string {
	var words []string
	for _, w := range []struct {
		set  bool
		name string
	}{{o.ready, "ready"}, {o.reconciling, "reconciling"}, {o.stalled, "stalled"}, {o.waiting, "waiting"}} {
		if w.set {
			words = append(words, w.name)
		}
	}
	return strings.Join(append(words, o.reason+": "+o.message), " ")
}

// Conditions that do not hold are absent, as kstatus wants; messages are bounded.
func TestConditions(t *testing.T) {
	r := &Reconciler{Clock: clocktesting.NewFakePassiveClock(time.Unix(1, 0))}
	inst := zk()
	r.conditions(inst, outcome{stalled: true, reason: "PlanStalled", message: strings.Repeat("x", 5000)})
	r.conditions(inst, outcome{ready: true, reason: "Ready", message: strings.Repeat("x", 5000)})
	if len(inst.Status.Conditions) != 1 {
		t.Fatalf("conditions %v", inst.Status.Conditions)
	}
	c := inst.Status.Conditions[0]
	if c.Type != v1alpha1.ConditionReady || c.Status != metav1.ConditionTrue || c.ObservedGeneration != 3 || len(c.Message) != engine.MaxMessage {
		t.Errorf("condition %s %s of generation %d with %d bytes", c.Type, c.Status, c.ObservedGeneration, len(c.Message))
	}
}

func TestPlanColumn(t *testing.T) {
	o := &observed{runs: []v1alpha1.PlanExecution{
		ended("a", "deploy", 1, v1alpha1.RunSucceeded), ended("c", "check", 0, v1alpha1.RunPending), ended("b", "update", 2, v1alpha1.RunStalled),
	}}
	inst := zk()
	if got := planColumn(inst, o); got != "update: Stalled" {
		t.Errorf("the newest that was admitted: %q", got)
	}
	inst.Status.Active = &v1alpha1.ActiveExecution{UID: "d", Plan: "upgrade"}
	if got := planColumn(inst, o); got != "upgrade: Running" {
		t.Errorf("one that was just admitted: %q", got)
	}
	if got := planColumn(zk(), &observed{}); got != "" {
		t.Errorf("none: %q", got)
	}
	inst = zk()
	inst.Status.Epoch, inst.Status.Plan = 3, "upgrade: Succeeded"
	if got := planColumn(inst, o); got != "upgrade: Succeeded" {
		t.Errorf("one that ended and is not shown: %q", got)
	}
	o.facts.Active, inst.Status.Plan = "d", "upgrade: Running"
	if got := planColumn(inst, o); got != "update: Stalled" {
		t.Errorf("one that was removed while it ran: %q", got)
	}
}
