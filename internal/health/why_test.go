// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package health

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

func TestExplain(t *testing.T) {
	const (
		set    = `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: zk, uid: u}, spec: {selector: {matchLabels: {app: zk}}}}`
		deploy = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, uid: d}, spec: {selector: {matchLabels: {app: web}}}}`
		job    = `{apiVersion: batch/v1, kind: Job, metadata: {name: init, uid: u}}`
		meta   = `metadata: {name: zk-0, uid: p, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: zk, uid: u, controller: true}]}`
		ofSet  = `[{` + meta + `, status: `
		probed = `[{` + meta + `, spec: {containers: [{name: zk, `
	)
	unready := `}]}, status: {phase: Running, containerStatuses: [{name: zk, started: true, state: {running: {}}}]}}]`
	tests := map[string]struct {
		workload, pods, events string
		want                   Cause
	}{
		"nothing known":        {workload: set},
		"pods of someone else": {workload: set, pods: `[{metadata: {name: zk-0, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: zk, uid: other, controller: true}]}, status: {phase: Failed}}]`},
		"all pods are well":    {workload: set, pods: ofSet + `{phase: Running, conditions: [{type: Ready, status: "True"}]}}]`},
		"crash loop": {
			workload: set,
			pods:     ofSet + `{phase: Running, containerStatuses: [{name: zk, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff, message: secret}}, lastState: {terminated: {exitCode: 3, reason: Error, message: secret}}}]}}]`,
			want: Cause{"Pod zk-0: container zk: CrashLoopBackOff (exit code 3, 4 restarts)",
				&ContainerLog{"zk-0", "zk", true}},
		},
		"out of memory": {
			workload: set,
			pods:     ofSet + `{phase: Running, containerStatuses: [{name: zk, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]}}]`,
			want: Cause{"Pod zk-0: container zk: CrashLoopBackOff (OOMKilled, exit code 137, 1 restart); raise its resources.limits.memory",
				&ContainerLog{"zk-0", "zk", true}},
		},
		"runs again": {
			workload: set,
			pods:     ofSet + `{phase: Running, containerStatuses: [{name: zk, restartCount: 1, state: {running: {}}, lastState: {terminated: {exitCode: 127}}}]}}]`,
			want: Cause{"Pod zk-0: container zk: runs again after exit code 127 (1 restart); check its command and image",
				&ContainerLog{"zk-0", "zk", true}},
		},
		"killed by its probe": {
			workload: set,
			pods: probed + `livenessProbe: {tcpSocket: {port: 2181}}}]}, status: {phase: Running, containerStatuses: [
				{name: zk, restartCount: 2, state: {running: {}}, lastState: {terminated: {exitCode: 137, reason: Error}}}]}}]`,
			events: `[{involvedObject: {kind: Pod, name: zk-0, uid: p}, type: Warning, reason: Unhealthy, message: "Liveness probe failed: connection refused"}]`,
			want: Cause{"Pod zk-0: container zk: runs again after exit code 137 (2 restarts); its livenessProbe failed: connection refused",
				&ContainerLog{"zk-0", "zk", true}},
		},
		"killed": {
			workload: set,
			pods:     ofSet + `{phase: Running, containerStatuses: [{name: zk, restartCount: 2, state: {running: {}}, lastState: {terminated: {exitCode: 143}}}]}}]`,
			want: Cause{"Pod zk-0: container zk: runs again after exit code 143 (2 restarts); it was killed: check its livenessProbe and its node",
				&ContainerLog{"zk-0", "zk", true}},
		},
		"image": {
			workload: set,
			pods:     ofSet + `{phase: Pending, containerStatuses: [{name: zk, state: {waiting: {reason: ImagePullBackOff, message: "Back-off pulling image \"x:1\""}}}]}}]`,
			want:     Cause{Message: `Pod zk-0: container zk: ImagePullBackOff: Back-off pulling image "x:1"; check its image, and imagePullSecrets of the pod`},
		},
		"configuration": {
			workload: set,
			pods:     ofSet + `{phase: Pending, containerStatuses: [{name: zk, state: {waiting: {reason: CreateContainerConfigError, message: 'secret "s" not found'}}}]}}]`,
			want:     Cause{Message: `Pod zk-0: container zk: CreateContainerConfigError: secret "s" not found; make what its env or envFrom names`},
		},
		"no room": {
			workload: set,
			pods:     ofSet + `{phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/3 nodes are available: 3 Insufficient cpu."}]}}]`,
			want:     Cause{Message: "Pod zk-0: condition PodScheduled is False, Unschedulable: 0/3 nodes are available: 3 Insufficient cpu; lower resources.requests of its containers, or add nodes"},
		},
		"claim": {
			workload: set,
			pods:     `[{` + meta + `, spec: {volumes: [{name: d, persistentVolumeClaim: {claimName: d-zk-0}}]}, status: {phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "pod has unbound immediate PersistentVolumeClaims"}]}}]`,
			events:   `[{involvedObject: {kind: PersistentVolumeClaim, name: d-zk-0, uid: c}, type: Normal, reason: FailedBinding, message: no persistent volumes available for this claim and no storage class is set}]`,
			want: Cause{Message: "Pod zk-0: condition PodScheduled is False, Unschedulable: pod has unbound immediate PersistentVolumeClaims; " +
				"event FailedBinding of PersistentVolumeClaim d-zk-0: no persistent volumes available for this claim and no storage class is set; name a storage class that exists"},
		},
		"claim without events": {
			workload: set,
			pods:     `[{` + meta + `, spec: {volumes: [{name: d, persistentVolumeClaim: {claimName: d-zk-0}}]}, status: {phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "pod has unbound immediate PersistentVolumeClaims"}]}}]`,
			want:     Cause{Message: "Pod zk-0: condition PodScheduled is False, Unschedulable: pod has unbound immediate PersistentVolumeClaims; see its volume claims d-zk-0"},
		},
		"readiness": {
			workload: set,
			pods:     probed + `readinessProbe: {httpGet: {path: /ready, port: 80}}` + unready,
			events:   `[{involvedObject: {kind: Pod, name: zk-0, uid: p}, type: Warning, reason: Unhealthy, message: "Readiness probe failed: HTTP probe failed with statuscode: 503"}]`,
			want:     Cause{Message: "Pod zk-0: container zk runs and is not ready: its readinessProbe (httpGet /ready on port 80) does not pass: HTTP probe failed with statuscode: 503"},
		},
		"readiness by a command": {
			workload: set,
			pods:     probed + `readinessProbe: {exec: {command: [ruok]}}` + unready,
			events:   `[{involvedObject: {kind: Pod, name: zk-0, uid: p}, type: Warning, reason: Unhealthy, message: "Readiness probe failed: password=x"}]`,
			want:     Cause{Message: "Pod zk-0: container zk runs and is not ready: its readinessProbe (exec) does not pass: its command failed"},
		},
		"mount": {
			workload: set,
			pods:     ofSet + `{phase: Pending, containerStatuses: [{name: zk, state: {waiting: {reason: ContainerCreating}}}]}}]`,
			events:   `[{involvedObject: {kind: Pod, name: zk-0, uid: p}, type: Warning, reason: FailedMount, message: 'MountVolume.SetUp failed for volume "s" : secret "s" not found'}]`,
			want:     Cause{Message: `Pod zk-0: is not ready; its phase is Pending; event FailedMount: MountVolume.SetUp failed for volume "s" : secret "s" not found`},
		},
		"quota": {
			workload: set,
			events: `[
				{involvedObject: {kind: StatefulSet, name: zk, uid: old}, type: Warning, reason: FailedCreate, message: of another one, lastTimestamp: "2026-01-03T00:00:00Z"},
				{involvedObject: {kind: StatefulSet, name: zk, uid: u}, type: Normal, reason: SuccessfulCreate, message: made, lastTimestamp: "2026-01-01T00:00:00Z"},
				{involvedObject: {kind: StatefulSet, name: zk, uid: u}, type: Warning, reason: FailedCreate, message: "pods \"zk-0\" is forbidden: exceeded quota: small", lastTimestamp: "2026-01-02T00:00:00Z"}]`,
			want: Cause{Message: `event FailedCreate of StatefulSet zk: pods "zk-0" is forbidden: exceeded quota: small; raise the quota, or lower what the parameters ask for`},
		},
		"trouble that is over": {
			workload: set,
			events: `[
				{involvedObject: {kind: StatefulSet, name: zk, uid: u}, type: Warning, reason: FailedCreate, message: no, lastTimestamp: "2026-01-01T00:00:00Z"},
				{involvedObject: {kind: StatefulSet, name: zk, uid: u}, type: Normal, reason: SuccessfulCreate, message: made, lastTimestamp: "2026-01-02T00:00:00Z"}]`,
		},
		"the pod of a job": {
			workload: job,
			pods: `[{metadata: {name: init-x, ownerReferences: [{apiVersion: batch/v1, kind: Job, name: init, uid: u, controller: true}]},
				status: {phase: Failed, containerStatuses: [{name: ok, state: {terminated: {exitCode: 0}}}, {name: main, state: {terminated: {exitCode: 2, reason: Error, message: secret}}}]}}]`,
			want: Cause{"Pod init-x: container main: exit code 2", &ContainerLog{"init-x", "main", false}},
		},
		"evicted": {
			workload: job,
			pods:     `[{metadata: {name: init-x, ownerReferences: [{apiVersion: batch/v1, kind: Job, name: init, uid: u, controller: true}]}, status: {phase: Failed, reason: Evicted, message: "The node was low on resource: memory. "}}]`,
			want:     Cause{Message: "Pod init-x: failed: Evicted: The node was low on resource: memory"},
		},
		"the new revision of a deployment": {
			workload: deploy,
			pods: `[
				{metadata: {name: web-2-b, creationTimestamp: "2026-01-02T00:00:00Z", labels: {pod-template-hash: "2"}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-2, uid: r, controller: true}]},
				 status: {phase: Pending, containerStatuses: [{name: w, state: {waiting: {reason: InvalidImageName, message: bad}}}]}},
				{metadata: {name: web-1-a, creationTimestamp: "2026-01-01T00:00:00Z", labels: {pod-template-hash: "1"}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: q, controller: true}]},
				 status: {phase: Pending, containerStatuses: [{name: w, state: {waiting: {reason: ErrImagePull, message: old}}}]}},
				{metadata: {name: else, labels: {pod-template-hash: "1"}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: webs-1, uid: q, controller: true}]}, status: {phase: Failed}}]`,
			want: Cause{Message: "Pod web-2-b: container w: InvalidImageName: bad; check its image, and imagePullSecrets of the pod"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			workload := &unstructured.Unstructured{}
			decode(t, tc.workload, &workload.Object)
			var found []corev1.Pod
			var events []corev1.Event
			decode(t, tc.pods, &found)
			decode(t, tc.events, &events)
			if diff := cmp.Diff(tc.want, Explain(workload, Suspect(workload, found), events)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPodSelector(t *testing.T) {
	tests := map[string]struct{ object, want string }{
		"labels":      {`{apiVersion: apps/v1, kind: DaemonSet, spec: {selector: {matchLabels: {a: b}}}}`, "a=b"},
		"expressions": {`{apiVersion: batch/v1, kind: Job, spec: {selector: {matchExpressions: [{key: a, operator: In, values: [b, c]}]}}}`, "a in (b,c)"},
		"empty":       {`{apiVersion: apps/v1, kind: DaemonSet, spec: {selector: {}}}`, ""},
		"a service":   {`{apiVersion: v1, kind: Service, spec: {selector: {a: b}}}`, ""},
		"a pod":       {`{apiVersion: v1, kind: Pod, spec: {}}`, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := &unstructured.Unstructured{}
			decode(t, tc.object, &o.Object)
			got := ""
			if s := PodSelector(o); s != nil {
				got = s.String()
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
