// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/workload"
)

// impatient gives up on the server at once; what follows is up to the test.
func impatient(of *v1alpha1.OnFailure) func(*v1alpha1.FrameworkVersionSpec) {
	return func(s *v1alpha1.FrameworkVersionSpec) {
		upgrade := plan(s, "upgrade")
		upgrade.OnFailure = of
		none := int32(0)
		server := &upgrade.Phases[0].Steps[1]
		server.Timeout, server.Retry = &metav1.Duration{Duration: time.Second}, &v1alpha1.Retry{Limit: &none}
	}
}

// stuckUpgrade deploys 1.0.0 with another memory and gets stuck on the way to a version.
func (n *tenant) stuckUpgrade(version string) {
	n.Helper()
	n.create(instanceYAML, with("spec.parameters", map[string]any{"memory": "2Gi"}))
	n.awaitReady("one")
	n.play("Deployment", workload.Hold)
	n.patch(n.one(), `{"spec":{"version":"`+version+`","parameters":{"memory":"4Gi","extra":true}}}`)
}

// atRest checks that everything is as version 1.0.0 with 2Gi had left it.
func (n *tenant) atRest() {
	n.Helper()
	if n.data("one-config")["memory"] != "2Gi" || n.data("one-extra") != nil || n.data("one-old") == nil {
		n.Errorf("config %v, extra %v, old %v", n.data("one-config"), n.data("one-extra"), n.data("one-old"))
	}
}

// A stuck upgrade is left by a rollback by hand: what ran before runs again, the spec is
// not written, and a changed spec goes on from there.
func TestRollbackByHand(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.stuckUpgrade("2.1.0")
	n.stalled("upgrade", v1alpha1.ReasonTimeout)
	n.unstuck()
	n.play("Deployment", workload.Hold)
	n.create(executionYAML, with("spec.plan", "rollback"), with("spec.preempt", true))
	n.rollsBack()
	n.unstuck()
	inst := n.awaitVerdict("one", v1alpha1.ReasonRolledBack, "rolled back to what ran before, version 1.0.0")
	if !isTrue(inst.Status.Conditions, v1alpha1.ConditionStalled) || inst.Status.Version != "1.0.0" || inst.Spec.Version != "2.1.0" {
		t.Errorf("version %s of %s, conditions %+v", inst.Status.Version, inst.Spec.Version, inst.Status.Conditions)
	}
	n.atRest()
	n.patch(n.one(), `{"spec":{"version":"2.0.0"}}`)
	n.awaitReady("one")
	want := []string{"deploy Succeeded", "upgrade Cancelled Preempted", "rollback Succeeded", "upgrade Succeeded"}
	if diff := cmp.Diff(want, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if n.data("one-old") != nil || n.data("one-config")["memory"] != "4Gi" {
		t.Errorf("after the next upgrade: old %v, config %v", n.data("one-old"), n.data("one-config"))
	}
}

// rollsBack waits until a rollback waits for the Deployment.
func (n *tenant) rollsBack() {
	n.Helper()
	n.active("it rolls back", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Spec.Plan == "rollback" && strings.Contains(pe.Status.Message, "restore/objects/restore")
	})
}

// The author can declare it: a failed upgrade goes back by itself.
func TestRollbackAfterAFailure(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.stuckUpgrade("2.2.0")
	n.rollsBack()
	n.unstuck()
	n.awaitVerdict("one", v1alpha1.ReasonRolledBack, "version 1.0.0")
	n.atRest()
	want := []string{"deploy Succeeded", "upgrade Failed Timeout", "rollback Succeeded"}
	if diff := cmp.Diff(want, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	// The spec goes back too: nothing is left to do but to say so.
	n.patch(n.one(), `{"spec":{"version":"1.0.0","parameters":{"memory":"2Gi","extra":null}}}`)
	n.awaitReady("one")
	if diff := cmp.Diff(want, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// A failed upgrade takes its steps back, newest first.
func TestUndoAfterAFailure(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.stuckUpgrade("2.3.0")
	n.active("it takes back", func(pe *v1alpha1.PlanExecution) bool { return pe.Status.Reason == v1alpha1.ReasonUndoing })
	n.unstuck()
	n.awaitVerdict("one", v1alpha1.ReasonPlanFailed, "plan upgrade failed")
	n.atRest()
	n.patch(n.one(), `{"spec":{"version":"2.0.0"}}`)
	n.awaitReady("one")
	want := []string{"deploy Succeeded", "upgrade Failed Timeout", "upgrade Succeeded"}
	if diff := cmp.Diff(want, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// A plan follows a failure once, and does not make the Instance ready.
func TestAPlanFollowsAFailure(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.stuckUpgrade("2.4.0")
	n.active("inspect has run", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Spec.Plan == "inspect" && pe.Status.State == v1alpha1.RunSucceeded
	})
	n.awaitVerdict("one", v1alpha1.ReasonPlanFailed, "plan upgrade failed")
	n.unstuck()
	n.patch(n.one(), `{"spec":{"version":"1.0.0"}}`)
	n.awaitReady("one")
	want := []string{"deploy Succeeded", "upgrade Failed Timeout", "inspect Succeeded", "update Succeeded"}
	if got := n.runs(); len(got) < 3 || cmp.Diff(want[:3], got[:3]) != "" {
		t.Errorf("runs %v", got)
	}
}

// A person takes back a run: objects become again what they were, what is new goes, and
// a job needs a word.
func TestCancelWithUndo(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.parameters", map[string]any{"memory": "2Gi"}))
	n.awaitReady("one")
	n.play("Deployment", workload.Hold)
	n.change("memory: 4Gi, extra: true")
	pe := n.rollsOut("update")
	n.request(pe, v1alpha1.Request{ID: "back", Action: v1alpha1.ActionCancel, Mode: v1alpha1.CancelUndo})
	n.active("it takes the server back", func(pe *v1alpha1.PlanExecution) bool { return pe.Status.Reason == v1alpha1.ReasonUndoing })
	n.unstuck()
	stalled := n.becomes(pe, v1alpha1.RunStalled, v1alpha1.ReasonNoUndo)
	if !strings.Contains(stalled.Status.Message, "the step ran the job work and names no undo") {
		t.Errorf("it says %q", stalled.Status.Message)
	}
	n.atRest()
	n.done(pe, "done-by-hand", v1alpha1.ActionSkip, "main/before/undo/manual")
	n.becomes(pe, v1alpha1.RunCancelled, v1alpha1.ReasonCancelled)
	n.awaitVerdict("one", v1alpha1.ReasonPlanCancelled)
	n.change("memory: 2Gi, extra: false")
	n.awaitReady("one")
	n.atRest()
}

// There is nothing to go back to before the first plan has completed.
func TestRollbackOfNothing(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(executionYAML, with("spec.plan", "rollback"))
	n.play("Deployment", workload.Hold)
	n.create(instanceYAML)
	pe := n.rollsOut("deploy")
	err := n.w.admin().Create(t.Context(), func() *v1alpha1.PlanExecution {
		out := &v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "late"}}
		out.Spec.Instance, out.Spec.Plan = "one", "rollback"
		return out
	}())
	if err == nil || !strings.Contains(err.Error(), "there is nothing to go back to") {
		t.Errorf("it was accepted: %v", err)
	}
	n.done(pe, "stop", v1alpha1.ActionCancel, "")
	n.active("the one from before fails", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Name == "run" && pe.Status.State == v1alpha1.RunFailed && pe.Status.Reason == v1alpha1.ReasonNothingToRestore
	})
}
