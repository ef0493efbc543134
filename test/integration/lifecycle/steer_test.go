// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/workload"
)

// careful waits for a person before it touches anything.
func careful(s *v1alpha1.FrameworkVersionSpec) {
	update := plan(s, "update")
	consent := v1alpha1.Step{Name: "consent", Approve: &v1alpha1.ApproveTask{Message: "the memory changes"}}
	update.Phases[0].Steps = append([]v1alpha1.Step{consent}, update.Phases[0].Steps...)
}

func plan(s *v1alpha1.FrameworkVersionSpec, name string) *v1alpha1.Plan {
	return &s.Plans[slices.IndexFunc(s.Plans, func(p v1alpha1.Plan) bool { return p.Name == name })]
}

// stuck are the ways in which an update is under way and does not end by itself: each
// leaves it there and returns its execution.
var stuck = map[string]func(n *tenant) *v1alpha1.PlanExecution{
	"in flight": func(n *tenant) *v1alpha1.PlanExecution {
		n.play("Deployment", workload.Hold)
		n.change("memory: 2Gi")
		return n.rollsOut("update")
	},
	"retrying": func(n *tenant) *v1alpha1.PlanExecution {
		n.play("Job", workload.Fail)
		n.patch(n.one(), `{"spec":{"version":"1.3.0"}}`)
		return n.active("it waits for the next attempt", func(pe *v1alpha1.PlanExecution) bool {
			return pe.Spec.Plan == "update" && strings.Contains(pe.Status.Message, "attempt 1 of")
		})
	},
	"stalled": func(n *tenant) *v1alpha1.PlanExecution {
		n.play("Job", workload.Fail)
		n.change("memory: 2Gi")
		return n.stalled("update", v1alpha1.ReasonJobFailed)
	},
	"awaiting approval": func(n *tenant) *v1alpha1.PlanExecution {
		n.patch(n.one(), `{"spec":{"version":"1.2.0"}}`)
		return n.active("it waits for approval", func(pe *v1alpha1.PlanExecution) bool {
			return pe.Spec.Plan == "update" && pe.Status.Reason == v1alpha1.ReasonAwaitingApproval
		})
	},
}

// rollsOut waits until a plan waits for the Deployment.
func (n *tenant) rollsOut(plan string) *v1alpha1.PlanExecution {
	n.Helper()
	return n.active("plan "+plan+" rolls out", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Spec.Plan == plan && pe.Status.State == v1alpha1.RunRunning && strings.Contains(pe.Status.Message, "main/server/server")
	})
}

// unstuck lets everything work again.
func (n *tenant) unstuck() {
	n.Helper()
	n.play("Job", workload.Play)
	n.play("Deployment", workload.Play)
}

// Plan abort: whatever a run waits for, a person ends it; the Instance says how to go on,
// and a change of its spec does.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, get := range stuck {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t)
			n.create(instanceYAML)
			n.awaitReady("one")
			pe := get(n)
			n.done(pe, "stop", v1alpha1.ActionCancel, "")
			n.becomes(pe, v1alpha1.RunCancelled, v1alpha1.ReasonCancelled)
			inst := n.awaitVerdict("one", v1alpha1.ReasonPlanCancelled, "night shift", "change the spec, or run a plan by hand")
			if !isTrue(inst.Status.Conditions, v1alpha1.ConditionStalled) || inst.Status.Active != nil {
				t.Errorf("status %+v", inst.Status)
			}
			n.unstuck()
			n.patch(n.one(), `{"spec":{"version":"1.0.0","parameters":{"memory":"3Gi"}}}`)
			n.awaitReady("one")
			if n.data("one-config")["memory"] != "3Gi" {
				t.Errorf("the way out was not taken: %v", n.data("one-config"))
			}
		})
	}
}

// A plan that a person runs by hand makes an Instance whole whose own run was cancelled.
func TestAfterACancelAPlanByHandGoesOn(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.play("Deployment", workload.Hold)
	n.create(instanceYAML)
	pe := n.rollsOut("deploy")
	n.done(pe, "stop", v1alpha1.ActionCancel, "")
	n.awaitVerdict("one", v1alpha1.ReasonPlanCancelled, "plan deploy was cancelled")
	n.unstuck()
	n.create(executionYAML, with("spec.plan", "deploy"))
	n.awaitReady("one")
	if diff := cmp.Diff([]string{"deploy Cancelled Cancelled", "deploy Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// An execution that still waits its turn is withdrawn.
func TestCancelWhatHasNotStarted(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(executionYAML)
	run := &v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "run"}}
	n.becomes(run, v1alpha1.RunPending, "")
	n.done(run, "stop", v1alpha1.ActionCancel, "")
	n.becomes(run, v1alpha1.RunCancelled, v1alpha1.ReasonCancelled)
	n.create(instanceYAML)
	n.awaitReady("one")
	if a := n.ask(run, "late", v1alpha1.ActionPause, ""); a.State != "Refused" || a.Message != "the run has ended" {
		t.Errorf("%+v", a)
	}
	if diff := cmp.Diff([]string{"inspect Cancelled Cancelled", "deploy Succeeded"}, n.runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// A running job is waited for, unless the person insists.
func TestCancelByForceWhileAJobRuns(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	n.change("memory: 2Gi")
	pe := n.atJob("update")
	if a := n.ask(pe, "early", v1alpha1.ActionSkip, "main/before"); a.State != "Refused" || !strings.Contains(a.Message, "job of main/before/work runs") {
		t.Errorf("%+v", a)
	}
	n.done(pe, "stop", v1alpha1.ActionCancel, "")
	n.active("it waits for its job", func(pe *v1alpha1.PlanExecution) bool {
		return strings.Contains(pe.Status.Message, "ends once its job has ended")
	})
	for _, action := range []string{v1alpha1.ActionSkip, v1alpha1.ActionForceComplete} {
		if a := n.ask(pe, action, action, "main/before"); a.State != "Refused" || !strings.Contains(a.Message, "the run ends (Cancelled)") {
			t.Errorf("%s: %+v", action, a)
		}
	}
	n.request(pe, v1alpha1.Request{ID: "now", Action: v1alpha1.ActionCancel, Mode: v1alpha1.CancelForce})
	ended := n.becomes(pe, v1alpha1.RunCancelled, v1alpha1.ReasonCancelled)
	if task := ended.Status.Phases[0].Steps[0].Tasks[0]; task.Reason != v1alpha1.ReasonOutcomeUnknown {
		t.Errorf("the job: %+v", task.NodeStatus)
	}
}

// Who asked stands in the record, and nonsense is refused where it is written.
func TestRequestsAreChecked(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	pe := stuck["in flight"](n)
	for want, q := range map[string]v1alpha1.Request{
		"leave path empty":             {ID: "a", Action: v1alpha1.ActionCancel, Path: "main"},
		"only for the action cancel":   {ID: "b", Action: v1alpha1.ActionPause, Mode: v1alpha1.CancelUndo},
		"Unsupported value: \"dance\"": {ID: "c", Action: "dance"},
		"must carry by":                {ID: "d", Action: v1alpha1.ActionPause, By: "somebody-else"},
	} {
		now := pe.DeepCopy()
		now.Spec.Requests = append(now.Spec.Requests, q)
		err := n.w.admin().Patch(t.Context(), now, client.MergeFrom(pe))
		if err == nil || !strings.Contains(err.Error(), want) || !(apierrors.IsInvalid(err) || apierrors.IsForbidden(err)) {
			t.Errorf("%+v: %v, want %q", q, err, want)
		}
	}
	for path, want := range map[string]string{"nowhere": "there is no phase, step or task", "main/before": "main/before has ended"} {
		if a := n.ask(pe, "pause-"+strings.ReplaceAll(path, "/", "-"), v1alpha1.ActionPause, path); a.State != "Refused" || !strings.Contains(a.Message, want) {
			t.Errorf("%s: %+v", path, a)
		}
	}
	if by := n.executions()[1].Spec.Requests[0].By; by == "" {
		t.Error("who asked does not stand in the record")
	}
}

// A paused run lets what is in flight go on and starts nothing more, also after its
// manager was killed. Not parallel: it takes the manager from everyone.
func TestPauseOutlivesTheManager(t *testing.T) {
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	n.change("memory: 2Gi")
	pe := n.atJob("update")
	n.done(pe, "hold", v1alpha1.ActionPause, "")
	n.play("Job", workload.Play)
	paused := n.becomes(pe, v1alpha1.RunRunning, v1alpha1.ReasonPaused)
	if !isTrue(paused.Status.Conditions, v1alpha1.ConditionPaused) || !isTrue(paused.Status.Conditions, v1alpha1.ConditionReconciling) {
		t.Errorf("conditions %+v", paused.Status.Conditions)
	}
	n.awaitVerdict("one", v1alpha1.ReasonPlanRunning, "plan update is held", "paused")
	if err := n.w.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := n.w.Manage(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // nothing is to happen: there is nothing to wait for
	if n.data("one-config")["memory"] != "1Gi" {
		t.Error("a paused run went on")
	}
	n.done(pe, "go", v1alpha1.ActionResume, "")
	n.awaitReady("one")
	if n.data("one-config")["memory"] != "2Gi" || len(n.jobs()) != 1 {
		t.Errorf("%v, jobs %+v", n.data("one-config"), n.jobs())
	}
}

// Only a part is paused; a newer spec ends the run all the same.
func TestAPausedRunIsSuperseded(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	n.play("Job", workload.Hold)
	n.change("memory: 2Gi")
	pe := n.atJob("update")
	n.done(pe, "hold", v1alpha1.ActionPause, "main/server")
	n.play("Job", workload.Play)
	n.becomes(pe, v1alpha1.RunRunning, v1alpha1.ReasonPaused)
	if n.data("one-config")["memory"] != "2Gi" {
		t.Error("what is not paused did not go on")
	}
	n.change("memory: 3Gi")
	n.awaitReady("one")
	n.becomes(pe, v1alpha1.RunCancelled, v1alpha1.ReasonSuperseded)
}

// A step waits for a person; who approves it stands in the record.
func TestApprove(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	pe := stuck["awaiting approval"](n)
	if isTrue(pe.Status.Conditions, v1alpha1.ConditionStalled) {
		t.Error("a GitOps tool takes the wait for a failure")
	}
	n.awaitVerdict("one", v1alpha1.ReasonPlanRunning, "plan update is held", "the memory changes")
	if a := n.ask(pe, "wrong", v1alpha1.ActionApprove, "main/config"); a.State != "Refused" {
		t.Errorf("%+v", a)
	}
	n.done(pe, "yes", v1alpha1.ActionApprove, "main/consent")
	n.awaitReady("one")
}

// What can not be done is skipped or taken for done, and the rest is done.
func TestSkipAndForceComplete(t *testing.T) {
	t.Parallel()
	for action, get := range map[string]string{v1alpha1.ActionSkip: "stalled", v1alpha1.ActionForceComplete: "in flight"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t)
			n.create(instanceYAML)
			n.awaitReady("one")
			pe := stuck[get](n)
			path := map[string]string{v1alpha1.ActionSkip: "main/before", v1alpha1.ActionForceComplete: "main/server"}[action]
			n.done(pe, "go-on", action, path)
			inst := n.awaitReady("one")
			if n.data("one-config")["memory"] != "2Gi" || n.data("one-old") == nil || inst.Status.Version != "1.0.0" {
				t.Errorf("%v, %v", n.data("one-config"), n.data("one-old"))
			}
			n.unstuck()
			n.change("memory: 3Gi")
			n.awaitReady("one")
		})
	}
}

// Re-runnable jobs: a step that ended runs again, with a Job of its own.
func TestRunAgainFromAStep(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	pe := stuck["in flight"](n)
	n.done(pe, "again", v1alpha1.ActionRetry, "main/before")
	n.unstuck()
	n.awaitReady("one")
	var attempts []string
	for _, j := range n.jobs() {
		attempts = append(attempts, j.Attempt)
	}
	if diff := cmp.Diff([]string{"1", "2"}, attempts); diff != "" {
		t.Errorf("one Job per attempt (-want +got):\n%s", diff)
	}
}
