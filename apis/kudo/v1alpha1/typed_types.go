// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TypedStatus is the status of an object of a generated kind: that of its Instance, and
// how far its plan is.
type TypedStatus struct {
	// ObservedGeneration is the generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions are those of the Instance.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Version that runs: that of the last completed lifecycle run.
	// +optional
	Version string `json:"version,omitempty"`
	// Plan is the newest plan and its state, for people, for example "update: Running".
	// +optional
	Plan string `json:"plan,omitempty"`
	// Outputs are the values that the version declares as outputs, by name.
	// +optional
	Outputs map[string]apiextensionsv1.JSON `json:"outputs,omitempty"`
	// Instance is the name of the Instance that was made from this object.
	// +optional
	Instance string `json:"instance,omitempty"`
	// Replicas is the replicas parameter as it was last rolled out.
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`
	// Selector selects the pods, for autoscalers.
	// +optional
	Selector string `json:"selector,omitempty"`
	// Execution is the run of a plan that is under way.
	// +optional
	Execution *TypedExecution `json:"execution,omitempty"`
}

// TypedExecution is how far the run of a plan is.
type TypedExecution struct {
	// Name of the PlanExecution.
	Name string `json:"name"`
	// Plan that it runs.
	Plan string `json:"plan"`
	// State of the run: Pending, Running or Stalled.
	State RunState `json:"state"`
	// Phase that it is in.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Step that it is in.
	// +optional
	Step string `json:"step,omitempty"`
	// StepsDone is how many steps succeeded or were skipped.
	// +optional
	StepsDone int32 `json:"stepsDone,omitempty"`
	// StepsTotal is how many steps there are.
	// +optional
	StepsTotal int32 `json:"stepsTotal,omitempty"`
	// Message says what the step waits for, or what to do.
	// +optional
	Message string `json:"message,omitempty"`
}
