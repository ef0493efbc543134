// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/workload"
)

// Cases 41 and 42: a person's execution waits its turn, and runs once however often it is applied.
func TestAPersonRunsAPlan(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	n.change("memory: 2Gi")
	n.atJob("update")
	pe := n.create(executionYAML)
	n.await("the execution is queued", func(ctx context.Context) (bool, string) {
		found := &v1alpha1.PlanExecution{}
		err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(pe), found)
		return err == nil && found.Status.State == v1alpha1.RunPending && isTrue(found.Status.Conditions, v1alpha1.ConditionWaiting), string(found.Status.State)
	})
	n.play("Job", workload.Play)
	n.active("it has run", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Name == "run" && pe.Status.State == v1alpha1.RunSucceeded
	})
	again := parse(executionYAML)
	again.SetNamespace(n.ns)
	if err := n.w.admin().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(again), client.FieldOwner("git"), client.ForceOwnership); err != nil {
		t.Fatal(err)
	}
	if err := n.w.admin().Create(t.Context(), parseIn(n.ns, executionYAML)); !apierrors.IsAlreadyExists(err) {
		t.Errorf("created twice: %v", err)
	}
	n.awaitReady("one")
	if diff := cmp.Diff([]string{"deploy Succeeded", "update Succeeded", "inspect Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// A plan that only runs jobs leaves what was rolled out as it is: nothing is updated after it.
func TestAJobOnlyPlanChangesNothing(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	before := n.awaitReady("one").Status.LastCompleted
	n.create(executionYAML)
	n.active("it has run", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Name == "run" && pe.Status.State == v1alpha1.RunSucceeded
	})
	after := n.awaitReady("one").Status.LastCompleted
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("last completed (-before +after):\n%s", diff)
	}
}

// Case 40: a plan that does not exist, asked for before anyone could know.
func TestAnUnknownPlanFails(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(executionYAML, with("spec.plan", "defrag"))
	n.create(instanceYAML)
	n.active("it fails", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Name == "run" && pe.Status.State == v1alpha1.RunFailed && pe.Status.Reason == v1alpha1.ReasonPlanMissing
	})
	n.awaitReady("one")
}

// A job runs once per attempt; the last failure stalls; a person has it tried again.
func TestAJobThatFails(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Job", workload.Fail)
	n.change("memory: 2Gi")
	pe := n.stalled("update", v1alpha1.ReasonJobFailed, "main/before/work", "attempt 2 of 2 failed", "Job has reached the specified backoff limit")
	n.awaitVerdict("one", v1alpha1.ReasonPlanStalled, "plan update is stalled", "backoff limit")
	n.play("Job", workload.Play)
	n.retry(pe, "again")
	inst := n.awaitReady("one")
	if isTrue(inst.Status.Conditions, v1alpha1.ConditionStalled) {
		t.Error("it is still stalled")
	}
	var attempts []string
	for _, j := range n.jobs() {
		attempts = append(attempts, j.Attempt)
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, attempts); diff != "" {
		t.Errorf("one Job per attempt (-want +got):\n%s", diff)
	}
	runs := n.executions()
	answers := runs[len(runs)-1].Status.Requests
	if len(answers) != 1 || answers[0].ID != "again" || answers[0].State != "Done" || answers[0].Message == "" {
		t.Errorf("answers %+v", answers)
	}
	if diff := cmp.Diff([]string{"deploy Succeeded", "update Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// preempt takes over from what is stalled; afterwards the spec is rolled out all the same.
func TestPreempt(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Job", workload.Fail)
	n.change("memory: 2Gi")
	n.stalled("update", v1alpha1.ReasonJobFailed)
	n.create(executionYAML, named("patient"), with("spec.plan", "reindex"))
	n.create(executionYAML, named("urgent"), with("spec.plan", "scale"), with("spec.preempt", true))
	n.await("the urgent one has run", func(context.Context) (bool, string) {
		return slices.Contains(n.runs(), "scale Succeeded"), ""
	})
	n.play("Job", workload.Play)
	n.await("the spec is rolled out", func(context.Context) (bool, string) { return n.data("one-config")["memory"] == "2Gi", "" })
	n.await("the patient one has run", func(context.Context) (bool, string) { return slices.Contains(n.runs(), "reindex Succeeded"), "" })
	n.awaitReady("one")
	runs := n.runs()
	if runs[1] != "update Cancelled Preempted" || runs[2] != "scale Succeeded" || runs[len(runs)-1] != "reindex Succeeded" {
		t.Errorf("runs %v", runs)
	}
}
