// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/workload"
)

// sociable has an inspection that runs beside other plans.
func sociable(s *v1alpha1.FrameworkVersionSpec) {
	plan(s, "inspect").Concurrency = v1alpha1.Shared
}

func (n *tenant) execution(name string) *v1alpha1.PlanExecution {
	n.Helper()
	pe := &v1alpha1.PlanExecution{}
	if err := n.w.admin().Get(n.Context(), client.ObjectKey{Namespace: n.ns, Name: name}, pe); err != nil {
		n.Fatal(err)
	}
	return pe
}

// beside starts an inspection that waits for its job.
func (n *tenant) beside(name string) *unstructured.Unstructured {
	n.Helper()
	pe := n.create(executionYAML, named(name))
	n.await(name+" waits for its job", func(context.Context) (bool, string) {
		return slices.ContainsFunc(n.jobs(), func(j workload.Job) bool { return j.Execution == name }), string(n.execution(name).Status.State)
	})
	return pe
}

// A shared plan, such as a backup, runs beside an update and beside others of its kind;
// the Instance stays ready, and a wiped status changes nothing.
func TestSharedPlansRunBesideOthers(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.version", "1.4.0"))
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	n.beside("first")
	inst := n.awaitReady("one")
	if inst.Status.Active != nil || len(inst.Status.Shared) != 1 || inst.Status.Plan != "deploy: Succeeded" {
		t.Errorf("status %+v", inst.Status)
	}
	n.change("nodes: 3") // the plan scale has no job
	n.awaitReady("one")
	n.beside("second")
	n.wipe()
	n.awaitInstance("both are back", "one", func(i *v1alpha1.Instance) bool { return len(i.Status.Shared) == 2 })
	n.play("Job", workload.Play)
	n.awaitInstance("both have ended", "one", func(i *v1alpha1.Instance) bool { return len(i.Status.Shared) == 0 })
	for _, name := range []string{"first", "second"} {
		pe := n.execution(name)
		jobs := slices.DeleteFunc(n.jobs(), func(j workload.Job) bool { return j.Execution != name })
		if pe.Status.State != v1alpha1.RunSucceeded || len(jobs) != 1 || pe.Status.Applied != "" {
			t.Errorf("%s: %s, %d jobs, applied %q", name, pe.Status.State, len(jobs), pe.Status.Applied)
		}
	}
	n.awaitReady("one")
}

// The cleanup waits for the end of what runs beside others.
func TestCleanupWaitsForSharedPlans(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.version", "1.4.0"))
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	n.beside("backup")
	if err := n.w.admin().Delete(t.Context(), n.one()); err != nil {
		t.Fatal(err)
	}
	n.awaitInstance("it is asked to end", "one", func(i *v1alpha1.Instance) bool {
		return len(i.Status.Shared) == 1 && i.Status.Shared[0].Stop == v1alpha1.ReasonDeleted
	})
	if runs := n.runs(); slices.ContainsFunc(runs, func(r string) bool { return r == "cleanup Running" || r == "cleanup Pending" }) {
		t.Errorf("the cleanup did not wait: %v", runs)
	}
	n.play("Job", workload.Play)
	n.awaitGone(n.one())
	if pe := n.execution("backup"); pe.Status.State != v1alpha1.RunCancelled || pe.Status.Reason != v1alpha1.ReasonDeleted {
		t.Errorf("the backup is %s %s", pe.Status.State, pe.Status.Reason)
	}
}
