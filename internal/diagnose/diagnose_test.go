// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func ago5(minutes int) *metav1.MicroTime {
	m := metav1.NewMicroTime(now.Add(-time.Duration(minutes) * time.Minute))
	return &m
}

// resting is an Instance that nothing holds, with the reason of its condition.
func resting(reason, message string) *Evidence {
	inst := &v1alpha1.Instance{}
	inst.Namespace, inst.Name, inst.Generation = "prod", "zk", 2
	inst.Spec = v1alpha1.InstanceSpec{Framework: "zookeeper", Version: "3.9.3", ServiceAccountName: "installer"}
	inst.Status.ObservedGeneration = 2
	inst.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: reason, Message: message}}
	return &Evidence{Now: now, Instance: inst}
}

// held is an Instance whose plan has one task, in a state.
func held(state v1alpha1.RunState, reason, message string, workloads ...Workload) *Evidence {
	e := resting(v1alpha1.ReasonPlanStalled, "plan update is stalled: "+message)
	if state == v1alpha1.RunRunning {
		e = resting(v1alpha1.ReasonPlanRunning, "plan update is running")
	}
	e.Instance.Status.Active = &v1alpha1.ActiveExecution{Name: "zk-update-1", UID: "run", Plan: "update"}
	s := v1alpha1.NodeStatus{State: state, Reason: reason, Message: message, StartedAt: ago5(5)}
	pe := v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Name: "zk-update-1", Namespace: "prod", UID: "run"}}
	pe.Spec = v1alpha1.PlanExecutionSpec{Instance: "zk", Plan: "update"}
	pe.Status = v1alpha1.PlanExecutionStatus{State: state, Reason: reason, Message: message, Progress: "0/1", Epoch: 1, StartedAt: ago5(5),
		Phases: []v1alpha1.PhaseStatus{{Name: "servers", NodeStatus: s, Steps: []v1alpha1.StepStatus{{Name: "roll", NodeStatus: s,
			Tasks: []v1alpha1.TaskStatus{{Name: "set", NodeStatus: s, Attempt: 1, AttemptAt: ago5(5)}}}}}}}
	e.Executions = []v1alpha1.PlanExecution{pe}
	e.Workloads = workloads
	return e
}

// bare is a run that stalled before any task.
func bare(reason, message string) *Evidence {
	e := held(v1alpha1.RunStalled, reason, message)
	e.Executions[0].Status.Phases = nil
	return e
}

// over is an Instance whose last run ended and did not succeed.
func over(state v1alpha1.RunState, reason string) *Evidence {
	e := held(state, reason, "other managers own fields")
	e.Instance.Status.Active = nil
	e.Instance.Status.Conditions[0].Reason, e.Instance.Status.Conditions[0].Message = reason, "it ended"
	return e
}

func paused() *Evidence {
	e := held(v1alpha1.RunRunning, v1alpha1.ReasonPaused, "held")
	pe := &e.Executions[0]
	pe.Spec.Requests = []v1alpha1.Request{{ID: "a", Action: v1alpha1.ActionPause, Path: "servers", By: "alice", Reason: "freeze"}, {ID: "b", Action: v1alpha1.ActionRetry}}
	pe.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionPaused, Status: metav1.ConditionTrue}}
	return e
}

func object(text string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = o.UnmarshalJSON(raw)
	}
	if err != nil {
		panic(err)
	}
	return o
}

func typed[T any](text string) T {
	var v T
	if err := yaml.UnmarshalStrict([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

const setYAML = `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: zk, namespace: prod, uid: set, generation: 1},
  spec: {replicas: 1, selector: {matchLabels: {app: zk}}}, status: {observedGeneration: 1, replicas: 1}}`

// set is a StatefulSet with a pod whose spec and status are given.
func set(spec, status string, events ...corev1.Event) Workload {
	w := Workload{Object: object(setYAML), Events: events}
	if status != "" {
		w.Pods = []corev1.Pod{typed[corev1.Pod](`{metadata: {name: zk-0, namespace: prod, uid: pod, labels: {app: zk},
  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: zk, uid: set, controller: true}]}, spec: {` + spec + `}, status: ` + status + `}`)}
	}
	return w
}

func event(kind, name, reason, message string, minutes int) corev1.Event {
	return corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: kind, Name: name}, Type: corev1.EventTypeWarning, Reason: reason, Message: message,
		LastTimestamp: metav1.NewTime(now.Add(-time.Duration(minutes) * time.Minute)), Count: 2,
	}
}

const (
	plain   = "containers: [{name: zk, image: busybox}]"
	claimed = plain + ", volumes: [{name: data, persistentVolumeClaim: {claimName: data-zk-0}}]"
	unbound = `{phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: pod has unbound immediate PersistentVolumeClaims.}]}`
	waiting = `{phase: Pending, containerStatuses: [{name: zk, image: "busybox:x", imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: %s, message: %s}}}]}`
	ended   = `{phase: Running, containerStatuses: [{name: zk, image: busybox, imageID: "", ready: false, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff, message: hush}}, lastState: {terminated: {reason: %s, exitCode: %d, message: hush}}}]}`
)

func with(w Workload, change func(*Workload)) Workload {
	change(&w)
	return w
}

// Every cause that is documented is found in evidence as a cluster gives it, with the sentence
// that names it and the command that comes next.
func TestCauses(t *testing.T) {
	timeout, refused := v1alpha1.ReasonTimeout, v1alpha1.ReasonRefused
	stalled, running := v1alpha1.RunStalled, v1alpha1.RunRunning
	version := &v1alpha1.FrameworkVersion{}
	version.Spec.Parameters = []v1alpha1.Parameter{{Name: "nodes", Schema: &apiextensionsv1.JSON{Raw: []byte(`{"type":"integer"}`)}, Required: true, Immutable: true}}
	found := map[Cause]bool{}
	for name, tt := range map[string]struct {
		e             *Evidence
		cause         Cause
		summary, next string
	}{
		"image":          {held(running, "", "", set(plain, fmt.Sprintf(waiting, "ErrImagePull", "no"))), ImageMissing, "image busybox:x of container zk in Pod zk-0", "edit instance/zk"},
		"config missing": {held(running, "", "", set(plain, fmt.Sprintf(waiting, "CreateContainerConfigError", `'secret "s" not found'`))), ConfigMissing, `secret "s" not found`, "describe pod zk-0"},
		"no node": {held(running, "", "", set(plain, `{phase: Pending, conditions: [{type: PodScheduled, status: "False", message: "0/3 nodes are available: 3 Insufficient cpu."}]}`)),
			Unschedulable, "no node fits Pod zk-0: 0/3 nodes", "edit instance/zk"},
		"out of memory":    {held(running, "", "", set(plain, fmt.Sprintf(ended, "OOMKilled", 137))), OutOfMemory, "needs more memory than its limit", "logs zk-0 -c zk --previous"},
		"crash":            {held(stalled, timeout, "", set(plain, fmt.Sprintf(ended, "Error", 3))), ContainerFails, "exit code 3", "retry zk servers/roll/set"},
		"killed by probe":  {held(stalled, timeout, "", set(plain, fmt.Sprintf(ended, "Error", 137), event("Pod", "zk-0", "Unhealthy", "Liveness probe failed: x", 1))), ProbeFails, "killed because its livenessProbe fails", "logs zk-0"},
		"secret to mount":  {held(running, "", "", set(plain, "{phase: Pending}", event("Pod", "zk-0", "FailedMount", `MountVolume.SetUp failed: secret "tls" not found`, 1))), ConfigMissing, `secret "tls" not found`, "describe pod zk-0"},
		"volume to attach": {held(running, "", "", set(plain, "{phase: Pending}", event("Pod", "zk-0", "FailedAttachVolume", "Multi-Attach error", 1))), VolumePending, "Multi-Attach error", "describe pod zk-0"},
		"claim pending": {held(running, "", "", with(set(claimed, unbound), func(w *Workload) {
			w.Claims = []corev1.PersistentVolumeClaim{typed[corev1.PersistentVolumeClaim]("{metadata: {name: data-zk-0}, status: {phase: Pending}}")}
		})), VolumePending, "data-zk-0 is Pending (it names no storage class)", "get storageclasses"},
		"claim missing": {held(running, "", "", set(claimed, unbound)), VolumePending, "data-zk-0 of Pod zk-0 does not exist", "get persistentvolumeclaims"},
		"a claim itself": {held(running, "", "", Workload{
			Object: object("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: prod}, status: {phase: Lost}}"),
			Claims: []corev1.PersistentVolumeClaim{typed[corev1.PersistentVolumeClaim]("{metadata: {name: data}, status: {phase: Lost}}")},
		}), VolumePending, "data is Lost", "describe persistentvolumeclaim data"},
		"no pods of a ReplicaSet": {held(running, "", "", Workload{
			Object: object("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1}}"),
			Sets:   []*unstructured.Unstructured{object("{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1}}")},
			Events: []corev1.Event{event("ReplicaSet", "web-1", "FailedCreate", "pods is forbidden: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3", 1)},
		}), QuotaExceeded, "ResourceQuota q allows no more: requested pods=1, used 3, limited to 3", "describe resourcequota q"},
		"no pods by condition": {held(running, "", "", Workload{
			Object: object(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: "True", message: 'pods "x" is forbidden: violates PodSecurity "restricted"'}]}}`),
		}), PodSecurity, "violates PodSecurity", "get namespace prod"},
		"account of pods missing": {held(running, "", "", set("", "", event("StatefulSet", "zk", "FailedCreate", `error looking up service account prod/x: serviceaccount "x" not found`, 1))), ConfigMissing, `serviceaccount "x" not found`, "get serviceaccounts"},
		"an older event":          {held(running, v1alpha1.ReasonWaiting, "StatefulSet zk: 0 of 1 pod ready", set("", "", event("StatefulSet", "zk", "FailedCreate", "exceeded quota: q", 9))), InProgress, "0 of 1 pod ready", "status zk --watch"},
		"controller behind":       {held(stalled, timeout, "", Workload{Object: object("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: zk, generation: 2}, status: {observedGeneration: 1}}")}), ControllerBehind, "has not seen the newest spec", "retry zk"},
		"job":                     {held(stalled, v1alpha1.ReasonJobFailed, "Job zk-1: failed"), JobFailed, "Job zk-1: failed", "retry zk servers/roll/set"},
		"webhook": {held(running, v1alpha1.ReasonRetrying, `applying x: Internal error occurred: failed calling webhook "v.cert-manager.io": failed to call webhook: Post "https://hook.cert.svc:443/validate": context deadline exceeded`), WebhookDown,
			"v.cert-manager.io does not answer", "-n cert get endpointslices -l kubernetes.io/service-name=hook"},
		"rbac":           {held(stalled, refused, `deployments.apps "a" is forbidden: User "system:serviceaccount:prod:installer" cannot patch resource "deployments" in API group "apps" in the namespace "prod"`), Forbidden, "installer may not patch deployments.apps", "-n prod create role installer-kudo"},
		"rbac, cluster":  {held(stalled, refused, `clusterroles is forbidden: User "system:serviceaccount:prod:installer" cannot create resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope`), Forbidden, "may not create clusterroles.rbac", "kubectl create clusterrolebinding"},
		"rbac, grant":    {held(stalled, refused, `roles.rbac "x" is forbidden: user is attempting to grant RBAC permissions not currently held`), Forbidden, "attempting to grant", "auth can-i --list"},
		"impersonation":  {held(stalled, refused, `serviceaccounts "installer" is forbidden: User "system:serviceaccount:kudo-system:kudo-manager" cannot impersonate resource`), ImpersonationForbidden, "impersonate", "deploy zookeeper zk --version 3.9.3 --service-account installer --grant-only"},
		"immutable":      {held(stalled, refused, `applying StatefulSet prod/zk: StatefulSet.apps "zk" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden`), ImmutableField, "StatefulSet zk: the field spec can not", "delete statefulset/zk --cascade=orphan"},
		"content":        {held(running, v1alpha1.ReasonWaiting, "waiting until Secret prod/tls is there, which the pods of StatefulSet prod/zk consume"), ConfigMissing, "the Secret tls does not exist", "create secret generic tls"},
		"owned":          {held(stalled, v1alpha1.ReasonNotOwned, "ConfigMap prod/x exists and does not belong to this Instance: rename"), NotOwned, "does not belong", "spec.adopt"},
		"conflict":       {held(stalled, v1alpha1.ReasonConflict, "x: other managers own fields that Kudo wants to set (.spec)"), FieldConflict, "own fields", "edit instance/zk"},
		"template":       {held(stalled, v1alpha1.ReasonInvalidTemplate, "set.yaml:3: no such value"), TemplateFails, "set.yaml:3", "get frameworkversion zookeeper-3.9.3 -o yaml"},
		"other refusal":  {held(stalled, refused, "spec.replicas: must be at least 0"), Refused, "must be at least 0", "edit instance/zk"},
		"requirement":    {bare(v1alpha1.ReasonRequirement, "every member must be ready"), RequirementNotMet, "every member", "tree zk"},
		"instance":       {resting(refused, "the API server says no"), Refused, "says no", "edit instance/zk"},
		"failed":         {over(v1alpha1.RunFailed, v1alpha1.ReasonPlanFailed), FieldConflict, "own fields", "run update zk"},
		"cancelled":      {over(v1alpha1.RunCancelled, v1alpha1.ReasonPlanCancelled), PlanEnded, "it ended", "run update zk"},
		"paused":         {paused(), Paused, "alice paused servers: freeze", "resume zk"},
		"outcome":        {held(stalled, v1alpha1.ReasonOutcomeUnknown, "Job x was removed before its result was known"), OutcomeUnknown, "removed", "logs zk"},
		"approval":       {held(running, v1alpha1.ReasonAwaitingApproval, "waiting for approval: wipe"), ApprovalPending, "step servers/roll has been waiting for a person's approval for 5m: wipe", "approve zk servers/roll"},
		"late approval":  {held(stalled, timeout, "not approved within 24h; it still can be: wipe"), ApprovalPending, "wipe", "approve zk servers/roll"},
		"unknown":        {held(stalled, timeout, "waiting until x"), Unknown, "waiting until x", "retry zk"},
		"version":        {resting(v1alpha1.ReasonVersionMissing, "there is no FrameworkVersion"), VersionUnusable, "no FrameworkVersion", "get frameworkversions"},
		"invalid":        {resting(v1alpha1.ReasonVersionInvalid, "it does not compile"), VersionUnusable, "does not compile", "describe frameworkversion zookeeper-3.9.3"},
		"account":        {resting(v1alpha1.ReasonAccountMissing, "no account"), AccountMissing, "no account", "create serviceaccount installer"},
		"suspended":      {resting(v1alpha1.ReasonSuspended, "suspended"), Suspended, "suspended", `{"spec":{"suspend":false}}`},
		"not upgradable": {resting(v1alpha1.ReasonNotUpgradable, "3.9.3 can not be reached"), NoWay, "can not be reached", "upgradableFrom"},
		"limit":          {resting(v1alpha1.ReasonRecoveryLimit, "rule x"), RecoveryLimit, "rule x", "history zk"},
		"fine":           {resting(v1alpha1.ReasonReady, "version 3.9.3 is rolled out"), None, "nothing is stuck", ""},
		"broken later": {func() *Evidence {
			e := resting(v1alpha1.ReasonReady, "rolled out")
			e.Workloads = []Workload{set(plain, fmt.Sprintf(ended, "Error", 1))}
			return e
		}(), ContainerFails, "no plan is stuck, but container zk", "logs zk-0"},
		"parameter": {func() *Evidence {
			e := resting(v1alpha1.ReasonParametersInvalid, `spec.parameters.nodes: Invalid value: "x": must be an integer`)
			e.Version, e.Instance.Spec.Parameters = version, map[string]apiextensionsv1.JSON{"nodes": {Raw: []byte(`"x"`)}}
			return e
		}(), WrongParameter, "must be an integer", "edit instance/zk"},
		"manager": {func() *Evidence {
			e := resting(v1alpha1.ReasonReady, "")
			e.Instance.Generation = 3
			return e
		}(), ManagerBehind, "generation 2 of 3", "get pods --all-namespaces -l app.kubernetes.io/name=kudo"},
		"deleting": {func() *Evidence {
			e := resting(v1alpha1.ReasonDeleting, "")
			e.Instance.DeletionTimestamp = &metav1.Time{Time: now.Add(-time.Hour)}
			e.Instance.Finalizers = []string{v1alpha1.FinalizerInstance}
			return e
		}(), Terminating, "was deleted 1h ago", "get pods"},
		"finalizer": {func() *Evidence {
			e := resting(v1alpha1.ReasonDeleting, "")
			e.Instance.DeletionTimestamp = &metav1.Time{Time: now.Add(-time.Hour)}
			e.Instance.Finalizers = []string{"a.example.com/x", "b.example.com/y"}
			return e
		}(), StuckFinalizer, "a.example.com/x, b.example.com/y still holds it", `{"op":"remove","path":"/metadata/finalizers/1"},{"op":"remove","path":"/metadata/finalizers/0"}`},
		"object terminates": {held(running, "", "", Workload{Object: object("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, deletionTimestamp: '2026-01-02T03:00:00Z', finalizers: [foregroundDeletion]}}")}), Terminating, "ConfigMap c was deleted 4m ago", "get pods"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Explain(tt.e)
			found[r.Cause] = true
			var next []string
			for _, c := range r.Next {
				next = append(next, c.Run+" # "+c.Why)
			}
			if r.Cause != tt.cause || !strings.Contains(r.Summary, tt.summary) || !strings.Contains(strings.Join(next, "\n"), tt.next) {
				t.Errorf("%s: %s\n%s\nwant %s, %q, %q", r.Cause, r.Summary, strings.Join(next, "\n"), tt.cause, tt.summary, tt.next)
			}
			raw, err := json.Marshal(r)
			if err != nil || strings.Contains(string(raw), "hush") {
				t.Errorf("what a program printed is told: %v, %s", err, raw)
			}
			if again := Explain(tt.e); !cmp.Equal(r, again) {
				t.Errorf("not the same twice:\n%s", cmp.Diff(r, again))
			}
			if tt.cause != None && len(r.Next) == 0 {
				t.Error("no command comes next")
			}
		})
	}
	for _, c := range causes(t) {
		if !found[Cause(c)] {
			t.Errorf("no evidence leads to %s", c)
		}
	}
}

// causes are all that there are.
func causes(t *testing.T) []string {
	t.Helper()
	code, err := os.ReadFile("cause.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^\t[A-Z]\w+ Cause = "(\w+)"$`).FindAllStringSubmatch(string(code), -1) {
		out = append(out, m[1])
	}
	if len(out) < 12 {
		t.Fatalf("only %d causes: the test looks for another form", len(out))
	}
	return out
}

// What needs a person comes before what goes on by itself; the rest is named too.
func TestTheWorstTaskComesFirst(t *testing.T) {
	e := held(v1alpha1.RunRunning, "", "waits")
	step := &e.Executions[0].Status.Phases[0].Steps[0]
	bad := step.Tasks[0].DeepCopy()
	bad.Name, bad.State, bad.Message = "bad", v1alpha1.RunStalled, "other managers own fields"
	step.Tasks = append(step.Tasks, *bad)
	r := Explain(e)
	if r.Cause != FieldConflict || !cmp.Equal(r.Others, []string{"servers/roll/set is Running: waits"}) {
		t.Errorf("%s, others %v", r.Cause, r.Others)
	}
}

// What the command of a probe printed may be a secret.
func TestProgramsAreNotQuoted(t *testing.T) {
	probe := "containers: [{name: zk, image: busybox, readinessProbe: {exec: {command: [check]}}}]"
	status := `{phase: Running, containerStatuses: [{name: zk, image: busybox, imageID: "", ready: false, restartCount: 0, state: {running: {}}}]}`
	r := Explain(held(v1alpha1.RunRunning, "", "", set(probe, status, event("Pod", "zk-0", "Unhealthy", "Readiness probe failed: password=hush", 1))))
	raw, err := json.Marshal(r)
	if err != nil || r.Cause != ProbeFails || strings.Contains(string(raw), "hush") {
		t.Errorf("%v: %s", err, raw)
	}
}
