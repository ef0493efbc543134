// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/workload"
)

var publishSick sync.Once

// newPatient makes a namespace whose account has exactly the rules that the version of
// testdata/sick.yaml reports, and an Instance of it in which one thing does not go well.
func newPatient(t *testing.T, what string, without ...string) *tenant {
	t.Helper()
	n := newTenant(t)
	publishSick.Do(func() { n.publishFile("sick", "testdata/sick.yaml") })
	n.grant(slices.DeleteFunc(n.reported("sick-1.0.0"), func(r rbacv1.PolicyRule) bool {
		return slices.ContainsFunc(r.Resources, func(r string) bool { return slices.Contains(without, r) })
	}))
	for _, kind := range []string{"StatefulSet", "Deployment", "Job", "Pod"} {
		n.play(kind, workload.Hold)
	}
	n.create(instanceYAML, with("spec.framework", "sick"), with("spec.parameters", map[string]any{"what": what}))
	return n
}

// publishFile stores a framework with one version.
func (n *tenant) publishFile(framework, path string) {
	n.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		n.Fatal(err)
	}
	for _, text := range []string{"{apiVersion: kudo.dev/v1alpha1, kind: Framework, metadata: {name: " + framework + "}}", string(raw)} {
		if err := n.w.admin().Create(n.Context(), parse(text)); err != nil {
			n.Fatal(err)
		}
	}
}

// reported are the rules that a version says an account needs.
func (n *tenant) reported(version string) []rbacv1.PolicyRule {
	n.Helper()
	fwv := &v1alpha1.FrameworkVersion{}
	n.await("the version reports its rules", func(ctx context.Context) (bool, string) {
		if err := n.w.admin().Get(ctx, client.ObjectKey{Name: version}, fwv); err != nil {
			return false, err.Error()
		}
		return isTrue(fwv.Status.Conditions, v1alpha1.ConditionReady), fmt.Sprint(fwv.Status.Conditions)
	})
	return fwv.Status.Rules
}

// get reads an object of this namespace.
func get[T client.Object](n *tenant, name string, o T) T {
	n.Helper()
	n.await(name+" exists", func(ctx context.Context) (bool, string) {
		err := n.w.admin().Get(ctx, client.ObjectKey{Namespace: n.ns, Name: name}, o)
		return err == nil, ""
	})
	return o
}

// taskOf is the status of the only task of a step.
func taskOf(pe *v1alpha1.PlanExecution, step string) v1alpha1.TaskStatus {
	for _, s := range pe.Status.Phases[0].Steps {
		if s.Name == step {
			return s.Tasks[0]
		}
	}
	return v1alpha1.TaskStatus{}
}

const crashing = `{"phase":"Running","containerStatuses":[{"name":"main","image":"busybox","imageID":"","containerID":"x://2","ready":false,"restartCount":3,
	"state":{"waiting":{"reason":"CrashLoopBackOff","message":"hush"}},
	"lastState":{"terminated":{"exitCode":3,"reason":"Error","message":"hush","containerID":"x://1"}}}]}`

// A pod that crashes is named with its container, exit code and log; the next attempt
// starts without them; and at rest nobody asks again.
func TestWhyACrashLoop(t *testing.T) {
	t.Parallel()
	n := newPatient(t, "set")
	pe := n.stalled("deploy", v1alpha1.ReasonTimeout, "StatefulSet one-set: its controller has not seen")
	if tail := taskOf(pe, "set").LogTail; tail != "" {
		t.Errorf("a log tail without a pod: %q", tail)
	}
	set := get(n, "one-set", &appsv1.StatefulSet{})
	n.setStatus(set, `{"observedGeneration":1,"replicas":1}`)
	n.pod(set, "StatefulSet", "app: set", n.kubelet("the disk is full"), crashing)
	n.retry(pe, "again")
	pe = n.stalled("deploy", v1alpha1.ReasonTimeout, "StatefulSet one-set: 0 of 1 pod ready",
		"Pod one-set-0: container main: CrashLoopBackOff (exit code 3, 3 restarts)", "logTail")
	task := taskOf(pe, "set")
	want := "the disk is full of /containerLogs/" + n.ns + "/one-set-0/main, previous=true"
	if task.LogTail != want {
		t.Errorf("log tail %q, want %q", task.LogTail, want)
	}
	n.awaitVerdict("one", v1alpha1.ReasonPlanStalled, "exit code 3")
	if strings.Contains(pe.Status.Message, "hush") || strings.Contains(task.Message, "disk") {
		t.Errorf("what a program printed is in a message: %s", pe.Status.Message)
	}
	n.quiet(3 * time.Second)
	n.setStatus(set, `{"observedGeneration":1,"replicas":1,"readyReplicas":1,"updatedReplicas":1,"currentRevision":"a","updateRevision":"a"}`)
	n.awaitReady("one")
	if tail := taskOf(&n.executions()[0], "set").LogTail; tail != "" {
		t.Errorf("the log tail of what succeeded stays: %q", tail)
	}
}

// requests counts what Kudo asks for in this namespace for a while.
// quiet fails unless the manager soon sends nothing about this namespace for some time: the
// last write of what was awaited may come late on a busy machine, one that repeats does not stop.
func (n *tenant) quiet(during time.Duration) {
	n.Helper()
	const tries = 3
	var sent []cluster.Request
	for range tries {
		if sent = n.requests(during); len(sent) == 0 {
			return
		}
	}
	n.Errorf("at rest: %+v", sent)
}

func (n *tenant) requests(during time.Duration) []cluster.Request {
	n.Helper()
	from, err := n.w.Cluster.Audit.Now()
	if err != nil {
		n.Fatal(err)
	}
	time.Sleep(during)
	all, err := n.w.Cluster.Audit.Since(from)
	if err != nil {
		n.Fatal(err)
	}
	return slices.DeleteFunc(all, func(r cluster.Request) bool {
		// Events are sent behind everything else, on a busy machine also later.
		return r.Namespace != n.ns || !strings.HasSuffix(r.User, ":kudo-manager") || r.Resource == "events"
	})
}

// The scheduler's own words, and the field to look at.
func TestWhyUnschedulable(t *testing.T) {
	t.Parallel()
	n := newPatient(t, "web")
	pe := n.stalled("deploy", v1alpha1.ReasonTimeout, "Deployment one-web")
	web := get(n, "one-web", &appsv1.Deployment{})
	n.setStatus(web, `{"observedGeneration":1,"replicas":1,"updatedReplicas":1}`)
	set := n.create("{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: one-web-5f}, spec: {selector: {matchLabels: {app: other}}, template: {metadata: {labels: {app: other}}, spec: {containers: [{name: a, image: b}]}}}}")
	n.pod(set, "ReplicaSet", `app: web, pod-template-hash: 5f`, "",
		`{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available: 3 Insufficient memory."}]}`)
	n.retry(pe, "again")
	n.stalled("deploy", v1alpha1.ReasonTimeout, "Deployment one-web: 0 of 1 pod available",
		"Pod one-web-5f-0: condition PodScheduled is False, Unschedulable: 0/3 nodes are available: 3 Insufficient memory; lower resources.requests")
}

// A workload whose pods the API server refuses says so with the API server's words.
func TestWhyNoPods(t *testing.T) {
	t.Parallel()
	n := newPatient(t, "set")
	pe := n.stalled("deploy", v1alpha1.ReasonTimeout)
	set := get(n, "one-set", &appsv1.StatefulSet{})
	n.setStatus(set, `{"observedGeneration":1}`)
	none := corev1.ResourceList{"count/pods": resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}
	if err := n.w.admin().Create(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	if err := n.w.admin().Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	var refused error
	n.await("the quota is in force", func(ctx context.Context) (bool, string) {
		pod := parseIn(n.ns, "{apiVersion: v1, kind: Pod, metadata: {name: one-set-0}, spec: {containers: [{name: a, image: b}]}}")
		refused = n.w.admin().Create(ctx, pod, client.DryRunAll)
		return refused != nil, "a pod passes"
	})
	event := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: n.ns, Name: "one-set.1"},
		InvolvedObject: corev1.ObjectReference{Kind: "StatefulSet", Namespace: n.ns, Name: set.Name, UID: set.UID, APIVersion: "apps/v1"},
		Type:           corev1.EventTypeWarning, Reason: "FailedCreate", LastTimestamp: metav1.Now(),
		Message: "create Pod one-set-0 in StatefulSet one-set failed error: " + refused.Error(),
	}
	if err := n.w.admin().Create(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	n.retry(pe, "again")
	n.stalled("deploy", v1alpha1.ReasonTimeout, "StatefulSet one-set: 0 of 1 pod ready", "event FailedCreate of StatefulSet one-set",
		"exceeded quota: small", "raise the quota")
}

// What refuses the pods of a Deployment is told by its ReplicaSet, which nobody watches; the
// Deployment repeats it in a condition, and so does the step.
func TestWhyAQuotaStopsADeployment(t *testing.T) {
	t.Parallel()
	n := newPatient(t, "web")
	web := get(n, "one-web", &appsv1.Deployment{})
	pe := n.stalled("deploy", v1alpha1.ReasonTimeout, "Deployment one-web")
	n.setStatus(web, `{"observedGeneration":1,"conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate",
		"message":"pods \"one-web-5-x\" is forbidden: exceeded quota: small"}]}`)
	n.retry(pe, "again")
	n.stalled("deploy", v1alpha1.ReasonTimeout, "Deployment one-web: 0 of 1 pod updated", "exceeded quota: small; raise the quota")
}

// A job that fails says which pod and container, with which exit code, and its log.
func TestWhyAFailedJob(t *testing.T) {
	t.Parallel()
	n := newPatient(t, "work")
	n.atJob("deploy")
	job := get(n, n.jobs()[0].Name, &batchv1.Job{})
	n.pod(job, "Job", `batch.kubernetes.io/controller-uid: "`+string(job.UID)+`"`, n.kubelet("no such table"),
		`{"phase":"Failed","containerStatuses":[{"name":"main","image":"busybox","imageID":"","ready":false,"restartCount":0,
		"state":{"terminated":{"exitCode":2,"reason":"Error","message":"hush","containerID":"x://1"}}}]}`)
	n.play("Job", workload.Fail)
	pe := n.stalled("deploy", v1alpha1.ReasonJobFailed, "Job "+job.Name, "Pod "+job.Name+"-0: container main: exit code 2", "logTail")
	if tail := taskOf(pe, "work").LogTail; !strings.HasPrefix(tail, "no such table of ") || !strings.HasSuffix(tail, "previous=") {
		t.Errorf("log tail %q", tail)
	}
}

// An account that may not look costs the reason, and nothing else.
func TestWhyIsForbidden(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		without string
		words   []string
	}{
		"pods": {"pods", []string{"StatefulSet one-set: 0 of 1 pod ready; why is not known: the account deployer may not list pods", "status.rules"}},
		"logs": {"pods/log", []string{"container main: CrashLoopBackOff (exit code 3, 3 restarts)", "the account deployer may not get pods/log"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newPatient(t, "set", tc.without)
			pe := n.stalled("deploy", v1alpha1.ReasonTimeout)
			set := get(n, "one-set", &appsv1.StatefulSet{})
			n.setStatus(set, `{"observedGeneration":1,"replicas":1}`)
			n.pod(set, "StatefulSet", "app: set", n.kubelet("never read"), crashing)
			n.retry(pe, "again")
			n.stalled("deploy", v1alpha1.ReasonTimeout, tc.words...)
			n.awaitVerdict("one", v1alpha1.ReasonPlanStalled, tc.words...)
			n.quiet(2 * time.Second)
		})
	}
}

// What waits long says why while it waits.
func TestWhyItTakesSoLong(t *testing.T) {
	t.Parallel()
	n := newPatient(t, "slow")
	set := get(n, "one-set", &appsv1.StatefulSet{})
	n.setStatus(set, `{"observedGeneration":1,"replicas":1}`)
	n.pod(set, "StatefulSet", "app: set", "", `{"phase":"Pending","containerStatuses":[{"name":"main","image":"busybox","imageID":"","ready":false,"restartCount":0,
		"state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"busybox\""}}}]}`)
	n.active("it says why", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Status.State == v1alpha1.RunRunning && strings.Contains(pe.Status.Message, "Pod one-set-0: container main: ImagePullBackOff: Back-off pulling")
	})
}
