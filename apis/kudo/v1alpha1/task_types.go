// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Task is a single thing that a plan does. Exactly one of apply, delete, job,
// exec, wait, approve, patch, restart, instance and call is set.
type Task struct {
	// Name that steps refer to.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// Args are the names of arguments that a step gives with its `with`; templates see
	// them as .Args.<name>, expressions as args.<name>. Not yet supported.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=63
	Args []string `json:"args,omitempty"`

	TaskAction `json:",inline"`
}

// TaskAction is what a task does: exactly one of its fields is set.
type TaskAction struct {
	// Apply renders templates and applies the objects with server-side apply, then waits
	// until they are healthy.
	// +optional
	Apply *ApplyTask `json:"apply,omitempty"`
	// Delete deletes objects and waits until they are gone.
	// +optional
	Delete *DeleteTask `json:"delete,omitempty"`
	// Job runs a program to its end, once per attempt.
	// +optional
	Job *JobTask `json:"job,omitempty"`
	// Exec runs a command in a container. Not yet supported.
	// +optional
	Exec *ExecTask `json:"exec,omitempty"`
	// Wait waits until an expression is true, or for a time.
	// +optional
	Wait *WaitTask `json:"wait,omitempty"`
	// Approve waits for a person.
	// +optional
	Approve *ApproveTask `json:"approve,omitempty"`
	// Patch changes fields of an object of someone else's. Not yet supported.
	// +optional
	Patch *PatchTask `json:"patch,omitempty"`
	// Restart replaces a pod. Not yet supported.
	// +optional
	Restart *RestartTask `json:"restart,omitempty"`
	// Instance makes a child Instance. Not yet supported.
	// +optional
	Instance *InstanceTask `json:"instance,omitempty"`
	// Call is reserved for custom code. Not yet supported.
	// +optional
	// +kubebuilder:validation:XPreserveUnknownFields
	Call *apiextensionsv1.JSON `json:"call,omitempty"`
}

// ImmutablePolicy says what happens when the API server refuses to change an immutable field.
// +kubebuilder:validation:Enum=Fail;Recreate;Orphan
type ImmutablePolicy string

// The policies for immutable fields.
const (
	// ImmutableFail stalls the step with the API server's words.
	ImmutableFail ImmutablePolicy = "Fail"
	// ImmutableRecreate deletes the object and its dependants, then creates it anew.
	ImmutableRecreate ImmutablePolicy = "Recreate"
	// ImmutableOrphan deletes the object, leaves its dependants, then creates it anew.
	ImmutableOrphan ImmutablePolicy = "Orphan"
)

// ApplyTask renders templates and applies the objects.
type ApplyTask struct {
	// Templates to render, in this order. Objects are applied in the order of the
	// templates and of the documents within them.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Templates []string `json:"templates"`
	// Patches are kustomize patches over the rendered objects.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Patches []KustomizePatch `json:"patches,omitempty"`
	// ReadyWhen is a CEL expression over self (an applied object, with status) that says
	// when it is ready. It replaces the built-in rule of the object's kind. A missing
	// field means "not yet".
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	ReadyWhen string `json:"readyWhen,omitempty"`
	// OnImmutable says what happens when the API server refuses to change an immutable
	// field: Fail (default), Recreate or Orphan.
	// +optional
	OnImmutable ImmutablePolicy `json:"onImmutable,omitempty"`
}

// KustomizePatch is a strategic merge patch or a JSON 6902 patch.
type KustomizePatch struct {
	// Patch is the patch's text in YAML: a map is a strategic merge patch, a list a JSON
	// patch (RFC 6902). It is no template.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32768
	Patch string `json:"patch"`
	// Target selects the objects to patch. A strategic merge patch without a target
	// patches the object that it names.
	// +optional
	Target *PatchTarget `json:"target,omitempty"`
}

// PatchTarget selects objects; empty fields match everything.
type PatchTarget struct {
	// Group of the kind.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`
	// Version of the kind.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Version string `json:"version,omitempty"`
	// Kind to match.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind,omitempty"`
	// Name to match.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// DeleteTask deletes objects of the Instance and waits until they are gone.
type DeleteTask struct {
	// Templates whose objects are deleted, in reverse order.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Templates []string `json:"templates,omitempty"`
	// Objects is a CEL expression that yields a list of objects to delete. Only objects
	// of the Instance, objects that its objects own and claims of its StatefulSets are deleted.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Objects string `json:"objects,omitempty"`
	// Force deletes with grace period 0. Not yet supported.
	// +optional
	Force bool `json:"force,omitempty"`
}

// JobMode says what is known about a job whose outcome was lost.
// +kubebuilder:validation:Enum=Once;AtLeastOnce;AtMostOnce
type JobMode string

// The modes of jobs.
const (
	// JobOnce makes exactly one Job object per attempt.
	JobOnce JobMode = "Once"
	// JobAtLeastOnce repeats an attempt whose outcome was lost.
	JobAtLeastOnce JobMode = "AtLeastOnce"
	// JobAtMostOnce stalls when an outcome was lost.
	JobAtMostOnce JobMode = "AtMostOnce"
)

// JobTask runs a program to its end in a Job. Kudo names the Job, sets
// backoffLimit 0 and restartPolicy Never, and gives the program the variables
// PLAN_EXECUTION_ID and ATTEMPT, so that the program can recognise a repetition.
type JobTask struct {
	// Template that renders to one Job.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Template string `json:"template"`
	// Mode: Once (default): exactly one Job object per attempt. AtLeastOnce and AtMostOnce
	// are not yet supported.
	// +optional
	Mode JobMode `json:"mode,omitempty"`
}

// ExecTask runs a command in a container.
type ExecTask struct {
	// In is a CEL expression that yields the pod, or an optional one: none means wait.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	In string `json:"in,omitempty"`
	// Container within the pod; empty for the first.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Container string `json:"container,omitempty"`
	// Command and its arguments; they may hold ${CEL}.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=4096
	Command []string `json:"command,omitempty"`
	// Stdin is a Secret's key that the command reads.
	// +optional
	Stdin *SecretKey `json:"stdin,omitempty"`
	// Check says whether the command still has to run, or whether it worked.
	// +optional
	Check *ExecCheck `json:"check,omitempty"`
}

// ExecCheck says whether a command still has to run, or whether it worked.
type ExecCheck struct {
	// Command and its arguments; they may hold ${CEL}.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=4096
	Command []string `json:"command,omitempty"`
	// Parse says how to read the output.
	// +optional
	// +kubebuilder:validation:Enum=json;lines;text
	Parse string `json:"parse,omitempty"`
	// Done is a CEL expression over result.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Done string `json:"done"`
}

// WaitTask waits until an expression is true, or for a time.
type WaitTask struct {
	// Until is a CEL expression over params, instance and observed objects. A missing
	// field or object means "not yet".
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Until string `json:"until,omitempty"`
	// For is how long to wait, counted from the start of the task.
	// +optional
	For *metav1.Duration `json:"for,omitempty"`
}

// ApproveTask waits for a person.
type ApproveTask struct {
	// Message says what is to be approved. ${CEL} in it is not yet supported.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message"`
	// OnTimeout says what happens when nobody answers within the step's timeout: Stall
	// (default; it can still be approved) or Fail, which ends the execution as Failed.
	// +optional
	// +kubebuilder:validation:Enum=Stall;Fail
	OnTimeout string `json:"onTimeout,omitempty"`
}

// PatchTask changes fields of an object of someone else's.
type PatchTask struct {
	// APIVersion of the object.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	APIVersion string `json:"apiVersion"`
	// Kind of the object.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// Name of the object; it may hold ${CEL}.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Name string `json:"name"`
	// Patch holds the fields to set; strings may hold ${CEL}.
	// +kubebuilder:validation:XPreserveUnknownFields
	Patch apiextensionsv1.JSON `json:"patch"`
}

// RestartTask replaces a pod.
type RestartTask struct {
	// Pod is the pod's name; it may hold ${CEL}.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Pod string `json:"pod"`
	// Method: Evict (default) respects PodDisruptionBudgets, Delete does not.
	// +optional
	// +kubebuilder:validation:Enum=Evict;Delete
	Method string `json:"method,omitempty"`
}

// InstanceTask makes a child Instance.
type InstanceTask struct {
	// Framework of the child.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Framework string `json:"framework"`
	// Version of the child.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Version string `json:"version"`
	// Parameters of the child; strings may hold ${CEL}.
	// +optional
	// +kubebuilder:validation:XPreserveUnknownFields
	Parameters *apiextensionsv1.JSON `json:"parameters,omitempty"`
}
