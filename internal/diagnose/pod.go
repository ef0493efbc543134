// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kudo.dev/kudo/internal/health"
)

// pod explains a pod that is not ready.
func (d *diagnosis) pod(w *Workload, p *corev1.Pod, since time.Time) *finding {
	e := latest(w.Events, subject{kind: "Pod", name: p.Name, uid: p.UID}, since)
	why := health.Explain(w.Object, p, w.Events).Message
	link := Link{Object: "Pod " + p.Name, State: string(p.Status.Phase), Message: strings.TrimPrefix(why, "Pod "+p.Name+": ")}
	f := d.scheduling(w, p, since)
	if f == nil {
		f = d.containers(w, p)
	}
	if f == nil {
		f = d.mounting(w, p, e, since)
	}
	if f == nil {
		f = d.readiness(p, e)
	}
	if f == nil {
		f = &finding{cause: Unknown, summary: why}
		if e != nil {
			f = d.said(oneLine(e.Message))
		}
		if f.cause == Unknown {
			f.next = []Command{d.kubectl("all that is known about the pod", "describe pod %s", p.Name)}
		}
	}
	if f.summary == "" {
		f.summary = why
	}
	if e != nil && !quotes(e, p) && !slices.ContainsFunc(f.chain, func(l Link) bool { return l.Object == "event of Pod "+p.Name }) {
		f.chain = append(f.chain, d.link(e))
	}
	return f.below(link)
}

// quotes says whether an event may repeat what a program of the pod printed, which may be a
// secret: the command of a probe, or a container that ended.
func quotes(e *corev1.Event, p *corev1.Pod) bool {
	if e.Reason != "Unhealthy" {
		return e.Reason == "FailedPostStartHook" || e.Reason == "FailedPreStopHook"
	}
	return slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc([]*corev1.Probe{c.ReadinessProbe, c.LivenessProbe, c.StartupProbe}, func(probe *corev1.Probe) bool {
			return probe != nil && probe.Exec != nil
		})
	})
}

// scheduling explains a pod that is on no node: because of a volume, or of the nodes.
func (d *diagnosis) scheduling(w *Workload, p *corev1.Pod, since time.Time) *finding {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse
	})
	if i < 0 {
		return nil
	}
	message := oneLine(p.Status.Conditions[i].Message)
	if strings.Contains(strings.ToLower(message), "persistentvolumeclaim") || strings.Contains(message, "volume") {
		if f := d.pendingClaim(w, p, since); f != nil {
			return f
		}
		return &finding{
			cause: VolumePending, summary: "Pod " + p.Name + " waits for its volume: " + message,
			next: []Command{d.kubectl("which claim is not bound?", "get persistentvolumeclaims")},
		}
	}
	return &finding{
		cause: Unschedulable, summary: "no node fits Pod " + p.Name + ": " + message,
		next: []Command{
			anywhere("what do the nodes have left?", "describe nodes | grep -A8 'Allocated resources'"),
			d.edit("lower what the pods ask for, or free or add nodes"),
		},
	}
}

// pendingClaim finds the claim that a pod waits for.
func (d *diagnosis) pendingClaim(w *Workload, p *corev1.Pod, since time.Time) *finding {
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		name := v.PersistentVolumeClaim.ClaimName
		i := slices.IndexFunc(w.Claims, func(c corev1.PersistentVolumeClaim) bool { return c.Name == name })
		switch {
		case i >= 0 && w.Claims[i].Status.Phase != corev1.ClaimBound:
			return d.claim(w, &w.Claims[i], since)
		case i < 0 && !d.hidden("persistentvolumeclaims"):
			return &finding{
				cause: VolumePending, summary: fmt.Sprintf("the volume claim %s of Pod %s does not exist", name, p.Name),
				next: []Command{d.kubectl("which claims are there?", "get persistentvolumeclaims")},
			}
		}
	}
	return nil
}

// hidden says whether a kind could not be read: then absence means nothing.
func (d *diagnosis) hidden(resource string) bool {
	return slices.ContainsFunc(d.Gaps, func(g Gap) bool { return strings.Contains(g.Right, resource) || strings.Contains(g.What, resource) })
}

// containers explains a container that can not start, or that ended.
func (d *diagnosis) containers(w *Workload, p *corev1.Pod) *finding {
	all := slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
	for i := range all {
		s := &all[i]
		if wait := s.State.Waiting; wait != nil {
			if f := d.waiting(p, s, wait); f != nil {
				return f
			}
		}
		last, previous := s.State.Terminated, ""
		if last == nil && !s.Ready {
			last, previous = s.LastTerminationState.Terminated, " --previous"
		}
		if last != nil && last.ExitCode != 0 {
			return d.crashed(w, p, s.Name, last, previous)
		}
	}
	return nil
}

func (d *diagnosis) waiting(p *corev1.Pod, s *corev1.ContainerStatus, wait *corev1.ContainerStateWaiting) *finding {
	switch wait.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable":
		return &finding{
			cause:   ImageMissing,
			summary: fmt.Sprintf("the image %s of container %s in Pod %s can not be pulled (%s)", s.Image, s.Name, p.Name, wait.Reason),
			next: []Command{
				d.kubectl("what did the registry answer?", "get events --field-selector involvedObject.name=%s", p.Name),
				d.edit("correct the parameter or version that names the image, or its pull secret"),
			},
		}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return &finding{
			cause:   ConfigMissing,
			summary: fmt.Sprintf("container %s in Pod %s can not be made (%s)%s", s.Name, p.Name, wait.Reason, detail(wait)),
			next:    []Command{d.kubectl("what do its env, envFrom and volumes name?", "describe pod %s", p.Name)},
		}
	}
	return nil
}

// detail is what the kubelet says of a missing Secret or ConfigMap; of others it may quote a program.
func detail(wait *corev1.ContainerStateWaiting) string {
	if wait.Reason != "CreateContainerConfigError" || wait.Message == "" {
		return ""
	}
	return ": " + oneLine(wait.Message)
}

// crashed explains a container that ended with an error.
func (d *diagnosis) crashed(w *Workload, p *corev1.Pod, container string, t *corev1.ContainerStateTerminated, previous string) *finding {
	f := &finding{
		cause:   ContainerFails,
		summary: fmt.Sprintf("container %s in Pod %s ended with exit code %d", container, p.Name, t.ExitCode),
		next:    []Command{d.kubectl("what did it say?", "logs %s -c %s%s --tail=50", p.Name, container, previous)},
	}
	switch {
	case t.Reason == "OOMKilled":
		f.cause = OutOfMemory
		f.summary = fmt.Sprintf("container %s in Pod %s needs more memory than its limit", container, p.Name)
		f.next = append(f.next, d.edit("raise the memory that the parameters give it"))
	case w.Object.GetKind() == "Job":
		f.cause = JobFailed
		f.summary = fmt.Sprintf("the job %s failed: container %s in Pod %s ended with exit code %d", w.Object.GetName(), container, p.Name, t.ExitCode)
	case t.ExitCode == 137 || t.ExitCode == 143:
		if e := latest(w.Events, subject{kind: "Pod", name: p.Name, uid: p.UID}, time.Time{}); e != nil && strings.HasPrefix(e.Message, "Liveness") {
			f.cause = ProbeFails
			f.summary = fmt.Sprintf("container %s in Pod %s is killed because its livenessProbe fails", container, p.Name)
		}
	}
	return f
}

// mounting explains a pod that waits for a volume on its node.
func (d *diagnosis) mounting(w *Workload, p *corev1.Pod, e *corev1.Event, since time.Time) *finding {
	if e == nil || e.Reason != "FailedMount" && e.Reason != "FailedAttachVolume" {
		return nil
	}
	message := oneLine(e.Message)
	f := &finding{
		cause: VolumePending, summary: "Pod " + p.Name + " waits for a volume: " + message,
		next: []Command{d.kubectl("which volume is it?", "describe pod %s", p.Name)},
	}
	if strings.Contains(message, "not found") && (strings.Contains(message, "secret") || strings.Contains(message, "configmap")) {
		f.cause = ConfigMissing
		return f
	}
	if claim := d.pendingClaim(w, p, since); claim != nil {
		return claim
	}
	return f
}

// readiness explains a container that runs and does not pass its probe.
func (d *diagnosis) readiness(p *corev1.Pod, e *corev1.Event) *finding {
	for i := range p.Status.ContainerStatuses {
		s := &p.Status.ContainerStatuses[i]
		if s.Ready || s.State.Running == nil {
			continue
		}
		j := slices.IndexFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Name == s.Name })
		if j < 0 {
			continue
		}
		field := "readinessProbe"
		probe := p.Spec.Containers[j].ReadinessProbe
		if s.Started != nil && !*s.Started && p.Spec.Containers[j].StartupProbe != nil {
			field, probe = "startupProbe", p.Spec.Containers[j].StartupProbe
		}
		if probe == nil {
			continue
		}
		answer := ""
		if e != nil && e.Reason == "Unhealthy" && !quotes(e, p) {
			answer = ": " + oneLine(e.Message)
		}
		return &finding{
			cause:   ProbeFails,
			summary: fmt.Sprintf("container %s in Pod %s runs, but its %s does not pass%s", s.Name, p.Name, field, answer),
			next: []Command{
				d.kubectl("why does it not answer?", "logs %s -c %s --tail=50", p.Name, s.Name),
				d.kubectl("what is asked, and what came back?", "describe pod %s", p.Name),
			},
		}
	}
	return nil
}
