// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Instance is one running copy of a framework. Change its version or its
// parameters and Kudo runs the plan that takes it there.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=inst,categories=kudo
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Framework",type=string,JSONPath=`.spec.framework`,priority=1
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="Plan",type=string,JSONPath=`.status.plan`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be at most 40 characters: lower-case letters, digits and '-', starting with a letter (names of its objects derive from it)"
type Instance struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what the user wants.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.framework == oldSelf.framework",message="framework can not be changed: create another Instance"
	Spec InstanceSpec `json:"spec"`
	// Status is what Kudo observed. It is a cache: wiped, it comes back.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status InstanceStatus `json:"status,omitempty"`
}

// InstanceList is a list of Instances.
//
// +kubebuilder:object:root=true
type InstanceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Instance `json:"items"`
}

// DriftPolicy says what happens when someone changes an object of an Instance.
// +kubebuilder:validation:Enum=Correct;Report;Ignore
type DriftPolicy string

// The drift policies.
const (
	// DriftCorrect puts the object back.
	DriftCorrect DriftPolicy = "Correct"
	// DriftReport says so in a condition and an event.
	DriftReport DriftPolicy = "Report"
	// DriftIgnore does nothing.
	DriftIgnore DriftPolicy = "Ignore"
)

// DeletionPolicy says what happens to data when an Instance is deleted.
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionRetain keeps volume claims, namespaces and CRDs.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionDelete removes them too.
	DeletionDelete DeletionPolicy = "Delete"
)

// ContentIgnore is the value of onContentChange that runs no plan.
const ContentIgnore = "Ignore"

// InstanceSpec is what the user wants.
type InstanceSpec struct {
	// Framework names the Framework to run.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Framework string `json:"framework"`
	// Version of the framework, for example 3.8.4. Changing it runs the upgrade plan of
	// the new version.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:MinLength=1
	Version string `json:"version"`
	// Parameters by name. What is not set takes the version's default.
	// +optional
	// +kubebuilder:validation:MaxProperties=512
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
	// ServiceAccountName names the account of this namespace as which all objects are
	// applied. It needs the rules in the FrameworkVersion's status. To name it, you must be
	// allowed to impersonate it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ServiceAccountName string `json:"serviceAccountName"`
	// Suspend keeps Kudo from starting executions. A running one goes on.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
	// Adopt lets Kudo take over objects of this namespace that it did not create but that
	// have the names of its own.
	// +optional
	Adopt bool `json:"adopt,omitempty"`
	// DriftPolicy says what happens when someone changes or removes an object of this
	// Instance, or a field of one that Kudo set: Correct (default) puts it back, Report
	// says so in a condition and an event, Ignore does nothing.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`
	// IgnoreFields lists fields that are left to others, at rest and by plans.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	IgnoreFields []IgnoreField `json:"ignoreFields,omitempty"`
	// OnContentChange names the plan that runs when a Secret or ConfigMap changes that pods
	// consume and that this Instance does not render; "Ignore" runs none. Not set: what the
	// version says.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	OnContentChange string `json:"onContentChange,omitempty"`
	// DeletionPolicy: Retain (default) keeps volume claims when the Instance is deleted.
	// Delete is not yet supported; a cleanup plan can delete what it names.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
	// HistoryLimit is how many ended executions of each plan are kept. Default 10. The
	// newest of each plan, and the one behind the current state, are always kept.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	HistoryLimit *int32 `json:"historyLimit,omitempty"`
	// CleanupTimeout is how long the deletion of the Instance may wait for its cleanup
	// plan. After it, what is left is reported and the Instance goes. Default 1h.
	// +optional
	CleanupTimeout *metav1.Duration `json:"cleanupTimeout,omitempty"`
}

// IgnoreField names a field that others own.
type IgnoreField struct {
	// Group of the kind.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`
	// Kind of the object.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// Name of the object; empty for all.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// Path of the field as a JSON pointer, for example /spec/replicas. What is below it is
	// ignored too. Items of lists are counted as the template has them.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Path string `json:"path"`
}

// InstanceStatus is what Kudo observed of an Instance.
type InstanceStatus struct {
	// ObservedGeneration is the generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready; Reconciling and Stalled as in kstatus; Waiting while something
	// that the Instance refers to does not exist; Drifted while something that others
	// changed is not put back.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Active is the execution that holds this Instance. It is the only admission: an
	// execution that is not named here does nothing.
	// +optional
	Active *ActiveExecution `json:"active,omitempty"`
	// Shared lists running executions of plans that may run beside others.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Shared []ActiveExecution `json:"shared,omitempty"`
	// Epoch is the highest epoch that an execution was admitted with.
	// +optional
	Epoch int64 `json:"epoch,omitempty"`
	// Plan is the newest plan and its state, for people, for example "update: Running".
	// +optional
	Plan string `json:"plan,omitempty"`
	// Version that the Instance runs: that of the last completed lifecycle run.
	// +optional
	Version string `json:"version,omitempty"`
	// Outputs are the values that the version declares as outputs, by name, as the last
	// completed lifecycle run found them. What could not be told then is missing.
	// +optional
	Outputs map[string]apiextensionsv1.JSON `json:"outputs,omitempty"`
	// Broken lists the recovery rules whose condition holds. Lost, their time starts anew.
	// +optional
	// +listType=map
	// +listMapKey=rule
	// +kubebuilder:validation:MaxItems=32
	Broken []BrokenRule `json:"broken,omitempty"`
	// LastCompleted is the last lifecycle run that succeeded: the state at rest.
	// +optional
	LastCompleted *CompletedExecution `json:"lastCompleted,omitempty"`
}

// BrokenRule is a recovery rule whose condition holds.
type BrokenRule struct {
	// Rule of the version that runs.
	Rule string `json:"rule"`
	// Since when its condition holds.
	Since metav1.MicroTime `json:"since"`
}

// ActiveExecution names the execution that holds an Instance.
type ActiveExecution struct {
	// Name of the PlanExecution.
	Name string `json:"name"`
	// UID of the PlanExecution.
	UID types.UID `json:"uid"`
	// Plan that it runs.
	Plan string `json:"plan"`
	// Epoch with which it was admitted.
	Epoch int64 `json:"epoch"`
	// Stop asks the execution to end at its next safe point: Superseded, Deleted or
	// Preempted. Empty: it goes on.
	// +optional
	// +kubebuilder:validation:Enum=Superseded;Deleted;Preempted
	Stop string `json:"stop,omitempty"`
}

// CompletedExecution names a lifecycle run that succeeded.
type CompletedExecution struct {
	// Name of the PlanExecution.
	Name string `json:"name"`
	// UID of the PlanExecution.
	UID types.UID `json:"uid"`
	// Epoch with which it was admitted.
	Epoch int64 `json:"epoch"`
	// Inputs names the ControllerRevision that holds the inputs of the run.
	Inputs string `json:"inputs"`
	// Applied names the ControllerRevision that holds the content at rest.
	// +optional
	Applied string `json:"applied,omitempty"`
}
