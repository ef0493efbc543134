// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/workload"
)

// What users of the former KUDO asked for most, one test each. Others stand where they
// belong: TestTriggers, TestWhatRunsNothing, TestARapidSeriesOfChanges,
// TestThereAndBackAgain, TestAJobThatFails and TestAnUpgradeIsTakenBack.

// framework publishes a file of testdata under a name of its own, with words replaced.
func (n *tenant) framework(file string, words ...string) string {
	n.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		n.Fatal(err)
	}
	fw := unique("wish")
	if err := n.w.admin().Create(n.Context(), parse("{apiVersion: kudo.dev/v1alpha1, kind: Framework, metadata: {name: "+fw+"}}")); err != nil {
		n.Fatal(err)
	}
	n.publishAs(fw, strings.NewReplacer(append(words, "FRAMEWORK", fw)...).Replace(string(raw)))
	return fw
}

func (n *tenant) publishAs(fw, text string) {
	n.Helper()
	fwv := parse(text)
	if err := n.w.admin().Create(n.Context(), fwv); err != nil {
		n.Fatalf("publishing %s of %s: %v", fwv.GetName(), fw, err)
	}
}

// Re-runnable jobs: each run of a plan has a Job of its own, also of the same plan.
func TestJobsRunAgain(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.change("memory: 2Gi")
	n.awaitReady("one")
	for _, name := range []string{"first", "second"} {
		for _, plan := range []string{"update", "inspect"} {
			run := n.create(executionYAML, named(name+"-"+plan), with("spec.plan", plan))
			n.active(run.GetName()+" has run", func(pe *v1alpha1.PlanExecution) bool {
				return pe.Name == run.GetName() && pe.Status.State == v1alpha1.RunSucceeded
			})
		}
	}
	n.awaitReady("one")
	names := map[string]bool{}
	for _, j := range n.jobs() {
		names[j.Name] = true
	}
	if len(n.jobs()) != 5 || len(names) != 5 {
		t.Errorf("jobs %+v, want five, one a run", n.jobs())
	}
}

// Needless restarts: pods restart only when what they consume has changed, not when
// another parameter, the metadata of the Instance, or nothing has.
func TestNoNeedlessRestarts(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	yaml := parseIn(n.ns, instanceYAML)
	apply := func() {
		t.Helper()
		if err := n.w.admin().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(yaml.DeepCopy()), client.FieldOwner("git"), client.ForceOwnership); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	n.awaitReady("one")
	server := func() *appsv1.Deployment {
		t.Helper()
		o := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-server"}}
		if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	before := server()
	apply()
	n.patch(n.one(), `{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}}}`)
	n.change("nodes: 2, index: b") // plans that do not touch the server
	n.awaitReady("one")
	n.change("extra: true") // a plan that applies it again as it is
	n.awaitReady("one")
	apply()
	n.awaitReady("one")
	after := server()
	if before.UID != after.UID || before.Generation != after.Generation {
		t.Errorf("generation %d is now %d:\n%s", before.Generation, after.Generation, cmp.Diff(before.Spec, after.Spec))
	}
	want := []string{"deploy Succeeded", "scale Succeeded", "reindex Succeeded", "update Succeeded"}
	if diff := cmp.Diff(want, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// Lost updates: a deploy that was superseded before it had completed still becomes a
// whole Instance, of what is wanted now.
func TestADeployIsSuperseded(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.play("Deployment", workload.Hold)
	n.create(instanceYAML)
	n.active("the deploy is half way", func(pe *v1alpha1.PlanExecution) bool {
		return len(pe.Status.Phases) == 1 && pe.Status.Phases[0].Steps[1].State == v1alpha1.RunRunning
	})
	n.change("memory: 2Gi, nodes: 3")
	n.active("another deploy took over", func(pe *v1alpha1.PlanExecution) bool { return pe.Spec.Plan == "deploy" && pe.Status.Epoch == 2 })
	n.play("Deployment", workload.Play)
	n.awaitReady("one")
	got := []string{n.data("one-config")["memory"], n.data("one-nodes")["nodes"], n.data("one-index")["index"]}
	if diff := cmp.Diff([]string{"2Gi", "3", "a"}, got); diff != "" {
		t.Errorf("deployed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"deploy Cancelled Superseded", "deploy Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// quiet is how long nothing may be asked of the API server where nothing happens.
const quiet = 3 * time.Second

// idle tests that for an Instance that stands still nothing is asked of the API server.
func (n *tenant) idle() {
	n.Helper()
	time.Sleep(quiet / 3) // what was on the way has arrived
	from, err := n.w.Cluster.Audit.Now()
	if err != nil {
		n.Fatal(err)
	}
	time.Sleep(quiet)
	requests, err := n.w.Cluster.Audit.Since(from)
	if err != nil {
		n.Fatal(err)
	}
	for _, r := range cluster.Work(cluster.By(install.ManagerUser, requests)) {
		if r.Namespace == n.ns {
			n.Errorf("while it stands still: %s %s", r.Verb, r.URI)
		}
	}
}

// A way out of a stuck plan, whose pods never get ready: the parameter goes back, or a
// version has the fix. Nobody has to delete anything.
func TestAWayOutOfAStuckPlan(t *testing.T) {
	t.Parallel()
	broken := with("spec.parameters", map[string]any{"mode": "broken"})
	stuck := map[string]v1alpha1.RunState{"1h": v1alpha1.RunRunning, "1s": v1alpha1.RunStalled}
	starts := map[string]func(*tenant, string){
		"an update": func(n *tenant, fw string) {
			n.create(instanceYAML, with("spec.framework", fw))
			n.awaitReady("one")
			n.change("mode: broken")
		},
		"a deploy": func(n *tenant, fw string) { n.create(instanceYAML, with("spec.framework", fw), broken) },
	}
	fixes := map[string]func(*tenant){
		"by the parameter": func(n *tenant) { n.change("mode: good") },
		"by a version":     func(n *tenant) { n.patch(n.one(), `{"spec":{"version":"1.0.1"}}`) },
	}
	for timeout, state := range stuck {
		for what, start := range starts {
			for how, fix := range fixes {
				t.Run(what+" that is "+string(state)+" "+how, func(t *testing.T) {
					t.Parallel()
					n := newTenant(t)
					fw := n.framework("stuck.yaml", "VERSION", "1.0.0", "TIMEOUT", timeout)
					n.publishFix(fw, timeout)
					start(n, fw)
					n.active("it is stuck", func(pe *v1alpha1.PlanExecution) bool {
						return pe.Status.State == state && pe.Status.Reason != v1alpha1.ReasonSucceeded && n.held()
					})
					n.idle()
					fix(n)
					inst := n.awaitReady("one")
					if isTrue(inst.Status.Conditions, v1alpha1.ConditionStalled) {
						t.Error("it is still stalled")
					}
					runs := n.runs()
					if cancelled := slices.Contains(runs, "deploy Cancelled Superseded"); !cancelled || !strings.HasSuffix(runs[len(runs)-1], "Succeeded") {
						t.Errorf("runs %v", runs)
					}
				})
			}
		}
	}
}

// held says that the broken server is rolled out and does not get ready.
func (n *tenant) held() bool {
	n.Helper()
	o := &appsv1.Deployment{}
	err := n.w.admin().Get(n.Context(), client.ObjectKey{Namespace: n.ns, Name: "one"}, o)
	return err == nil && o.Annotations[workload.Annotation] == "hold"
}

// publishFix publishes the version of stuck.yaml that always gets ready.
func (n *tenant) publishFix(fw, timeout string) {
	n.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "stuck.yaml"))
	if err != nil {
		n.Fatal(err)
	}
	n.publishAs(fw, strings.NewReplacer("FRAMEWORK", fw, "VERSION", "1.0.1", "TIMEOUT", timeout).Replace(string(raw)))
}
