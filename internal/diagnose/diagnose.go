// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package diagnose says why an Instance is stuck: it follows what was read from the Instance
// over its execution, step, object and pod to the event behind it, names the cause, and says
// what to run next. The package is pure: who reads, and with which rights, is not its matter.
package diagnose

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Evidence is what could be read about an Instance.
type Evidence struct {
	// Now is when it was read.
	Now time.Time
	// Instance that is looked at.
	Instance *v1alpha1.Instance
	// Executions of the Instance.
	Executions []v1alpha1.PlanExecution
	// Version that the Instance names; nil if it is not there or may not be read.
	Version *v1alpha1.FrameworkVersion
	// Workloads are the objects of the tasks that do not go on, with what belongs to them.
	Workloads []Workload
	// Gaps are what the user may not read.
	Gaps []Gap
}

// Workload is an object of the Instance as it is now, and what tells how it is.
type Workload struct {
	// Object itself.
	Object *unstructured.Unstructured
	// Pods that it selects.
	Pods []corev1.Pod
	// Claims that its pods use, or itself.
	Claims []corev1.PersistentVolumeClaim
	// Sets stand between a Deployment and its pods.
	Sets []*unstructured.Unstructured
	// Events of all of these.
	Events []corev1.Event
}

// Gap is something that could not be read, which may hide the cause.
type Gap struct {
	// What could not be read, for example "events in the namespace prod".
	What string `json:"what"`
	// Right that is missing, for example "list events"; empty if it failed otherwise.
	Right string `json:"right,omitempty"`
	// Message is the API server's.
	Message string `json:"message,omitempty"`
}

// Report is the answer.
type Report struct {
	// Cause is the kind of what is wrong; None if nothing is.
	Cause Cause `json:"cause"`
	// Summary names the cause in one sentence.
	Summary string `json:"summary"`
	// Chain leads from the Instance to the cause.
	Chain []Link `json:"chain"`
	// Next are the commands to run, in this order.
	Next []Command `json:"next,omitempty"`
	// Others do not go on either.
	Others []string `json:"others,omitempty"`
	// Gaps are what the user may not read.
	Gaps []Gap `json:"gaps,omitempty"`
}

// Link is one object of the chain.
type Link struct {
	// Object, for example "Pod zk-1".
	Object string `json:"object"`
	// State of it, in a word.
	State string `json:"state,omitempty"`
	// Message says more.
	Message string `json:"message,omitempty"`
}

// Command is something to run.
type Command struct {
	// Run is the command line.
	Run string `json:"run"`
	// Why to run it.
	Why string `json:"why"`
}

// finding is what a rule found at some point of the chain.
type finding struct {
	cause   Cause
	summary string
	chain   []Link
	next    []Command
}

// below puts a link before what was found.
func (f *finding) below(l Link) *finding {
	f.chain = append([]Link{l}, f.chain...)
	return f
}

// Explain says why an Instance does not go on.
func Explain(e *Evidence) Report {
	d := &diagnosis{Evidence: e}
	f := d.instance()
	for i, l := range f.chain {
		f.chain[i] = Link{Object: l.Object, State: oneLine(l.State), Message: oneLine(l.Message)}
	}
	for i := range d.others {
		d.others[i] = oneLine(d.others[i])
	}
	return Report{Cause: f.cause, Summary: oneLine(f.summary), Chain: f.chain, Next: f.next, Others: d.others, Gaps: e.Gaps}
}

type diagnosis struct {
	*Evidence

	others []string
}
