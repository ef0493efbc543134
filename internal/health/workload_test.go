// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package health

import "testing"

func TestDeployment(t *testing.T) {
	const head = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, generation: 2}, "
	check(t, map[string]example{
		"available": {head + `spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}}`,
			Result{Healthy, ReasonHealthy, "Deployment web: 3 of 3 pods available"}},
		"scaled to nothing": {head + `spec: {replicas: 0}, status: {observedGeneration: 2}}`, Result{Healthy, ReasonHealthy, "Deployment web: 0 of 0 pods available"}},
		"not observed": {head + `spec: {replicas: 3}, status: {observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}}`,
			Result{Progressing, ReasonNotObserved, "Deployment web: its controller has not seen the newest spec yet"}},
		"updating": {head + `spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 4, updatedReplicas: 1, readyReplicas: 3, availableReplicas: 3}}`,
			Result{Progressing, ReasonPods, "Deployment web: 1 of 3 pods updated"}},
		"old pods": {head + `spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 4, updatedReplicas: 3, readyReplicas: 4, availableReplicas: 4}}`,
			Result{Progressing, ReasonPods, "Deployment web: 1 pod of the old revision still there"}},
		"scaling down": {head + `spec: {replicas: 1}, status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}}`,
			Result{Progressing, ReasonPods, "Deployment web: 2 pods too many"}},
		"not available": {head + `status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1}}`,
			Result{Progressing, ReasonPods, "Deployment web: 0 of 1 pod available"}},
		"quota": {head + `status: {observedGeneration: 2, conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: exceeded quota}]}}`,
			Result{Progressing, ReasonPods, "Deployment web: 0 of 1 pod updated; exceeded quota; raise the quota, or lower what the parameters ask for"}},
		"pod security": {head + `status: {observedGeneration: 2, conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: "pods \"web-1-x\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true"}]}}`,
			Result{Progressing, ReasonPods, `Deployment web: 0 of 1 pod updated; pods "web-1-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true; the pod security level of the namespace does not allow this pod`}},
		"no longer": {head + `status: {observedGeneration: 2, conditions: [{type: ReplicaFailure, status: "False", reason: FailedCreate, message: exceeded quota}]}}`,
			Result{Progressing, ReasonPods, "Deployment web: 0 of 1 pod updated"}},
		"quota until the deadline": {head + `status: {observedGeneration: 2, conditions: [
			{type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: ReplicaSet "web-1" has timed out progressing.},
			{type: ReplicaFailure, status: "True", reason: FailedCreate, message: exceeded quota}]}}`,
			Result{Failed, "ProgressDeadlineExceeded", `Deployment web: ReplicaSet "web-1" has timed out progressing; exceeded quota; raise the quota, or lower what the parameters ask for`}},
		"paused": {head + `spec: {paused: true, replicas: 1}, status: {observedGeneration: 2, replicas: 1, readyReplicas: 1, availableReplicas: 1}}`,
			Result{Progressing, ReasonSuspended, "Deployment web: 0 of 1 pod updated; the rollout is paused"}},
		"deadline": {head + `status: {observedGeneration: 2, conditions: [{type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: took too long}]}}`,
			Result{Failed, "ProgressDeadlineExceeded", "Deployment web: took too long"}},
	})
}

func TestStatefulSet(t *testing.T) {
	const head = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: zk, generation: 2}, "
	const done = "currentRevision: zk-2, updateRevision: zk-2"
	check(t, map[string]example{
		"ready": {head + `spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, updatedReplicas: 3, ` + done + `}}`,
			Result{Healthy, ReasonHealthy, "StatefulSet zk: 3 of 3 pods ready"}},
		"new": {head + `spec: {replicas: 3}}`, Result{Progressing, ReasonNotObserved, "StatefulSet zk: its controller has not seen the newest spec yet"}},
		"not ready": {head + `spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 2, readyReplicas: 1, updatedReplicas: 2, ` + done + `}}`,
			Result{Progressing, ReasonPods, "StatefulSet zk: 1 of 3 pods ready"}},
		"scaling down": {head + `spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 5, readyReplicas: 5, updatedReplicas: 5, ` + done + `}}`,
			Result{Progressing, ReasonPods, "StatefulSet zk: 2 pods too many"}},
		"updating": {head + `spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: zk-1, updateRevision: zk-2}}`,
			Result{Progressing, ReasonPods, "StatefulSet zk: 1 of 3 pods updated"}},
		"ending": {head + `spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, updatedReplicas: 3, currentRevision: zk-1, updateRevision: zk-2}}`,
			Result{Progressing, ReasonPods, "StatefulSet zk: 3 of 3 pods updated; the rollout is ending"}},
		"partition": {head + `spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: zk-1, updateRevision: zk-2}}`,
			Result{Healthy, ReasonHealthy, "StatefulSet zk: 3 of 3 pods ready, 1 of 1 pod updated (partition 2)"}},
		"partition, updating": {head + `spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: zk-1, updateRevision: zk-2}}`,
			Result{Progressing, ReasonPods, "StatefulSet zk: 1 of 2 pods updated"}},
		"partition past the end": {head + `spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 9}}}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, currentRevision: zk-1, updateRevision: zk-2}}`,
			Result{Healthy, ReasonHealthy, "StatefulSet zk: 3 of 3 pods ready, 0 of 0 pods updated (partition 9)"}},
		"on delete": {head + `spec: {replicas: 3, updateStrategy: {type: OnDelete}}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, currentRevision: zk-1, updateRevision: zk-2}}`,
			Result{Healthy, ReasonHealthy, "StatefulSet zk: 3 of 3 pods ready; pods are updated when they are deleted"}},
		"on delete, not ready": {head + `spec: {replicas: 3, updateStrategy: {type: OnDelete}}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 2}}`,
			Result{Progressing, ReasonPods, "StatefulSet zk: 2 of 3 pods ready"}},
		"min ready seconds": {head + `spec: {replicas: 3, minReadySeconds: 30}, status: {observedGeneration: 2, replicas: 3, readyReplicas: 3, availableReplicas: 2, updatedReplicas: 3, ` + done + `}}`,
			Result{Progressing, ReasonPods, "StatefulSet zk: 2 of 3 pods ready for 30 seconds"}},
	})
}

func TestDaemonSet(t *testing.T) {
	const head = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: log, generation: 2}, "
	check(t, map[string]example{
		"available": {head + `status: {observedGeneration: 2, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2, numberReady: 2}}`,
			Result{Healthy, ReasonHealthy, "DaemonSet log: 2 of 2 pods available"}},
		"no node": {head + `status: {observedGeneration: 2}}`, Result{Healthy, ReasonHealthy, "DaemonSet log: no node matches it"}},
		"new":     {`{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: log}}`, Result{Progressing, ReasonNotObserved, "DaemonSet log: its controller has not seen the newest spec yet"}},
		"updating": {head + `status: {observedGeneration: 2, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2}}`,
			Result{Progressing, ReasonPods, "DaemonSet log: 1 of 2 pods updated"}},
		"on delete": {head + `spec: {updateStrategy: {type: OnDelete}}, status: {observedGeneration: 2, desiredNumberScheduled: 2, currentNumberScheduled: 2, numberAvailable: 2, numberReady: 2}}`,
			Result{Healthy, ReasonHealthy, "DaemonSet log: 2 of 2 pods available"}},
		"created": {head + `status: {observedGeneration: 2, desiredNumberScheduled: 2, currentNumberScheduled: 1}}`, Result{Progressing, ReasonPods, "DaemonSet log: 1 of 2 pods created"}},
		"not available": {head + `status: {observedGeneration: 2, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1}}`,
			Result{Progressing, ReasonPods, "DaemonSet log: 1 of 2 pods available"}},
	})
}

func TestJob(t *testing.T) {
	const head = "{apiVersion: batch/v1, kind: Job, metadata: {name: init, generation: 1}, "
	check(t, map[string]example{
		"complete": {head + `status: {conditions: [{type: SuccessCriteriaMet, status: "True"}, {type: Complete, status: "True"}]}}`, Result{Healthy, ReasonHealthy, "Job init: completed"}},
		"running": {head + `spec: {completions: 3}, status: {startTime: "2026-01-01T00:00:00Z", succeeded: 1, failed: 1}}`,
			Result{Progressing, ReasonInProgress, "Job init: 1 of 3 completions; 1 pod failed so far"}},
		"not started": {head + `spec: {}}`, Result{Progressing, ReasonPending, "Job init: has not started"}},
		"failing":     {head + `status: {startTime: "2026-01-01T00:00:00Z", conditions: [{type: FailureTarget, status: "True"}]}}`, Result{Progressing, ReasonInProgress, "Job init: 0 of 1 completions"}},
		"failed": {head + `status: {conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit}]}}`,
			Result{Failed, "BackoffLimitExceeded", "Job init: Job has reached the specified backoff limit"}},
		"suspended": {head + `spec: {suspend: true}, status: {conditions: [{type: Suspended, status: "True"}]}}`, Result{Progressing, ReasonSuspended, "Job init: is suspended"}},
	})
}

func TestPod(t *testing.T) {
	const head = "{apiVersion: v1, kind: Pod, metadata: {name: zk-0}, status: {"
	check(t, map[string]example{
		"ready":     {head + `phase: Running, conditions: [{type: Ready, status: "True"}]}}`, Result{Healthy, ReasonHealthy, "Pod zk-0: is ready"}},
		"succeeded": {head + `phase: Succeeded, conditions: [{type: Ready, status: "False"}]}}`, Result{Healthy, ReasonHealthy, "Pod zk-0: completed"}},
		"failed": {head + `phase: Failed, containerStatuses: [{name: zk, state: {terminated: {exitCode: 3, reason: Error, message: "password=x"}}}]}}`,
			Result{Failed, ReasonFailed, "Pod zk-0: failed: container zk: exit code 3"}},
		"evicted": {head + `phase: Failed, reason: Evicted}}`, Result{Failed, "Evicted", "Pod zk-0: failed: Evicted"}},
		"new":     {head + `}}`, Result{Progressing, ReasonPending, "Pod zk-0: is not ready; its phase is not known yet"}},
		"unschedulable": {head + `phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: 0/3 nodes are available}]}}`,
			Result{Progressing, "Unschedulable", "Pod zk-0: is not scheduled: 0/3 nodes are available"}},
		"crashing": {head + `phase: Running, containerStatuses: [{name: ok, ready: true, state: {running: {}}}, {name: zk, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff, message: back-off}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled, message: secret}}}]}}`,
			Result{Progressing, "CrashLoopBackOff", "Pod zk-0: container zk: CrashLoopBackOff (OOMKilled, exit code 137, 4 restarts)"}},
		"image": {head + `phase: Pending, initContainerStatuses: [{name: init, state: {waiting: {reason: ImagePullBackOff, message: "Back-off pulling image \"x:1\""}}}], containerStatuses: [{name: zk, state: {waiting: {reason: PodInitializing}}}]}}`,
			Result{Progressing, "ImagePullBackOff", `Pod zk-0: container init: ImagePullBackOff: Back-off pulling image "x:1"`}},
		"creating": {head + `phase: Pending, containerStatuses: [{name: zk, state: {waiting: {reason: ContainerCreating}}}]}}`,
			Result{Progressing, ReasonPending, "Pod zk-0: is not ready; its phase is Pending"}},
		"exited": {head + `phase: Running, containerStatuses: [{name: zk, state: {terminated: {exitCode: 1, signal: 9}}}]}}`,
			Result{Progressing, ReasonPods, "Pod zk-0: container zk: signal 9"}},
		"not ready": {head + `phase: Running, conditions: [{type: Ready, status: "False", reason: ContainersNotReady}], containerStatuses: [{name: zk, state: {running: {}}}]}}`,
			Result{Progressing, ReasonPods, "Pod zk-0: container zk is not ready"}},
		"gate": {head + `phase: Running, conditions: [{type: Ready, status: "False", reason: ReadinessGatesNotReady, message: lb is not}]}}`,
			Result{Progressing, "ReadinessGatesNotReady", "Pod zk-0: lb is not"}},
	})
}
