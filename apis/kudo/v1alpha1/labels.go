// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

const (
	// LabelInstance is on every object that Kudo applies: the name of the
	// Instance, in the object's own namespace, that it belongs to.
	LabelInstance = "kudo.dev/instance"
	// LabelExecution is on run-once objects only (jobs): the name of the
	// PlanExecution that made them.
	LabelExecution = "kudo.dev/execution"
	// LabelFramework is on PlanExecutions and revisions: the Framework's name.
	LabelFramework = "kudo.dev/framework"
	// LabelPlan is on PlanExecutions: the plan's name.
	LabelPlan = "kudo.dev/plan"
	// LabelRevision is on ControllerRevisions: "inputs" or "applied".
	LabelRevision = "kudo.dev/revision"
	// LabelGenerated is on Secrets whose content Kudo made: the name of the Instance is in
	// LabelInstance, the parameter in AnnotationParameter.
	LabelGenerated = "kudo.dev/generated"
	// LabelManagedBy is the recommended label that names the tool.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// LabelAppName is the recommended label that names the software.
	LabelAppName = "app.kubernetes.io/name"
	// LabelAppInstance is the recommended label that names the running copy.
	LabelAppInstance = "app.kubernetes.io/instance"

	// AnnotationOwner is on objects outside the Instance's namespace, which can have no
	// owner reference: <namespace>/<name>/<uid> of the Instance.
	AnnotationOwner = "kudo.dev/owner"

	// AnnotationContent is on pod templates whose template says restartOnChange: it changes
	// when what the pods consume of Secrets and ConfigMaps has changed.
	AnnotationContent = "kudo.dev/content"

	// AnnotationParameter is on generated Secrets: the parameter that they are for.
	AnnotationParameter = "kudo.dev/parameter"

	// AnnotationTypedGeneration is on Instances that are made from an object of a generated
	// kind: the generation of that object that the spec was last taken from.
	AnnotationTypedGeneration = "kudo.dev/typed-generation"

	// AnnotationTypedName is on Instances that were made from an object of a generated kind:
	// the name of that object, which templates see as .Name.
	AnnotationTypedName = "kudo.dev/typed-name"

	// ManagedBy is the value of LabelManagedBy on everything that Kudo applies.
	ManagedBy = "kudo"
	// FieldManager is the field manager of Kudo's server-side apply.
	FieldManager = "kudo"

	// FinalizerInstance holds an Instance until its cleanup has ended.
	FinalizerInstance = "kudo.dev/cleanup"
	// FinalizerVersion holds a FrameworkVersion until no Instance uses it.
	FinalizerVersion = "kudo.dev/in-use"

	// FinalizerFramework holds a Framework until no object of its kind is left.
	FinalizerFramework = "kudo.dev/kind"
	// FinalizerTyped holds an object of a generated kind until its Instance is gone.
	FinalizerTyped = "kudo.dev/instance"

	// EnvExecutionID is set in every container of a job task: the UID of the PlanExecution.
	EnvExecutionID = "PLAN_EXECUTION_ID"
	// EnvAttempt is set in every container of a job task: the attempt, counted from 1.
	EnvAttempt = "ATTEMPT"
)

// The API of generated kinds.
const (
	// TypedGroup is the group of all generated kinds.
	TypedGroup = "packages.kudo.dev"
	// TypedVersion is their version.
	TypedVersion = "v1alpha1"
)

// Field indexes of the manager's cache.
const (
	// IndexInstance is over PlanExecutions by spec.instance.
	IndexInstance = "spec.instance"
	// IndexVersion is over Instances by the name of their FrameworkVersion.
	IndexVersion = "spec.version"
	// IndexAccount is over Instances by spec.serviceAccountName.
	IndexAccount = "spec.serviceAccountName"
	// IndexFramework is over FrameworkVersions by spec.framework.
	IndexFramework = "spec.framework"
)
