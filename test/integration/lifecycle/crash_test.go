// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/workload"
)

// The manager is killed while a job runs: a new one goes on with the same attempt. Not
// parallel: it takes the manager from everyone.
func TestTheManagerIsKilled(t *testing.T) {
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	n.change("memory: 2Gi")
	n.atJob("update")
	if err := n.w.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	n.play("Job", workload.Play)
	if err := n.w.Manage(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.awaitReady("one")
	if jobs := n.jobs(); len(jobs) != 1 || jobs[0].Attempt != "1" {
		t.Errorf("jobs %+v, want one of the first attempt", jobs)
	}
	if diff := cmp.Diff([]string{"deploy Succeeded", "update Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// wipe empties the status of the Instance, with the rights of the only one who may.
func (n *tenant) wipe() {
	n.Helper()
	config, err := install.ManagerConfig(n.Context(), n.w.Cluster.Config)
	if err != nil {
		n.Fatal(err)
	}
	c, err := install.NewClient(config)
	if err != nil {
		n.Fatal(err)
	}
	n.await("the status is wiped", func(ctx context.Context) (bool, string) {
		inst := n.one()
		if err := c.Get(ctx, client.ObjectKeyFromObject(inst), inst); err != nil {
			return false, err.Error()
		}
		inst.Status = v1alpha1.InstanceStatus{}
		err := c.Status().Update(ctx, inst)
		return err == nil, "conflict"
	})
}

// The status of an Instance is a cache: wiped, it comes back equal, the lock included.
func TestAWipedStatusComesBack(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	same := func(what string, before v1alpha1.InstanceStatus) {
		t.Helper()
		n.wipe()
		var diff string
		n.await(what+" comes back", func(ctx context.Context) (bool, string) {
			inst := n.one()
			if err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(inst), inst); err != nil {
				return false, err.Error()
			}
			diff = cmp.Diff(before, inst.Status, cmpopts.IgnoreTypes(metav1.Time{}))
			return diff == "", diff
		})
	}
	n.change("nodes: 2")
	same("the state at rest", n.awaitReady("one").Status)
	n.play("Job", workload.Hold)
	n.create(executionYAML)
	pe := n.atJob("inspect")
	same("the lock of a person's run", n.awaitVerdict("one", v1alpha1.ReasonPlanRunning).Status)
	n.play("Job", workload.Play)
	n.awaitReady("one")
	runs := n.executions()
	if last := runs[len(runs)-1]; last.Name != pe.Name || last.Status.Epoch != pe.Status.Epoch || last.Status.State != v1alpha1.RunSucceeded || len(n.jobs()) != 1 {
		t.Errorf("runs %v, %d jobs: the run did not go on as it was", n.runs(), len(n.jobs()))
	}
}
