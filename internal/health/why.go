// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package health

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Cause is why a workload is not healthy.
type Cause struct {
	// Message names the object and its field or reason, and says what to do. It never
	// shows what a program printed. Empty if nothing was found.
	Message string
	// Log names the container whose log tells more; nil if none does.
	Log *ContainerLog
}

// ContainerLog names the log of one run of a container.
type ContainerLog struct {
	Pod, Container string
	// Previous is the run before the current one.
	Previous bool
}

const oomKilled = "OOMKilled"

// Explain says why a workload is not healthy, from its most telling pod, if there is one,
// and from the events of its Subjects.
func Explain(workload *unstructured.Unstructured, suspect *corev1.Pod, events []corev1.Event) Cause {
	e := newest(Subjects(workload, suspect), events)
	if suspect != nil {
		c := explainPod(suspect, e)
		c.Message = "Pod " + suspect.Name + ": " + c.Message
		return c
	}
	if e == nil {
		return Cause{}
	}
	return Cause{Message: fmt.Sprintf("event %s of %s %s: %s", e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, advised(e.Message))}
}

func explainPod(p *corev1.Pod, e *corev1.Event) Cause {
	if p.Status.Phase == corev1.PodFailed {
		return explainFailed(p)
	}
	if c := unscheduled(p); c != nil {
		return Cause{Message: explainUnscheduled(p, c, e)}
	}
	for _, s := range containers(p) {
		if _, found := containerTrouble(s); found || crashed(s) {
			return explainContainer(p, s, e)
		}
	}
	for _, s := range p.Status.ContainerStatuses {
		if !s.Ready && s.State.Running != nil {
			return Cause{Message: explainUnready(p, s, e)}
		}
	}
	text := strings.TrimPrefix(pod(p).Message, ": ")
	if e != nil {
		text += "; event " + e.Reason + ": " + advised(e.Message)
	}
	return Cause{Message: text}
}

func explainFailed(p *corev1.Pod) Cause {
	for _, s := range containers(p) {
		if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
			return Cause{
				Message: fmt.Sprintf("container %s: %s%s", s.Name, exit(t), exitAdvice(t)),
				Log:     &ContainerLog{Pod: p.Name, Container: s.Name},
			}
		}
	}
	text := "failed"
	if p.Status.Reason != "" {
		text += ": " + p.Status.Reason
	}
	if p.Status.Message != "" { // the kubelet's words
		text += ": " + said(p.Status.Message)
	}
	return Cause{Message: text}
}

// explainUnscheduled repeats the scheduler, and says which field to look at.
func explainUnscheduled(p *corev1.Pod, c *corev1.PodCondition, e *corev1.Event) string {
	text := fmt.Sprintf("condition PodScheduled is False, %s: %s",
		cmp.Or(c.Reason, ReasonPending), cmp.Or(said(c.Message), "no reason is given"))
	if e != nil {
		return fmt.Sprintf("%s; event %s of %s %s: %s", text, e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, advised(e.Message))
	}
	for _, hint := range []struct{ word, advice string }{
		{"olumeClaim", "see its volume claims"},
		{"olume", "see its volume claims"},
		{"Insufficient", "lower resources.requests of its containers, or add nodes"},
		{"taint", "add tolerations, or free a node of the taint"},
		{"affinity", "check nodeSelector and affinity"},
		{"selector", "check nodeSelector and affinity"},
		{"scheduling gate", "something must remove its schedulingGates"},
	} {
		if strings.Contains(c.Message, hint.word) {
			if claims := claimNames(p); strings.HasSuffix(hint.word, "olumeClaim") && claims != "" {
				return text + "; see its volume claims " + claims
			}
			return text + "; " + hint.advice
		}
	}
	return text
}

func claimNames(p *corev1.Pod) string {
	var names []string
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim != nil {
			names = append(names, v.PersistentVolumeClaim.ClaimName)
		}
	}
	return strings.Join(names, ", ")
}

// explainContainer tells what a container waits for, or how it ended.
func explainContainer(p *corev1.Pod, s corev1.ContainerStatus, e *corev1.Event) Cause {
	r, found := containerTrouble(s)
	text := said(r.Message)
	if !found {
		text = fmt.Sprintf("container %s: runs again after %s (%s)", s.Name, exit(s.LastTerminationState.Terminated), restarts(s.RestartCount))
	}
	last, log := s.State.Terminated, &ContainerLog{Pod: p.Name, Container: s.Name}
	if last == nil {
		last = s.LastTerminationState.Terminated
		log.Previous = true
	}
	if last == nil {
		return Cause{Message: text + waitingAdvice(r.Reason)}
	}
	if e != nil && e.Reason == "Unhealthy" && strings.HasPrefix(e.Message, "Liveness") {
		return Cause{Message: text + "; its livenessProbe failed: " + probeSaid(containerOf(p, s.Name).LivenessProbe, e), Log: log}
	}
	return Cause{Message: text + exitAdvice(last), Log: log}
}

func waitingAdvice(reason string) string {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
		return "; check its image, and imagePullSecrets of the pod"
	case "CreateContainerConfigError":
		return "; make what its env or envFrom names"
	case "CreateContainerError", "RunContainerError":
		return "; check its command, its volumeMounts and its securityContext"
	}
	return ""
}

func exitAdvice(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason == oomKilled:
		return "; raise its resources.limits.memory"
	case t.Reason == "ContainerCannotRun", t.Reason == "StartError", t.ExitCode == 126, t.ExitCode == 127:
		return "; check its command and image"
	case t.ExitCode == 137, t.ExitCode == 143:
		return "; it was killed: check its livenessProbe and its node"
	}
	return ""
}

// explainUnready names the probe that does not pass.
func explainUnready(p *corev1.Pod, s corev1.ContainerStatus, e *corev1.Event) string {
	text := fmt.Sprintf("container %s runs and is not ready", s.Name)
	c := containerOf(p, s.Name)
	field, probe := "readinessProbe", c.ReadinessProbe
	if s.Started != nil && !*s.Started && c.StartupProbe != nil {
		field, probe = "startupProbe", c.StartupProbe
	}
	if probe == nil {
		return text
	}
	text += fmt.Sprintf(": its %s (%s) does not pass", field, describeProbe(probe))
	if e != nil && e.Reason == "Unhealthy" {
		text += ": " + probeSaid(probe, e)
	}
	return text
}

func containerOf(p *corev1.Pod, name string) *corev1.Container {
	for i := range p.Spec.Containers {
		if p.Spec.Containers[i].Name == name {
			return &p.Spec.Containers[i]
		}
	}
	return &corev1.Container{}
}

func describeProbe(probe *corev1.Probe) string {
	switch {
	case probe.HTTPGet != nil:
		return fmt.Sprintf("httpGet %s on port %s", cmp.Or(probe.HTTPGet.Path, "/"), probe.HTTPGet.Port.String())
	case probe.TCPSocket != nil:
		return "tcpSocket on port " + probe.TCPSocket.Port.String()
	case probe.GRPC != nil:
		return fmt.Sprintf("grpc on port %d", probe.GRPC.Port)
	}
	return "exec"
}

// probeSaid leaves out what a program of the container printed.
func probeSaid(probe *corev1.Probe, e *corev1.Event) string {
	if probe == nil || probe.Exec != nil {
		return "its command failed"
	}
	_, detail, found := strings.Cut(e.Message, "failed: ")
	if !found {
		detail = e.Message
	}
	return said(detail)
}

// advised repeats what Kubernetes said, and what to do about it.
func advised(message string) string {
	text := said(message)
	switch {
	case strings.Contains(text, "exceeded quota"):
		return text + "; raise the quota, or lower what the parameters ask for"
	case strings.Contains(text, "violates PodSecurity"):
		return text + "; the pod security level of the namespace does not allow this pod"
	case strings.Contains(text, "no storage class is set"), strings.Contains(text, "storageclass"):
		return text + "; name a storage class that exists"
	case strings.Contains(text, "serviceaccount") && strings.Contains(text, "not found"):
		return text + "; make the account that its pods name"
	}
	return text
}
