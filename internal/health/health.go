// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package health says whether an object is what its spec asks for. It follows
// the rules of kstatus, and is stricter where an orchestrator must not go on too
// early: what a controller has not observed is never healthy, a Job is healthy
// once it has completed, and conditions of an older generation do not count.
//
// It knows failures that waiting does not cure (a failed Job, an exceeded
// progress deadline) from trouble that may pass (a crashing container): the
// latter is Progressing, with a message that names it. The package is pure.
package health

import (
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// State is the health of an object.
type State string

// The states.
const (
	// Healthy objects are what their spec asks for.
	Healthy State = "Healthy"
	// Progressing objects are not, but may become so.
	Progressing State = "Progressing"
	// Failed objects will not become healthy by waiting.
	Failed State = "Failed"
	// Gone objects do not exist, or are being deleted.
	Gone State = "Gone"
)

// Result is the health of an object. The message names it and says what is
// wrong, for example "StatefulSet zk: 1 of 3 pods ready".
type Result struct {
	State   State
	Reason  string
	Message string
}

// Reasons of a Result that are not those of the object's own conditions.
const (
	// ReasonHealthy: nothing is wrong.
	ReasonHealthy = "Healthy"
	// ReasonTerminating: the object is being deleted.
	ReasonTerminating = "Terminating"
	// ReasonNotFound: there is no object.
	ReasonNotFound = "NotFound"
	// ReasonNotObserved: the controller has not seen the newest spec.
	ReasonNotObserved = "NotObserved"
	// ReasonUnreadable: the object does not have the form of its kind.
	ReasonUnreadable = "Unreadable"
	// ReasonPods: pods are missing, too many, not updated or not ready.
	ReasonPods = "PodsNotReady"
	// ReasonSuspended: the object is suspended or paused.
	ReasonSuspended = "Suspended"
	// ReasonPending: something that the object needs does not exist yet.
	ReasonPending = "Pending"
	// ReasonInProgress: the object's conditions say that it is not ready.
	ReasonInProgress = "InProgress"
	// ReasonFailed: the object says that it failed, without a reason.
	ReasonFailed = "Failed"
)

// rules by kind. All other kinds follow kstatus.
var rules = map[schema.GroupKind]func(*unstructured.Unstructured) Result{
	{Group: "apps", Kind: "Deployment"}:                               typed(deployment),
	{Group: "apps", Kind: "StatefulSet"}:                              typed(statefulSet),
	{Group: "apps", Kind: "DaemonSet"}:                                typed(daemonSet),
	{Group: "batch", Kind: "Job"}:                                     typed(job),
	{Kind: "Pod"}:                                                     typed(pod),
	{Kind: "PersistentVolumeClaim"}:                                   typed(claim),
	{Kind: "Service"}:                                                 typed(service),
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: typed(definition),
	{Group: "kudo.dev", Kind: "Instance"}:                             typed(instance),
}

// Of says how an object is. The object is not changed.
func Of(obj *unstructured.Unstructured) Result {
	if obj == nil || obj.Object == nil {
		return Result{State: Gone, Reason: ReasonNotFound, Message: "the object does not exist"}
	}
	r := judge(obj)
	r.Message = fmt.Sprintf("%s %s: %s", obj.GetKind(), obj.GetName(), r.Message)
	return r
}

func judge(obj *unstructured.Unstructured) Result {
	if obj.GetDeletionTimestamp() != nil {
		return Result{State: Gone, Reason: ReasonTerminating, Message: "is being deleted"}
	}
	if rule, ok := rules[obj.GroupVersionKind().GroupKind()]; ok {
		return rule(obj)
	}
	return generic(obj)
}

// typed makes a rule of a function of the kind's Go type.
func typed[T any](rule func(*T) Result) func(*unstructured.Unstructured) Result {
	return func(obj *unstructured.Unstructured) Result {
		var v T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &v); err != nil {
			return progressing(ReasonUnreadable, "its content does not have the form of its kind")
		}
		return rule(&v)
	}
}

// generic follows kstatus: Ready, Reconciling, Stalled and observedGeneration.
// An object without any of them is healthy.
func generic(obj *unstructured.Unstructured) Result {
	if stale(obj) {
		return notObserved()
	}
	computed, err := status.Compute(obj)
	if err != nil {
		return progressing(ReasonUnreadable, "its status cannot be read")
	}
	reason, message := "", computed.Message
	for _, c := range computed.Conditions {
		if c.Reason != "" {
			reason = c.Reason
		}
	}
	switch computed.Status {
	case status.CurrentStatus:
		return healthy("is ready")
	case status.FailedStatus:
		return failed(either(reason, ReasonFailed), either(message, "says that it failed"))
	case status.TerminatingStatus, status.NotFoundStatus:
		return Result{State: Gone, Reason: ReasonTerminating, Message: "is being deleted"}
	default:
		return progressing(either(reason, ReasonInProgress), "%s", either(message, "is not ready"))
	}
}

// stale is true if the condition Ready speaks about an older generation.
func stale(obj *unstructured.Unstructured) bool {
	conditions, _, err := unstructured.NestedSlice(obj.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, item := range conditions {
		c, ok := item.(map[string]any)
		if !ok || c["type"] != "Ready" {
			continue
		}
		if observed, ok := c["observedGeneration"].(int64); ok && observed < obj.GetGeneration() {
			return true
		}
	}
	return false
}

func healthy(format string, args ...any) Result {
	return Result{State: Healthy, Reason: ReasonHealthy, Message: fmt.Sprintf(format, args...)}
}

func progressing(reason, format string, args ...any) Result {
	return Result{State: Progressing, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func failed(reason, message string) Result {
	return Result{State: Failed, Reason: reason, Message: message}
}

func notObserved() Result {
	return progressing(ReasonNotObserved, "its controller has not seen the newest spec yet")
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
