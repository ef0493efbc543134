// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/workload"
)

var publishRing sync.Once

// newRing makes a namespace with an Instance of testdata/ring.yaml that is deployed. Its
// account has the rules that the version reports, but for some resources.
func newRing(t *testing.T, version string, without ...string) *tenant {
	t.Helper()
	n := newTenant(t)
	publishRing.Do(func() {
		raw, err := os.ReadFile("testdata/ring.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := n.w.admin().Create(t.Context(), parse("{apiVersion: kudo.dev/v1alpha1, kind: Framework, metadata: {name: ring}}")); err != nil {
			t.Fatal(err)
		}
		for version, preempt := range map[string]string{"1.0.0": "false", "1.1.0": "true"} {
			n.publishAs("ring", strings.NewReplacer("VERSION", version, "PREEMPT", preempt).Replace(string(raw)))
		}
	})
	n.grant(slices.DeleteFunc(n.reported("ring-"+version), func(r rbacv1.PolicyRule) bool {
		return slices.ContainsFunc(r.Resources, func(r string) bool { return slices.Contains(without, r) })
	}))
	n.create(instanceYAML, with("spec.framework", "ring"), with("spec.version", version))
	n.awaitReady("one")
	return n
}

// member makes a pod of the server that has a phase.
func (n *tenant) member(name string, phase corev1.PodPhase) *corev1.Pod {
	n.Helper()
	server := n.server()
	if err := n.w.admin().Get(n.Context(), client.ObjectKeyFromObject(server), server); err != nil {
		n.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: name, OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "apps/v1", Kind: "Deployment", Name: server.Name, UID: server.UID, Controller: ptr.To(true),
		}}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: ptr.To(false), Containers: []corev1.Container{{Name: "main", Image: "busybox"}},
		},
	}
	if err := n.w.admin().Create(n.Context(), pod); err != nil {
		n.Fatal(err)
	}
	if err := n.w.admin().Status().Patch(n.Context(), pod, merge(`{"status":{"phase":"`+string(phase)+`"}}`)); err != nil {
		n.Fatal(err)
	}
	return pod
}

func (n *tenant) remove(o client.Object) {
	n.Helper()
	if err := n.w.admin().Delete(n.Context(), o, client.GracePeriodSeconds(0)); err != nil {
		n.Fatal(err)
	}
}

// Something that breaks starts the plan of its rule once it has been broken for long
// enough; what mends by itself starts none, and while nothing happens nothing is asked.
func TestARecoveryRuleRunsItsPlanOnce(t *testing.T) {
	t.Parallel()
	n := newRing(t, "1.0.0")
	n.idle()
	brief := n.member("brief", corev1.PodFailed)
	n.awaitInstance("the rule holds", "one", func(i *v1alpha1.Instance) bool {
		return len(i.Status.Broken) == 1 && i.Status.Broken[0].Rule == "failed"
	})
	n.remove(brief)
	n.awaitInstance("it does not any more", "one", func(i *v1alpha1.Instance) bool { return len(i.Status.Broken) == 0 })
	n.idle()
	n.ranExactly("deploy Succeeded")

	n.play("Job", workload.Hold)
	began := time.Now()
	pod := n.member("dead", corev1.PodFailed)
	run := n.atJob("repair")
	if took := time.Since(began); took < 5*time.Second {
		t.Errorf("it started after %s", took)
	}
	if run.Spec.Trigger != "recovery/failed/1" {
		t.Errorf("trigger %q", run.Spec.Trigger)
	}
	n.remove(pod)
	n.play("Job", workload.Play)
	n.awaitRan("deploy Succeeded", "repair Succeeded")
	n.idle()
	n.ranExactly("deploy Succeeded", "repair Succeeded")
}

// A rule whose plan does not help acts as often as it may, says so, and how to go on.
func TestTheLimitOfARecoveryRule(t *testing.T) {
	t.Parallel()
	n := newRing(t, "1.0.0")
	pod := n.member("dead", corev1.PodFailed)
	inst := n.awaitVerdict("one", v1alpha1.ReasonRecoveryLimit, "recovery rule failed: 2 runs of plan repair within 1h0m0s did not help",
		`p.status.phase == "Failed"`, "run a plan by hand", "tries again after")
	if !isTrue(inst.Status.Conditions, v1alpha1.ConditionStalled) {
		t.Errorf("conditions %+v", inst.Status.Conditions)
	}
	n.ranExactly("deploy Succeeded", "repair Succeeded", "repair Succeeded")
	n.idle()
	n.member("bystander", corev1.PodRunning) // is looked at within two seconds, and changes nothing
	time.Sleep(2 * time.Second)
	n.idle()
	n.ranExactly("deploy Succeeded", "repair Succeeded", "repair Succeeded")
	// A plan by hand and a new spec go on all the same.
	n.create(executionYAML, with("spec.plan", "repair"))
	n.awaitRuns("deploy Succeeded", "repair Succeeded", "repair Succeeded", "repair Succeeded")
	n.change("memory: 2Gi")
	n.awaitInstance("the new spec is rolled out", "one", func(i *v1alpha1.Instance) bool {
		c := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionReady)
		return i.Status.Plan == "update: Succeeded" && c.Reason == v1alpha1.ReasonRecoveryLimit
	})
	n.remove(pod)
	n.awaitReady("one")
	n.ranExactly("deploy Succeeded", "repair Succeeded", "repair Succeeded", "repair Succeeded", "update Succeeded")
}

// A rule that preempts takes the place of a plan that waits for what the rule cures, and
// that plan runs again; one that does not waits for its end.
func TestARecoveryRuleThatPreempts(t *testing.T) {
	t.Parallel()
	for version, want := range map[string][]string{
		"1.1.0": {"deploy Succeeded", "update Cancelled Preempted", "repair Succeeded", "update Succeeded"},
		"1.0.0": {"deploy Succeeded", "update Succeeded", "repair Succeeded"},
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			n := newRing(t, version)
			n.play("Deployment", workload.Hold)
			n.change("memory: 2Gi")
			n.active("the rollout waits", func(pe *v1alpha1.PlanExecution) bool {
				return pe.Spec.Plan == "update" && len(pe.Status.Phases) == 1 && pe.Status.Phases[0].Steps[0].State == v1alpha1.RunRunning
			})
			pod := n.member("dead", corev1.PodFailed)
			if version == "1.1.0" {
				n.active("the repair has run, and the update runs again", func(pe *v1alpha1.PlanExecution) bool {
					return pe.Spec.Plan == "update" && pe.Status.Epoch == 4
				})
				n.remove(pod)
				n.play("Deployment", workload.Play)
			} else {
				time.Sleep(6 * time.Second)
				n.ranExactly("deploy Succeeded", "update Running")
				n.play("Job", workload.Hold)
				n.play("Deployment", workload.Play)
				n.atJob("repair")
				n.remove(pod)
				n.play("Job", workload.Play)
			}
			n.awaitRan(want...)
		})
	}
}

// An account that may not see what a rule observes: that is said, and nothing is guessed.
func TestARuleThatTheAccountMayNotObserve(t *testing.T) {
	t.Parallel()
	n := newRing(t, "1.0.0", "pods")
	n.event("Warning", v1alpha1.ReasonWatchRefused, "Pod in namespace "+n.ns, "recovery rules observe", "status.rules")
	pod := n.member("dead", corev1.PodFailed)
	n.idle()
	n.ranExactly("deploy Succeeded")
	n.play("Job", workload.Hold)
	n.grant(n.reported("ring-1.0.0"))
	n.atJob("repair")
	n.remove(pod)
	n.play("Job", workload.Play)
	n.awaitRan("deploy Succeeded", "repair Succeeded")
}
