// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// The main job: deployed, updated, upgraded and removed.
func TestFromDeployToDelete(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	inst := n.awaitReady("one")
	if inst.Status.Version != "1.0.0" || inst.Status.Plan != "deploy: Succeeded" || inst.Status.Active != nil {
		t.Errorf("status %+v", inst.Status)
	}
	server := &appsv1.Deployment{}
	if err := n.w.admin().Get(t.Context(), client.ObjectKey{Namespace: n.ns, Name: "one-server"}, server); err != nil {
		t.Fatal(err)
	}
	if !metav1.IsControlledBy(server, inst) || server.Labels[v1alpha1.LabelInstance] != "one" || len(server.Spec.Template.Labels) != 1 {
		t.Errorf("owners %v, labels %v, of pods %v", server.OwnerReferences, server.Labels, server.Spec.Template.Labels)
	}

	n.change("memory: 2Gi, extra: true")
	n.awaitReady("one")
	if n.data("one-config")["memory"] != "2Gi" || n.data("one-extra") == nil {
		t.Errorf("after the update: %v, %v", n.data("one-config"), n.data("one-extra"))
	}
	n.change("extra: false")
	n.awaitReady("one")
	if n.data("one-extra") != nil {
		t.Error("what the task no longer lists is still there")
	}

	if err := n.w.admin().Patch(t.Context(), n.one(), merge(`{"spec":{"version":"3.0.0"}}`)); err == nil {
		t.Error("an upgrade that is not declared was accepted")
	}
	n.patch(n.one(), `{"spec":{"version":"2.0.0"}}`)
	n.awaitReady("one")
	if n.data("one-old") != nil {
		t.Error("the object of a template that is gone was not pruned")
	}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-data"}}
	if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(claim), claim); err != nil || len(claim.OwnerReferences) > 0 {
		t.Errorf("data does not outlive its template: %v, owners %v", err, claim.OwnerReferences)
	}
	want := []string{"deploy Succeeded", "update Succeeded", "update Succeeded", "upgrade Succeeded"}
	if diff := cmp.Diff(want, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}

	before := len(n.jobs())
	if err := n.w.admin().Delete(t.Context(), n.one()); err != nil {
		t.Fatal(err)
	}
	n.awaitGone(n.one())
	if jobs := n.jobs(); len(jobs) != before+1 {
		t.Errorf("%d jobs of the cleanup plan, want 1", len(jobs)-before)
	}
	n.awaitGone(server)
	n.awaitGone(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-nodes"}})
	if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(claim), claim); err != nil || claim.DeletionTimestamp != nil {
		t.Errorf("data does not outlive its Instance: %v", err)
	}

	// The same name again takes its data up again.
	n.create(instanceYAML)
	n.awaitReady("one")
}

// Several triggers at once run one after another, in the order of the plans, and each
// takes over its own parameters only.
func TestTriggers(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.change("nodes: 3")
	n.awaitReady("one")
	n.change("index: b, memory: 2Gi, nodes: 5")
	n.awaitReady("one")
	want := []string{"deploy Succeeded", "scale Succeeded", "scale Succeeded", "reindex Succeeded", "update Succeeded"}
	if diff := cmp.Diff(want, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	got := []string{n.data("one-nodes")["nodes"], n.data("one-index")["index"], n.data("one-config")["memory"]}
	if diff := cmp.Diff([]string{"5", "b", "2Gi"}, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// A change that runs nothing: labels, limits, the same values spelled out.
func TestWhatRunsNothing(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.change("memory: 1Gi, nodes: 1")
	n.patch(n.one(), `{"metadata":{"labels":{"team":"a"}},"spec":{"historyLimit":3,"cleanupTimeout":"10m"}}`)
	n.awaitReady("one")
	if diff := cmp.Diff([]string{"deploy Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// While suspended nothing starts; afterwards what is wanted then does.
func TestSuspend(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.suspend", true))
	n.awaitVerdict("one", v1alpha1.ReasonSuspended)
	n.change("memory: 4Gi")
	n.awaitVerdict("one", v1alpha1.ReasonSuspended)
	if runs := n.runs(); len(runs) > 0 {
		t.Errorf("runs %v", runs)
	}
	n.patch(n.one(), `{"spec":{"suspend":false}}`)
	n.awaitReady("one")
	if n.data("one-config")["memory"] != "4Gi" {
		t.Errorf("deployed %v", n.data("one-config"))
	}
}

// History is bounded: by executions and by the revisions behind them; what the current
// state stands on stays.
func TestHistoryLimit(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.historyLimit", int64(2)))
	for _, nodes := range []string{"1", "2", "3", "4", "5"} {
		n.change("nodes: " + nodes)
		n.awaitReady("one")
	}
	want := []string{"deploy Succeeded", "scale Succeeded", "scale Succeeded"}
	n.awaitInstance("old executions are gone", "one", func(*v1alpha1.Instance) bool { return slices.Equal(n.runs(), want) })
	var revisions appsv1.ControllerRevisionList
	if err := n.w.admin().List(t.Context(), &revisions, client.InNamespace(n.ns)); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, pe := range n.executions() {
		known[pe.Status.Inputs], known[pe.Status.Applied] = true, true
	}
	for _, cr := range revisions.Items {
		if !known[cr.Name] {
			t.Errorf("the revision %s belongs to no execution", cr.Name)
		}
	}
	for name := range known {
		if !slices.ContainsFunc(revisions.Items, func(cr appsv1.ControllerRevision) bool { return cr.Name == name }) {
			t.Errorf("the revision %s is gone", name)
		}
	}
}
