// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package health

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Explainable says whether pods or events may tell why an object of this kind is not
// healthy.
func Explainable(gk schema.GroupKind) bool {
	switch gk {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}, schema.GroupKind{Group: "apps", Kind: "StatefulSet"},
		schema.GroupKind{Group: "apps", Kind: "DaemonSet"}, schema.GroupKind{Group: "batch", Kind: "Job"},
		schema.GroupKind{Kind: "Pod"}, schema.GroupKind{Kind: "PersistentVolumeClaim"}:
		return true
	}
	return false
}

// PodSelector selects the pods of a workload. It is nil for what has no pods, or is one.
func PodSelector(workload *unstructured.Unstructured) labels.Selector {
	content, found, err := unstructured.NestedMap(workload.Object, "spec", "selector")
	if err != nil || !found || !Explainable(workload.GroupVersionKind().GroupKind()) || workload.GroupVersionKind().Group == "" {
		return nil
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &selector); err != nil {
		return nil
	}
	s, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil || s.Empty() {
		return nil
	}
	return s
}

// AsPod is the object itself, if it is a pod.
func AsPod(obj *unstructured.Unstructured) *corev1.Pod {
	if obj.GroupVersionKind().GroupKind() != (schema.GroupKind{Kind: "Pod"}) {
		return nil
	}
	var p corev1.Pod
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &p); err != nil {
		return nil
	}
	return &p
}

// owns says whether a pod that the workload selects is its own. Between a Deployment and
// its pods stands a ReplicaSet whose name derives from both: so it need not be read.
func owns(workload *unstructured.Unstructured, p *corev1.Pod) bool {
	owner := metav1.GetControllerOf(p)
	if owner == nil {
		return false
	}
	if workload.GetKind() == "Deployment" {
		return owner.Kind == "ReplicaSet" && owner.Name == workload.GetName()+"-"+p.Labels["pod-template-hash"]
	}
	return owner.UID == workload.GetUID()
}

// Suspect picks the pod of a workload that explains best why it is not healthy; nil if
// no pod does.
func Suspect(workload *unstructured.Unstructured, candidates []corev1.Pod) *corev1.Pod {
	var found *corev1.Pod
	worst := 0
	for i := range candidates {
		p := &candidates[i]
		if p.DeletionTimestamp != nil || !owns(workload, p) {
			continue
		}
		// Of equals the newest: a rollout is stuck at the new revision.
		newer := found != nil && found.CreationTimestamp.Before(&p.CreationTimestamp)
		if rank := severity(p); rank > worst || (rank == worst && rank > 0 && newer) {
			found, worst = p, rank
		}
	}
	return found
}

// severity orders the troubles of pods by how much they tell; 0 is none.
func severity(p *corev1.Pod) int {
	r := pod(p)
	switch {
	case r.State == Healthy:
		return 0
	case r.State == Failed:
		return 4
	case slices.ContainsFunc(containers(p), func(s corev1.ContainerStatus) bool { _, trouble := containerTrouble(s); return trouble || crashed(s) }):
		return 4
	case unscheduled(p) != nil:
		return 3
	case p.Status.Phase == corev1.PodRunning:
		return 2
	}
	return 1
}

// crashed says whether a container was started again after it failed and is not ready.
func crashed(s corev1.ContainerStatus) bool {
	t := s.LastTerminationState.Terminated
	return !s.Ready && t != nil && t.ExitCode != 0 && s.State.Terminated == nil
}

func unscheduled(p *corev1.Pod) *corev1.PodCondition {
	if c := podCondition(p, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		return c
	}
	return nil
}

// Subject is an object whose events may tell more.
type Subject struct {
	Kind, Name string
	// UID tells it from another one of its name; empty where that is not known.
	UID types.UID
}

// maxSubjects bounds how many objects are asked about.
const maxSubjects = 2

// Subjects are the objects whose events help to explain a workload: itself where no pod
// does, else the pod or the claims that it waits for.
func Subjects(workload *unstructured.Unstructured, suspect *corev1.Pod) []Subject {
	switch {
	case suspect == nil:
		return []Subject{{Kind: workload.GetKind(), Name: workload.GetName(), UID: workload.GetUID()}}
	case unscheduled(suspect) != nil:
		var claims []Subject
		for _, v := range suspect.Spec.Volumes {
			if v.PersistentVolumeClaim != nil && len(claims) < maxSubjects {
				claims = append(claims, Subject{Kind: "PersistentVolumeClaim", Name: v.PersistentVolumeClaim.ClaimName})
			}
		}
		return claims
	case severity(suspect) < 4 || killed(suspect):
		return []Subject{{Kind: "Pod", Name: suspect.Name, UID: suspect.UID}}
	}
	return nil
}

// killed says whether a container of the pod ended by a signal from outside.
func killed(p *corev1.Pod) bool {
	return slices.ContainsFunc(containers(p), func(s corev1.ContainerStatus) bool {
		t := s.LastTerminationState.Terminated
		return crashed(s) && t.Reason != oomKilled && (t.ExitCode == 137 || t.ExitCode == 143)
	})
}

// newest returns the last thing that happened to one of the subjects, if it is trouble.
func newest(subjects []Subject, events []corev1.Event) *corev1.Event {
	var found *corev1.Event
	for i := range events {
		e := &events[i]
		if !slices.ContainsFunc(subjects, func(s Subject) bool { return about(e, s) }) {
			continue
		}
		if found == nil || seen(e).After(seen(found)) || (seen(e).Equal(seen(found)) && trouble(e)) {
			found = e
		}
	}
	if found == nil || !trouble(found) {
		return nil
	}
	return found
}

func about(e *corev1.Event, s Subject) bool {
	o := e.InvolvedObject
	return o.Kind == s.Kind && o.Name == s.Name && (s.UID == "" || o.UID == s.UID)
}

// trouble are warnings, and what the volume controller calls normal.
func trouble(e *corev1.Event) bool {
	return e.Type == corev1.EventTypeWarning || e.Reason == "FailedBinding"
}

func seen(e *corev1.Event) time.Time {
	at := e.LastTimestamp.Time
	if e.Series != nil && e.Series.LastObservedTime.After(at) {
		at = e.Series.LastObservedTime.Time
	}
	if e.EventTime.After(at) {
		at = e.EventTime.Time
	}
	return at
}

// said is what an event or a condition says, in one line without a full stop.
func said(text string) string {
	return strings.TrimRight(strings.Join(strings.Fields(text), " "), ". ")
}
