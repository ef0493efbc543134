// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package health

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// pod is Failed only when its phase is: a container that crashes may come back.
func pod(p *corev1.Pod) Result {
	switch p.Status.Phase {
	case corev1.PodSucceeded:
		return healthy("completed")
	case corev1.PodFailed:
		return failed(either(p.Status.Reason, ReasonFailed), "failed"+containerExit(p))
	default:
	}
	if c := podCondition(p, corev1.PodReady); c != nil && c.Status == corev1.ConditionTrue {
		return healthy("is ready")
	}
	if c := podCondition(p, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		return progressing(either(c.Reason, ReasonPending), "is not scheduled: %s", either(c.Message, "no reason is given"))
	}
	for _, s := range containers(p) {
		if r, found := containerTrouble(s); found {
			return r
		}
	}
	for _, s := range p.Status.ContainerStatuses {
		if !s.Ready && s.State.Running != nil {
			return progressing(ReasonPods, "container %s is not ready", s.Name)
		}
	}
	if c := podCondition(p, corev1.PodReady); c != nil && c.Reason == "ReadinessGatesNotReady" {
		return progressing(c.Reason, "%s", either(c.Message, "a readiness gate is not open"))
	}
	return progressing(ReasonPending, "is not ready; its phase is %s", either(string(p.Status.Phase), "not known yet"))
}

func podCondition(p *corev1.Pod, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == t {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// containers lists init containers first: they run first.
func containers(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}

// spoken are waiting reasons whose message tells what to do. Those of others
// may quote what a program printed, which may be a secret.
var spoken = []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}

// quiet are waiting reasons that are no trouble.
var quiet = []string{"ContainerCreating", "PodInitializing", ""}

func containerTrouble(s corev1.ContainerStatus) (Result, bool) {
	if w := s.State.Waiting; w != nil && !slices.Contains(quiet, w.Reason) {
		detail := ""
		if slices.Contains(spoken, w.Reason) && w.Message != "" {
			detail = ": " + w.Message
		}
		return progressing(w.Reason, "container %s: %s%s%s", s.Name, w.Reason, detail, lastExit(s)), true
	}
	if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
		return progressing(either(t.Reason, ReasonPods), "container %s: %s", s.Name, exit(t)), true
	}
	return Result{}, false
}

func lastExit(s corev1.ContainerStatus) string {
	if t := s.LastTerminationState.Terminated; t != nil {
		return fmt.Sprintf(" (%s, %s)", exit(t), restarts(s.RestartCount))
	}
	return ""
}

func restarts(n int32) string {
	if n == 1 {
		return "1 restart"
	}
	return fmt.Sprintf("%d restarts", n)
}

// exit leaves out the termination message: it is what the program printed.
func exit(t *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("exit code %d", t.ExitCode)
	if t.Signal != 0 {
		text = fmt.Sprintf("signal %d", t.Signal)
	}
	if t.Reason != "" && t.Reason != "Error" {
		text = t.Reason + ", " + text
	}
	return text
}

func containerExit(p *corev1.Pod) string {
	for _, s := range containers(p) {
		if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
			return fmt.Sprintf(": container %s: %s", s.Name, exit(t))
		}
	}
	if p.Status.Reason != "" {
		return ": " + p.Status.Reason
	}
	return ""
}
