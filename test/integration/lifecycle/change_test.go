// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/workload"
)

// Case 45: a run keeps what it was pinned to; newer wishes wait for its safe point, and
// only the last of them is rolled out.
func TestARapidSeriesOfChanges(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	n.change("memory: 11Gi")
	n.atJob("update")
	for i := 12; i <= 15; i++ {
		n.change(fmt.Sprintf("memory: %dGi", i))
	}
	n.active("the run waits for its job all the same", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Status.State == v1alpha1.RunRunning && pe.Status.Reason == v1alpha1.ReasonSuperseded
	})
	if got := n.data("one-config")["memory"]; got != "1Gi" {
		t.Errorf("applied %s while the job ran", got)
	}
	n.play("Job", workload.Play)
	n.awaitReady("one")
	if got := n.data("one-config")["memory"]; got != "15Gi" {
		t.Errorf("ends at %s, want the last", got)
	}
	if diff := cmp.Diff([]string{"deploy Succeeded", "update Cancelled Superseded", "update Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// A step that only waits is a safe point: a fix to a stuck rollout gets through at once.
func TestAFixToAStuckRollout(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Deployment", workload.Hold)
	n.change("memory: 2Gi")
	n.active("the rollout is stuck", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Spec.Plan == "update" && len(pe.Status.Phases) == 1 && pe.Status.Phases[0].Steps[2].State == v1alpha1.RunRunning
	})
	n.change("memory: 3Gi")
	n.active("another run took over", func(pe *v1alpha1.PlanExecution) bool { return pe.Status.Epoch == 3 })
	n.play("Deployment", workload.Play)
	n.awaitReady("one")
	if diff := cmp.Diff([]string{"deploy Succeeded", "update Cancelled Superseded", "update Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// A to half of B and back to A: what B touched is put back.
func TestThereAndBackAgain(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Deployment", workload.Hold)
	n.change("memory: 2Gi, extra: true")
	n.await("half of B is there", func(context.Context) (bool, string) {
		return n.data("one-config")["memory"] == "2Gi" && n.data("one-extra") != nil, fmt.Sprint(n.data("one-config"))
	})
	n.change("memory: 1Gi, extra: false")
	n.play("Deployment", workload.Play)
	n.awaitReady("one")
	if got := n.data("one-config")["memory"]; got != "1Gi" {
		t.Errorf("ends at %s, want A", got)
	}
	if n.data("one-extra") != nil {
		t.Error("what only B had is still there")
	}
}

// An upgrade that was interrupted goes back to where it came from.
func TestAnUpgradeIsTakenBack(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Deployment", workload.Hold)
	n.patch(n.one(), `{"spec":{"version":"2.0.0","parameters":{"memory":"2Gi"}}}`)
	n.active("the upgrade is half way", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Spec.Plan == "upgrade" && len(pe.Status.Phases) == 1 && pe.Status.Phases[0].Steps[1].State == v1alpha1.RunRunning
	})
	n.patch(n.one(), `{"spec":{"version":"1.0.0","parameters":{"memory":null}}}`)
	n.play("Deployment", workload.Play)
	inst := n.awaitReady("one")
	if inst.Status.Version != "1.0.0" || n.data("one-config")["memory"] != "1Gi" || n.data("one-old") == nil {
		t.Errorf("version %s, config %v, old %v; runs %v", inst.Status.Version, n.data("one-config"), n.data("one-old"), n.runs())
	}
}

// Case 47: deleted in the middle of a plan; what was half done is cleaned up.
func TestDeletedInTheMiddleOfAPlan(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.play("Deployment", workload.Hold)
	n.create(instanceYAML)
	server := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-server"}}
	n.active("the deploy is half way", func(pe *v1alpha1.PlanExecution) bool {
		return len(pe.Status.Phases) == 1 && pe.Status.Phases[0].Steps[1].State == v1alpha1.RunRunning
	})
	if err := n.w.admin().Delete(t.Context(), n.one()); err != nil {
		t.Fatal(err)
	}
	n.awaitGone(n.one())
	n.awaitGone(server)
	if jobs := n.jobs(); len(jobs) != 1 {
		t.Errorf("%d jobs, want that of the cleanup plan", len(jobs))
	}
}

// Case 48: a cleanup that does not end keeps the Instance no longer than its time-out.
func TestCleanupTimeout(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.cleanupTimeout", "2s"))
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	if err := n.w.admin().Delete(t.Context(), n.one()); err != nil {
		t.Fatal(err)
	}
	n.atJob("cleanup")
	n.awaitVerdict("one", v1alpha1.ReasonDeleting, "plan cleanup is running")
	n.awaitGone(n.one())
}
