// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// PlanExecution is one run of one plan of one Instance, with its whole history
// in status. Kudo creates one when an Instance changes; create one yourself to
// run a plan by hand.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=pe,categories=kudo
// +kubebuilder:printcolumn:name="Instance",type=string,JSONPath=`.spec.instance`
// +kubebuilder:printcolumn:name="Plan",type=string,JSONPath=`.spec.plan`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Progress",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].message`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.program.version`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="metadata.name must be at most 63 characters: its jobs carry it as a label"
type PlanExecution struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what to run.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.instance == oldSelf.instance && self.plan == oldSelf.plan && has(self.trigger) == has(oldSelf.trigger) && (!has(self.trigger) || self.trigger == oldSelf.trigger)",message="instance, plan and trigger can not be changed: create another PlanExecution"
	Spec PlanExecutionSpec `json:"spec"`
	// Status is the truth about the run. Only Kudo may write it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status PlanExecutionStatus `json:"status,omitempty"`
}

// PlanExecutionList is a list of PlanExecutions.
//
// +kubebuilder:object:root=true
type PlanExecutionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PlanExecution `json:"items"`
}

// PlanExecutionSpec says what to run.
type PlanExecutionSpec struct {
	// Instance, in the same namespace, whose plan to run.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Instance string `json:"instance"`
	// Plan to run, one of the Instance's version.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Plan string `json:"plan"`
	// Trigger says what made the run. Kudo sets it on its own executions; leave it empty.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Trigger string `json:"trigger,omitempty"`
	// Parameters of the run, as the plan declares them. Not yet supported.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
	// Preempt lets this run end a stalled one and take its place.
	// +optional
	Preempt bool `json:"preempt,omitempty"`
	// Requests steer the run. Append only: each is carried out once.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=64
	Requests []Request `json:"requests,omitempty"`
}

// The actions of requests.
const (
	// ActionPause lets nothing more start; what is in flight goes on.
	ActionPause = "pause"
	// ActionResume takes a pause back.
	ActionResume = "resume"
	// ActionCancel ends the run.
	ActionCancel = "cancel"
	// ActionApprove lets a step go on that waits for approval.
	ActionApprove = "approve"
	// ActionRetry starts the next attempt of what stalled, or runs again from a step that ended.
	ActionRetry = "retry"
	// ActionSkip goes on without a phase or step.
	ActionSkip = "skip"
	// ActionForceComplete takes a phase, a step or the run for done.
	ActionForceComplete = "forceComplete"
)

// The modes of a cancel.
const (
	// CancelUndo takes back what was started, then ends.
	CancelUndo = "Undo"
	// CancelForce ends at once.
	CancelForce = "Force"
)

// Request asks a running execution for something.
// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.action == 'cancel'",message="mode is only for the action cancel"
// +kubebuilder:validation:XValidation:rule="self.action != 'cancel' || !has(self.path) || size(self.path) == 0",message="cancel ends the whole run: leave path empty, or skip a part of it"
type Request struct {
	// ID is yours to choose and unique within the execution.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	ID string `json:"id"`
	// Action to carry out: pause, resume, cancel, approve, retry, skip or forceComplete.
	// +kubebuilder:validation:Enum=pause;resume;cancel;approve;retry;skip;forceComplete
	Action string `json:"action"`
	// Path of the phase, step or task that is meant, for example deploy/nodes; empty for
	// all of the execution. Not for cancel.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Path string `json:"path,omitempty"`
	// Mode of a cancel. Empty: the run ends at its next safe point and leaves what it did.
	// Undo: it takes back what it started, then ends. Force: it ends at once, also while a
	// job runs; what is in flight stays unknown.
	// +optional
	// +kubebuilder:validation:Enum=Undo;Force
	Mode string `json:"mode,omitempty"`
	// Reason, for the record.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason,omitempty"`
	// By is the user who asks. Kudo sets it.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	By string `json:"by,omitempty"`
}

// RunState is the state of an execution or of a part of it.
// +kubebuilder:validation:Enum=Pending;Running;Stalled;Succeeded;Failed;Cancelled;Skipped
type RunState string

// The states of executions, phases, steps and tasks.
const (
	// RunPending: not started yet.
	RunPending RunState = "Pending"
	// RunRunning: under way.
	RunRunning RunState = "Running"
	// RunStalled: failed or in need of a person; it still holds the Instance.
	RunStalled RunState = "Stalled"
	// RunSucceeded: done. Terminal.
	RunSucceeded RunState = "Succeeded"
	// RunFailed: given up. Terminal.
	RunFailed RunState = "Failed"
	// RunCancelled: ended before it was done. Terminal.
	RunCancelled RunState = "Cancelled"
	// RunSkipped: its condition was false. Terminal; not for executions.
	RunSkipped RunState = "Skipped"
)

// Terminal says whether nothing can follow this state.
func (s RunState) Terminal() bool {
	switch s {
	case RunSucceeded, RunFailed, RunCancelled, RunSkipped:
		return true
	case RunPending, RunRunning, RunStalled:
	}
	return false
}

// PausedAll stands in status.paused for all of the execution.
const PausedAll = "*"

// PlanExecutionStatus is the truth about a run. Derived from the rest are only
// progress and conditions.
type PlanExecutionStatus struct {
	// ObservedGeneration is the generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Succeeded; Reconciling and Stalled as in kstatus; Waiting until the
	// Instance admits the execution; Paused while a person holds it.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// State of the run.
	// +optional
	State RunState `json:"state,omitempty"`
	// Reason for the state, in CamelCase.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says what happened and what to do, in at most 1 kB.
	// +optional
	Message string `json:"message,omitempty"`
	// Progress is how many of all steps succeeded or were skipped, for people, for example "2/5".
	// +optional
	Progress string `json:"progress,omitempty"`
	// Epoch with which the Instance admitted this execution.
	// +optional
	Epoch int64 `json:"epoch,omitempty"`
	// InstanceUID is the UID of the Instance that admitted this execution.
	// +optional
	InstanceUID types.UID `json:"instanceUID,omitempty"`
	// Program pins what runs.
	// +optional
	Program *ProgramReference `json:"program,omitempty"`
	// Inputs names the ControllerRevision that pins the inputs.
	// +optional
	Inputs string `json:"inputs,omitempty"`
	// Applied names the ControllerRevision that holds the content at rest after this run.
	// +optional
	Applied string `json:"applied,omitempty"`
	// StartedAt is when the run started.
	// +optional
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
	// FinishedAt is when the run ended.
	// +optional
	FinishedAt *metav1.MicroTime `json:"finishedAt,omitempty"`
	// Phases of the run.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Phases []PhaseStatus `json:"phases,omitempty"`
	// Pruned lists objects that the run removes because nothing renders them any more.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	Pruned []ObjectReference `json:"pruned,omitempty"`
	// Contents are the digests of Secrets and ConfigMaps that were not there when the run
	// was pinned, as they were when pods that consume them were first applied.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	Contents []ContentDigest `json:"contents,omitempty"`
	// Outputs are the values of the version's outputs at the end of the run, by name.
	// +optional
	Outputs map[string]apiextensionsv1.JSON `json:"outputs,omitempty"`
	// Paused lists the paths below which nothing more starts; "*" is all of the execution.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Paused []string `json:"paused,omitempty"`
	// Ending says that the run is to end before it is done.
	// +optional
	Ending *RunEnding `json:"ending,omitempty"`
	// FollowedBy names the plan that runs because this one failed.
	// +optional
	FollowedBy string `json:"followedBy,omitempty"`
	// Requests are the answers to spec.requests.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=64
	Requests []RequestStatus `json:"requests,omitempty"`
}

// ProgramReference pins what runs.
type ProgramReference struct {
	// Version of the framework.
	Version string `json:"version"`
	// FrameworkVersion is the object's name.
	FrameworkVersion string `json:"frameworkVersion"`
	// Digest of the FrameworkVersion's spec.
	Digest string `json:"digest"`
	// Desired is the digest of all that the Instance wanted when the run started.
	// +optional
	Desired string `json:"desired,omitempty"`
	// Account as which the run applies.
	// +optional
	Account string `json:"account,omitempty"`
	// Generation of the Instance when the run was pinned.
	// +optional
	Generation int64 `json:"generation,omitempty"`
	// Lifecycle says that the plan applies or deletes objects.
	// +optional
	Lifecycle bool `json:"lifecycle,omitempty"`
	// Shared says that the plan runs beside others.
	// +optional
	Shared bool `json:"shared,omitempty"`
}

// RunEnding says how a run ends that is not done.
type RunEnding struct {
	// State in which it ends: Cancelled or Failed.
	State RunState `json:"state"`
	// Reason for the end, in CamelCase.
	Reason string `json:"reason"`
	// Message says who or what ended it.
	// +optional
	Message string `json:"message,omitempty"`
	// Undo says that what was started is taken back first.
	// +optional
	Undo bool `json:"undo,omitempty"`
	// Force says that not even a running job is waited for.
	// +optional
	Force bool `json:"force,omitempty"`
}

// NodeStatus is what phases, steps and tasks have in common.
type NodeStatus struct {
	// State of this part.
	State RunState `json:"state"`
	// Reason for the state, in CamelCase.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says what happened and what to do, in at most 1 kB.
	// +optional
	Message string `json:"message,omitempty"`
	// StartedAt is when this part started.
	// +optional
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
	// FinishedAt is when this part ended.
	// +optional
	FinishedAt *metav1.MicroTime `json:"finishedAt,omitempty"`
}

// PhaseStatus is the history of a phase.
type PhaseStatus struct {
	// Name of the phase.
	Name       string `json:"name"`
	NodeStatus `json:",inline"`
	// Steps of the phase.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Steps []StepStatus `json:"steps,omitempty"`
}

// StepStatus is the history of a step.
type StepStatus struct {
	// Name of the step.
	Name       string `json:"name"`
	NodeStatus `json:",inline"`
	// Tasks of the step.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Tasks []TaskStatus `json:"tasks,omitempty"`
	// Undo are the tasks that take the step back, once they have started.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Undo []TaskStatus `json:"undo,omitempty"`
}

// TaskStatus is the history of a task within a step.
type TaskStatus struct {
	// Name of the task.
	Name       string `json:"name"`
	NodeStatus `json:",inline"`
	// Attempt that runs or ran last, counted from 1.
	// +optional
	Attempt int32 `json:"attempt,omitempty"`
	// AttemptAt is when that attempt started.
	// +optional
	AttemptAt *metav1.MicroTime `json:"attemptAt,omitempty"`
	// RetryAt is when the next attempt starts.
	// +optional
	RetryAt *metav1.MicroTime `json:"retryAt,omitempty"`
	// ProgressAt is when the message of a running attempt last changed.
	// +optional
	ProgressAt *metav1.MicroTime `json:"progressAt,omitempty"`
	// LogTail is the end of the log of a container that failed in the last attempt, in at
	// most 4,096 bytes.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	LogTail string `json:"logTail,omitempty"`
	// Objects that the task is about to write, or wrote. They stand here before anything
	// is written, so that a crash leaks nothing.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	Objects []ObjectReference `json:"objects,omitempty"`
}

// ObjectReference names an object that a run writes.
type ObjectReference struct {
	// APIVersion of the object.
	APIVersion string `json:"apiVersion"`
	// Kind of the object.
	Kind string `json:"kind"`
	// Namespace of the object; empty for cluster-scoped ones.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Name of the object.
	Name string `json:"name"`
	// UID of the object, once it is known.
	// +optional
	UID types.UID `json:"uid,omitempty"`
}

// ContentDigest says, without a value, what pods found in a Secret or ConfigMap.
type ContentDigest struct {
	// Kind: Secret or ConfigMap.
	// +kubebuilder:validation:Enum=Secret;ConfigMap
	Kind string `json:"kind"`
	// Name of the object.
	Name string `json:"name"`
	// Keys that pods consume; empty for all.
	// +optional
	// +listType=atomic
	Keys []string `json:"keys,omitempty"`
	// Digest is the SHA-256 of their values.
	Digest string `json:"digest"`
	// UID of the object.
	UID types.UID `json:"uid"`
	// ResourceVersion of the object.
	ResourceVersion string `json:"resourceVersion"`
}

// RequestStatus is the answer to a request.
type RequestStatus struct {
	// ID of the request.
	ID string `json:"id"`
	// State: Done, or Refused with a message.
	// +kubebuilder:validation:Enum=Done;Refused
	State string `json:"state"`
	// Message says what was done or why not.
	// +optional
	Message string `json:"message,omitempty"`
	// At is when it was answered.
	At metav1.MicroTime `json:"at"`
}
