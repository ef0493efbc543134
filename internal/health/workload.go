// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package health

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

func wanted(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}

func deployment(d *appsv1.Deployment) Result {
	if d.Status.ObservedGeneration < d.Generation {
		return notObserved()
	}
	trouble, late := "", ""
	for _, c := range d.Status.Conditions {
		switch {
		case c.Type == appsv1.DeploymentProgressing && c.Reason == "ProgressDeadlineExceeded":
			late = either(c.Message, "made no progress within its deadline")
		case c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue:
			// Its ReplicaSet's words: quotas and pod security refuse pods in an event of that.
			trouble = "; " + advised(c.Message)
		}
	}
	if late != "" {
		return failed("ProgressDeadlineExceeded", said(late)+trouble)
	}
	want, s := wanted(d.Spec.Replicas), d.Status
	reason := ReasonPods
	if d.Spec.Paused {
		reason, trouble = ReasonSuspended, "; the rollout is paused"
	}
	switch {
	case s.UpdatedReplicas < want:
		return progressing(reason, "%s updated%s", of(s.UpdatedReplicas, want), trouble)
	case s.Replicas > s.UpdatedReplicas:
		return progressing(reason, "%s of the old revision still there%s", pods(s.Replicas-s.UpdatedReplicas), trouble)
	case s.Replicas > want:
		return progressing(reason, "%s too many%s", pods(s.Replicas-want), trouble)
	case s.AvailableReplicas < want:
		return progressing(reason, "%s available%s", of(s.AvailableReplicas, want), trouble)
	case s.ReadyReplicas < want:
		return progressing(reason, "%s ready%s", of(s.ReadyReplicas, want), trouble)
	}
	return healthy("%s available", of(s.AvailableReplicas, want))
}

func statefulSet(sts *appsv1.StatefulSet) Result {
	if sts.Status.ObservedGeneration < sts.Generation {
		return notObserved()
	}
	want, s := wanted(sts.Spec.Replicas), sts.Status
	switch {
	case s.Replicas > want:
		return progressing(ReasonPods, "%s too many", pods(s.Replicas-want))
	case s.ReadyReplicas < want:
		return progressing(ReasonPods, "%s ready", of(s.ReadyReplicas, want))
	case sts.Spec.MinReadySeconds > 0 && s.AvailableReplicas < want:
		return progressing(ReasonPods, "%s ready for %d seconds", of(s.AvailableReplicas, want), sts.Spec.MinReadySeconds)
	case sts.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType:
		return healthy("%s ready; pods are updated when they are deleted", of(s.ReadyReplicas, want))
	}
	return rolledOut(sts, want)
}

// rolledOut expects the pods from the partition on to have the new revision.
func rolledOut(sts *appsv1.StatefulSet, want int32) Result {
	s, partition := sts.Status, int32(0)
	if r := sts.Spec.UpdateStrategy.RollingUpdate; r != nil && r.Partition != nil {
		partition = *r.Partition
	}
	expected := max(0, want-partition)
	switch {
	case s.UpdatedReplicas < expected:
		return progressing(ReasonPods, "%s updated", of(s.UpdatedReplicas, expected))
	case partition == 0 && s.UpdateRevision != s.CurrentRevision:
		return progressing(ReasonPods, "%s updated; the rollout is ending", of(s.UpdatedReplicas, expected))
	case partition > 0:
		return healthy("%s ready, %s updated (partition %d)", of(s.ReadyReplicas, want), of(s.UpdatedReplicas, expected), partition)
	}
	return healthy("%s ready", of(s.ReadyReplicas, want))
}

func daemonSet(d *appsv1.DaemonSet) Result {
	if d.Status.ObservedGeneration < d.Generation || d.Status.ObservedGeneration == 0 {
		return notObserved()
	}
	s := d.Status
	want := s.DesiredNumberScheduled
	switch {
	case s.CurrentNumberScheduled < want:
		return progressing(ReasonPods, "%s created", of(s.CurrentNumberScheduled, want))
	case d.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType && s.UpdatedNumberScheduled < want:
		return progressing(ReasonPods, "%s updated", of(s.UpdatedNumberScheduled, want))
	case s.NumberAvailable < want:
		return progressing(ReasonPods, "%s available", of(s.NumberAvailable, want))
	case s.NumberReady < want:
		return progressing(ReasonPods, "%s ready", of(s.NumberReady, want))
	case want == 0:
		return healthy("no node matches it")
	}
	return healthy("%s available", of(s.NumberAvailable, want))
}

func job(j *batchv1.Job) Result {
	for _, c := range j.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == batchv1.JobFailed:
			return failed(either(c.Reason, ReasonFailed), either(c.Message, "its pods failed"))
		case c.Type == batchv1.JobComplete:
			return healthy("completed")
		}
	}
	if j.Spec.Suspend != nil && *j.Spec.Suspend {
		return progressing(ReasonSuspended, "is suspended")
	}
	completions := wanted(j.Spec.Completions)
	retries := ""
	if j.Status.Failed > 0 {
		retries = fmt.Sprintf("; %s failed so far", pods(j.Status.Failed))
	}
	if j.Status.StartTime == nil {
		return progressing(ReasonPending, "has not started")
	}
	return progressing(ReasonInProgress, "%d of %d completions%s", j.Status.Succeeded, completions, retries)
}

func of(n, want int32) string {
	if want == 1 {
		return fmt.Sprintf("%d of 1 pod", n)
	}
	return fmt.Sprintf("%d of %d pods", n, want)
}

func pods(n int32) string {
	if n == 1 {
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", n)
}
