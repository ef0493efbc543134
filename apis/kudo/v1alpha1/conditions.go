// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// All condition types and reasons of Kudo. Each type on a kind has one writer:
// the controller of that kind.
const (
	// ConditionReady is the root of Framework, FrameworkVersion and Instance: the object
	// is what its spec asks for, and works. On an Instance: the newest spec was rolled out
	// by a plan that succeeded, and no plan runs.
	ConditionReady = "Ready"
	// ConditionSucceeded is the root of a PlanExecution: True once it succeeded, False once
	// it ended otherwise, Unknown until then.
	ConditionSucceeded = "Succeeded"
	// ConditionReconciling follows kstatus: present and True while a plan runs.
	ConditionReconciling = "Reconciling"
	// ConditionStalled follows kstatus: present and True when nothing goes on without a person.
	ConditionStalled = "Stalled"
	// ConditionWaiting is True while something that the object refers to does not exist yet.
	ConditionWaiting = "Waiting"
	// ConditionPaused, on a PlanExecution: a person holds it, or a part of it.
	ConditionPaused = "Paused"
	// ConditionDrifted, on an Instance: present and True while an object is not what Kudo
	// applied last, and is not put back.
	ConditionDrifted = "Drifted"
	// ConditionEstablished, on a Framework: the generated kind is served as the Framework
	// and its valid versions describe it.
	ConditionEstablished = "Established"
	// ConditionValid, on a FrameworkVersion: the spec compiles.
	ConditionValid = "Valid"
	// ConditionSealed, on a FrameworkVersion: its spec can not be changed any more.
	ConditionSealed = "Sealed"
	// ConditionFrameworkFound, on a FrameworkVersion: its Framework exists.
	ConditionFrameworkFound = "FrameworkFound"
)

// Reasons of Framework and FrameworkVersion.
const (
	// ReasonValid: the spec compiles.
	ReasonValid = "Valid"
	// ReasonInvalid: the spec does not compile; the message says where.
	ReasonInvalid = "Invalid"
	// ReasonSealed: the spec can not be changed.
	ReasonSealed = "Sealed"
	// ReasonDevelopment: the spec may still be changed.
	ReasonDevelopment = "Development"
	// ReasonSpecChanged: the spec of a sealed version was changed past admission.
	ReasonSpecChanged = "SealedSpecChanged"
	// ReasonFound: the object that this one refers to exists.
	ReasonFound = "Found"
	// ReasonFrameworkMissing: the Framework does not exist yet.
	ReasonFrameworkMissing = "FrameworkMissing"
	// ReasonNoVersions: no FrameworkVersion of this Framework exists yet.
	ReasonNoVersions = "NoVersions"
	// ReasonNoValidVersion: versions exist but none is valid.
	ReasonNoValidVersion = "NoValidVersion"
	// ReasonDefaultMissing: the default version does not exist or is not valid.
	ReasonDefaultMissing = "DefaultVersionMissing"
	// ReasonAvailable: the object can be used.
	ReasonAvailable = "Available"
	// ReasonInUse: the object is being deleted but others still use it.
	ReasonInUse = "InUse"
	// ReasonSchemaConflict: a parameter has another type in a version that was there before.
	ReasonSchemaConflict = "SchemaConflict"
	// ReasonEstablished: the generated kind is served.
	ReasonEstablished = "Established"
	// ReasonEstablishing: the API server does not serve the generated kind yet.
	ReasonEstablishing = "Establishing"
	// ReasonNameTaken: another Framework, or something else, has the names already.
	ReasonNameTaken = "NameTaken"
	// ReasonSchemaHeld: stored objects would not fit the new schema, so the old one stays.
	ReasonSchemaHeld = "SchemaChangeHeld"
	// ReasonKindInvalid: no kind can be generated from this Framework and its versions.
	ReasonKindInvalid = "KindInvalid"
	// ReasonKindRefused: the API server refused the generated kind; the message holds its words.
	ReasonKindRefused = "KindRefused"
)

// Reasons of Instance.
const (
	// ReasonVersionMissing: the FrameworkVersion does not exist yet.
	ReasonVersionMissing = "VersionMissing"
	// ReasonVersionInvalid: the FrameworkVersion exists but does not compile.
	ReasonVersionInvalid = "VersionInvalid"
	// ReasonAccountMissing: the ServiceAccount does not exist yet.
	ReasonAccountMissing = "ServiceAccountMissing"
	// ReasonParametersInvalid: the parameters do not fit the version.
	ReasonParametersInvalid = "ParametersInvalid"
	// ReasonNotUpgradable: the version can not be reached from the one that runs.
	ReasonNotUpgradable = "NotUpgradable"
	// ReasonNested: Instances would make each other without end.
	ReasonNested = "NestedTooDeeply"
	// ReasonPlanRunning: a plan runs.
	ReasonPlanRunning = "PlanRunning"
	// ReasonPlanStalled: the plan that runs needs a person.
	ReasonPlanStalled = "PlanStalled"
	// ReasonPlanFailed: the plan for the newest spec failed or was cancelled.
	ReasonPlanFailed = "PlanFailed"
	// ReasonPlanCancelled: a person cancelled the plan for the newest spec.
	ReasonPlanCancelled = "PlanCancelled"
	// ReasonRolledBack: the newest spec could not be rolled out; what ran before runs again.
	ReasonRolledBack = "RolledBack"
	// ReasonSuspended: spec.suspend keeps the next plan from starting.
	ReasonSuspended = "Suspended"
	// ReasonReady: the newest spec was rolled out.
	ReasonReady = "Ready"
	// ReasonNoPlan: the version has no plan that could do what the spec asks for.
	ReasonNoPlan = "NoPlan"
	// ReasonRecoveryLimit: a recovery rule acted as often as it may, and it did not help.
	ReasonRecoveryLimit = "RecoveryLimit"
	// ReasonDeleting: the Instance is being deleted.
	ReasonDeleting = "Deleting"
	// ReasonDrifted: others changed objects, and driftPolicy or suspend lets them.
	ReasonDrifted = "ChangedByOthers"
	// ReasonPutBack: what others changed was put back.
	ReasonPutBack = "PutBack"
	// ReasonNotPutBack: what others changed could not be put back.
	ReasonNotPutBack = "NotPutBack"
	// ReasonFighting: others change the same field again and again, so it is put back less often.
	ReasonFighting = "Fighting"
	// ReasonWatchRefused: the account may not watch a kind, so changes are not noticed.
	ReasonWatchRefused = "WatchRefused"
	// ReasonCleanupTimeout: the cleanup plan did not end in time.
	ReasonCleanupTimeout = "CleanupTimeout"
)

// Reasons of PlanExecution and of its phases, steps and tasks.
const (
	// ReasonInstanceMissing: the Instance does not exist yet.
	ReasonInstanceMissing = "InstanceMissing"
	// ReasonQueued: another execution holds the Instance.
	ReasonQueued = "Queued"
	// ReasonPlanMissing: the Instance's version has no such plan.
	ReasonPlanMissing = "PlanMissing"
	// ReasonRunning: under way.
	ReasonRunning = "Running"
	// ReasonSucceeded: done.
	ReasonSucceeded = "Succeeded"
	// ReasonSkipped: its condition was false.
	ReasonSkipped = "Skipped"
	// ReasonWaiting: the effect was made, its result is awaited.
	ReasonWaiting = "Waiting"
	// ReasonRetrying: a new attempt follows.
	ReasonRetrying = "Retrying"
	// ReasonTimeout: an attempt took longer than its time-out.
	ReasonTimeout = "Timeout"
	// ReasonRefused: the API server refused the request; the message holds its words.
	ReasonRefused = "Refused"
	// ReasonInvalidTemplate: the template or its objects are wrong for these parameters.
	ReasonInvalidTemplate = "InvalidTemplate"
	// ReasonNotOwned: an object exists that Kudo did not create.
	ReasonNotOwned = "NotOwned"
	// ReasonConflict: another field manager owns fields that Kudo wants to set.
	ReasonConflict = "FieldConflict"
	// ReasonExpression: an expression could not be evaluated.
	ReasonExpression = "ExpressionFailed"
	// ReasonRequirement: a requirement of the plan is not met.
	ReasonRequirement = "RequirementNotMet"
	// ReasonJobFailed: the job's program failed.
	ReasonJobFailed = "JobFailed"
	// ReasonUnhealthy: an object reports that it failed.
	ReasonUnhealthy = "Unhealthy"
	// ReasonPaused: a person lets nothing more start.
	ReasonPaused = "Paused"
	// ReasonResumed: a person took a pause back.
	ReasonResumed = "Resumed"
	// ReasonApproved: a person approved the step.
	ReasonApproved = "Approved"
	// ReasonAwaitingApproval: a step waits for a person to approve it.
	ReasonAwaitingApproval = "AwaitingApproval"
	// ReasonForceCompleted: a person declared it done.
	ReasonForceCompleted = "ForceCompleted"
	// ReasonCancelled: a person ended the run.
	ReasonCancelled = "Cancelled"
	// ReasonUndoing: what the run started is being taken back.
	ReasonUndoing = "Undoing"
	// ReasonNoUndo: a job can not be taken back by itself.
	ReasonNoUndo = "NoUndo"
	// ReasonNothingToRestore: no lifecycle run has ever completed.
	ReasonNothingToRestore = "NothingToRestore"
	// ReasonSuperseded: a newer desired state took over.
	ReasonSuperseded = "Superseded"
	// ReasonDeleted: the Instance is being deleted.
	ReasonDeleted = "Deleted"
	// ReasonPreempted: another execution took over.
	ReasonPreempted = "Preempted"
	// ReasonInputsLost: the revision that pins the inputs is gone.
	ReasonInputsLost = "InputsLost"
	// ReasonOutcomeUnknown: what an attempt did can not be known.
	ReasonOutcomeUnknown = "OutcomeUnknown"
)
