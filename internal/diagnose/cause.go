// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

// Cause is the kind of what is wrong.
type Cause string

// The causes.
const (
	// None: nothing is wrong.
	None Cause = "None"
	// InProgress: it goes on, nothing is known to be wrong.
	InProgress Cause = "InProgress"
	// Unknown: it does not go on, and nothing that could be read says why.
	Unknown Cause = "Unknown"

	// ImageMissing: an image can not be pulled.
	ImageMissing Cause = "ImageMissing"
	// QuotaExceeded: a ResourceQuota refuses an object.
	QuotaExceeded Cause = "QuotaExceeded"
	// Forbidden: the Instance's account lacks a right.
	Forbidden Cause = "Forbidden"
	// ImpersonationForbidden: Kudo may not act as accounts of the namespace.
	ImpersonationForbidden Cause = "ImpersonationForbidden"
	// PodSecurity: the pod security level of the namespace refuses a pod.
	PodSecurity Cause = "PodSecurity"
	// Unschedulable: no node fits a pod.
	Unschedulable Cause = "Unschedulable"
	// ProbeFails: a container runs and its probe does not pass.
	ProbeFails Cause = "ProbeFails"
	// ContainerFails: a container ends again and again.
	ContainerFails Cause = "ContainerFails"
	// OutOfMemory: a container needs more memory than its limit.
	OutOfMemory Cause = "OutOfMemory"
	// ConfigMissing: what a pod names of Secrets, ConfigMaps or accounts is not there.
	ConfigMissing Cause = "ConfigMissing"
	// JobFailed: the program of a job failed.
	JobFailed Cause = "JobFailed"
	// ApprovalPending: a step waits for a person.
	ApprovalPending Cause = "ApprovalPending"
	// Paused: a person holds the run.
	Paused Cause = "Paused"
	// ImmutableField: a field can not be changed in place.
	ImmutableField Cause = "ImmutableField"
	// WebhookDown: an admission webhook does not answer.
	WebhookDown Cause = "WebhookDown"
	// VolumePending: a volume claim is not bound, or a volume can not be mounted.
	VolumePending Cause = "VolumePending"
	// WrongParameter: a parameter does not fit the version.
	WrongParameter Cause = "WrongParameter"
	// StuckFinalizer: a finalizer that is not Kudo's holds an object that is being deleted.
	StuckFinalizer Cause = "StuckFinalizer"
	// Terminating: an object is being deleted, and its own objects are not gone yet.
	Terminating Cause = "Terminating"

	// ManagerBehind: the manager has not seen the newest spec.
	ManagerBehind Cause = "ManagerBehind"
	// ControllerBehind: the controller of a workload has not seen its newest spec.
	ControllerBehind Cause = "ControllerBehind"
	// VersionUnusable: the FrameworkVersion is missing or not valid.
	VersionUnusable Cause = "VersionUnusable"
	// AccountMissing: the Instance's account does not exist.
	AccountMissing Cause = "AccountMissing"
	// Suspended: spec.suspend holds the Instance.
	Suspended Cause = "Suspended"
	// NotOwned: an object exists that is not the Instance's.
	NotOwned Cause = "NotOwned"
	// FieldConflict: another manager owns a field.
	FieldConflict Cause = "FieldConflict"
	// TemplateFails: a template or an expression of the version is wrong for these parameters.
	TemplateFails Cause = "TemplateFails"
	// RequirementNotMet: the plan may not start.
	RequirementNotMet Cause = "RequirementNotMet"
	// Refused: the API server refuses a request for another reason.
	Refused Cause = "Refused"
	// OutcomeUnknown: nobody knows whether a job ran.
	OutcomeUnknown Cause = "OutcomeUnknown"
	// PlanEnded: the run for the newest spec ended and did not succeed.
	PlanEnded Cause = "PlanEnded"
	// RecoveryLimit: a repair was tried as often as it may.
	RecoveryLimit Cause = "RecoveryLimit"
	// NoWay: no plan or no upgrade leads to what the spec asks for.
	NoWay Cause = "NoWay"
)
