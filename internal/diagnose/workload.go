// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/health"
)

// workloads explains the first object that is not healthy; nil if all are. What the task
// says itself is repeated where its object tells no more.
func (d *diagnosis) workloads(s *v1alpha1.TaskStatus, said string) *finding {
	var found *finding
	for i := range d.Workloads {
		w := &d.Workloads[i]
		if w.Object.GetDeletionTimestamp() == nil && health.Of(w.Object).State == health.Healthy {
			continue
		}
		f := d.workload(w, deadline(s))
		if found == nil || (found.cause == Unknown && f.cause != Unknown) {
			found = f
		}
	}
	if found != nil && found.cause == Unknown && said != "" {
		found.summary = said
	}
	return found
}

// workload explains an object that is not healthy.
func (d *diagnosis) workload(w *Workload, since time.Time) *finding {
	o := w.Object
	kind, name := o.GetKind(), o.GetName()
	r := health.Of(o)
	link := Link{Object: kind + " " + name, State: string(r.State), Message: strings.TrimPrefix(r.Message, kind+" "+name+": ")}
	if o.GetDeletionTimestamp() != nil {
		return d.terminating(o).below(link)
	}
	if kind == "PersistentVolumeClaim" && len(w.Claims) > 0 {
		return d.claim(w, &w.Claims[0], since)
	}
	if suspect := suspect(w); suspect != nil {
		f := d.pod(w, suspect, since)
		if kind != "Pod" {
			f.below(link)
		}
		return f
	}
	if f := d.noPods(w, since); f != nil {
		return f.below(link)
	}
	f := &finding{cause: Unknown, summary: r.Message}
	switch r.Reason {
	case health.ReasonNotObserved:
		f.cause = ControllerBehind
		f.next = []Command{anywhere("does the controller of its kind run?", "-n kube-system get pods")}
	case health.ReasonSuspended:
		f.cause = Suspended
		f.next = []Command{d.kubectl("who suspended it?", "get %s -o yaml --show-managed-fields", resource(kind, name))}
	}
	if kind == "Job" && r.State == health.Failed {
		f.cause = JobFailed
		f.next = []Command{d.kudo("logs", "", "what did its program say?")}
	}
	return f.below(link)
}

// terminating names what holds an object that is being deleted.
func (d *diagnosis) terminating(o *unstructured.Unstructured) *finding {
	var foreign []string
	for _, f := range o.GetFinalizers() {
		if f != "foregroundDeletion" && f != "orphan" {
			foreign = append(foreign, f)
		}
	}
	if len(foreign) > 0 {
		return d.finalizer(o.GetKind(), o, foreign)
	}
	return &finding{
		cause: Terminating,
		summary: fmt.Sprintf("%s %s was deleted %s ago; what it owns is not gone yet",
			o.GetKind(), o.GetName(), ago(d.Now.Sub(o.GetDeletionTimestamp().Time))),
		next: []Command{d.kubectl("which of its pods still end?", "get pods,persistentvolumeclaims")},
	}
}

// suspect is the pod that tells most.
func suspect(w *Workload) *corev1.Pod {
	if p := health.AsPod(w.Object); p != nil {
		return p
	}
	return health.Suspect(w.Object, w.Pods)
}

// noPods explains a workload whose pods can not even be made: the events of what makes them
// say why, and so does a condition of a Deployment.
func (d *diagnosis) noPods(w *Workload, since time.Time) *finding {
	makers := []subject{{kind: w.Object.GetKind(), name: w.Object.GetName(), uid: w.Object.GetUID()}}
	for _, s := range w.Sets {
		makers = append(makers, subject{kind: s.GetKind(), name: s.GetName(), uid: s.GetUID()})
	}
	for _, m := range makers {
		e := latest(w.Events, m, since)
		if e == nil {
			continue
		}
		f := d.said(oneLine(e.Message))
		f.chain = append([]Link{d.link(e)}, f.chain...)
		return f
	}
	if text := replicaFailure(w.Object); text != "" {
		f := d.said(text)
		f.chain = append([]Link{{Object: "condition ReplicaFailure", State: "True", Message: text}}, f.chain...)
		return f
	}
	return nil
}

func replicaFailure(o *unstructured.Unstructured) string {
	conditions, _, err := unstructured.NestedSlice(o.Object, "status", "conditions")
	if err != nil {
		return ""
	}
	for _, item := range conditions {
		if c, ok := item.(map[string]any); ok && c["type"] == "ReplicaFailure" && c["status"] == "True" {
			text, _, _ := unstructured.NestedString(c, "message")
			return oneLine(text)
		}
	}
	return ""
}

// said finds the cause in the words of an event about a workload, a pod or a claim.
func (d *diagnosis) said(text string) *finding {
	f := d.words(&finding{summary: text})
	if f.cause != Unknown {
		return f
	}
	lower := strings.ToLower(text)
	switch {
	case strings.Contains(lower, "serviceaccount") && strings.Contains(lower, "not found"):
		f.cause = ConfigMissing
		f.next = []Command{d.kubectl("make the account that its pods name", "get serviceaccounts")}
	default:
		f.cause, f.next = Unknown, nil
	}
	return f
}

// claim explains a volume claim that is not bound.
func (d *diagnosis) claim(w *Workload, c *corev1.PersistentVolumeClaim, since time.Time) *finding {
	class := "no storage class"
	if c.Spec.StorageClassName != nil && *c.Spec.StorageClassName != "" {
		class = "the storage class " + *c.Spec.StorageClassName
	}
	f := &finding{
		cause:   VolumePending,
		summary: fmt.Sprintf("the volume claim %s is %s (it names %s)", c.Name, cmp.Or(string(c.Status.Phase), "Pending"), class),
		next: []Command{
			d.kubectl("what does it wait for?", "describe persistentvolumeclaim %s", c.Name),
			anywhere("which storage classes are there?", "get storageclasses"),
		},
	}
	if c.DeletionTimestamp != nil {
		f.summary = fmt.Sprintf("the volume claim %s is being deleted", c.Name)
	}
	f.chain = []Link{{Object: "PersistentVolumeClaim " + c.Name, State: cmp.Or(string(c.Status.Phase), "Pending"), Message: "names " + class}}
	if e := latest(w.Events, subject{kind: "PersistentVolumeClaim", name: c.Name, uid: c.UID}, since); e != nil {
		f.chain = append(f.chain, d.link(e))
		f.summary += ": " + oneLine(e.Message)
	}
	return f
}
