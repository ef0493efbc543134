// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FrameworkVersion is one sealed version of a framework: its parameters,
// templates, tasks and plans. Its name is <framework>-<version>. Its spec can
// not be changed, so that what was reviewed is what runs, unless
// spec.development is true.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=fwv,categories=kudo
// +kubebuilder:printcolumn:name="Framework",type=string,JSONPath=`.spec.framework`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="App",type=string,JSONPath=`.spec.appVersion`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Instances",type=integer,JSONPath=`.status.instances`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name == self.spec.framework + '-' + self.spec.version",message="metadata.name must be <spec.framework>-<spec.version>"
type FrameworkVersion struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the version's content.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.framework == oldSelf.framework && self.version == oldSelf.version",message="framework and version can not be changed: create another FrameworkVersion"
	// +kubebuilder:validation:XValidation:rule="(has(oldSelf.development) && oldSelf.development) || !has(self.development) || !self.development",message="a sealed version can not become a development version again"
	// +kubebuilder:validation:XValidation:rule="(has(oldSelf.development) && oldSelf.development) || self == oldSelf",message="this version is sealed: what was reviewed is what runs. Create another FrameworkVersion"
	Spec FrameworkVersionSpec `json:"spec"`
	// Status is what Kudo made of the version.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status FrameworkVersionStatus `json:"status,omitempty"`
}

// FrameworkVersionList is a list of FrameworkVersions.
//
// +kubebuilder:object:root=true
type FrameworkVersionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []FrameworkVersion `json:"items"`
}

// FrameworkVersionSpec is the content of one version of a framework. Lists are
// maps by name: the order of parameters, templates and tasks has no meaning,
// that of plans, phases, steps and tasks within a step has.
type FrameworkVersionSpec struct {
	// Framework names the Framework that this is a version of.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Framework string `json:"framework"`
	// Version of this description, a semantic version in lower case, for example 3.8.4 or 3.8.4-1.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9a-z]+([.-][0-9a-z]+)*)?$`
	Version string `json:"version"`
	// AppVersion is the version of the software itself, for example 3.8.4. Templates
	// see it as .Version.app. Empty: the same as version.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	AppVersion string `json:"appVersion,omitempty"`
	// Description says what is new or special in this version.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`
	// Development leaves the spec open to change while its author works on it. It may
	// turn false once and never back. Not for production: an Instance follows every edit.
	// +optional
	Development bool `json:"development,omitempty"`
	// UpgradableFrom lists the versions that an Instance may be upgraded from, as semantic
	// version constraints, for example "~3.8.0" or ">=3.8.0 <3.9.0". An upgrade from any
	// other version is refused. Empty: every lower version.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	UpgradableFrom []string `json:"upgradableFrom,omitempty"`
	// PracticeProfile names a set of defaults that fills in what templates leave open and what
	// is safe to fill in: none (the default), or v1. What a profile does never changes, so an
	// upgrade of Kudo restarts no pods. See docs/spec/practice.md.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	PracticeProfile string `json:"practiceProfile,omitempty"`
	// Parameters are what a user of this version can set.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=512
	Parameters []Parameter `json:"parameters,omitempty"`
	// Validations are rules over several parameters, or over a parameter's old and new
	// value, checked at admission and before every plan. See params and old in docs/spec/cel.md.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Validations []Rule `json:"validations,omitempty"`
	// Observe lists what expressions may see of the cluster, as objects.<name>.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Observe []Observation `json:"observe,omitempty"`
	// Remember lists values to keep from what was observed. Not yet supported.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Remember []Memory `json:"remember,omitempty"`
	// Budget limits how many members may be away at once. Not yet supported.
	// +optional
	Budget *Budget `json:"budget,omitempty"`
	// Templates are Go templates that render to Kubernetes objects.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Templates []Template `json:"templates,omitempty"`
	// Tasks are the single things that plans do.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Tasks []Task `json:"tasks,omitempty"`
	// Plans are the runbooks. The names deploy, update, upgrade and cleanup have a meaning
	// of their own; any other plan runs when a parameter names it as its trigger or when
	// a PlanExecution asks for it. A version with templates and no plan gets a deploy plan
	// that applies all of them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Plans []Plan `json:"plans,omitempty"`
	// OnContentChange names the plan that runs when a Secret or ConfigMap changes that pods
	// of an Instance consume and that the Instance does not render; "Ignore" (the default)
	// runs none. An Instance may choose another one.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	OnContentChange string `json:"onContentChange,omitempty"`
	// Recovery lists rules that start a plan when something is broken. In order: the first
	// that holds for long enough acts.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Recovery []RecoveryRule `json:"recovery,omitempty"`
	// Outputs are values that an Instance reports in its status, for example the address of
	// a service: CEL over params, version, instance and objects, evaluated when a plan that
	// applies or deletes objects has succeeded. From and sensitive are not yet supported.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Outputs []Output `json:"outputs,omitempty"`
	// Permissions declares kinds that templates may render although they are refused by
	// default: cluster-scoped objects, objects in other namespaces and kinds that grant
	// power. The Instance's ServiceAccount must be allowed to write them all the same.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Permissions []Permission `json:"permissions,omitempty"`
}

// Permission declares a kind that templates may render although it is refused by default.
type Permission struct {
	// Group of the kind; empty for the core group.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`
	// Kind, for example ClusterRole.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// AnyNamespace allows objects of this kind in namespaces other than the Instance's.
	// +optional
	AnyNamespace bool `json:"anyNamespace,omitempty"`
}

// Template is a Go template that renders to Kubernetes objects.
type Template struct {
	// Name that tasks refer to, for example statefulset.yaml.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9]([a-zA-Z0-9._/-]*[a-zA-Z0-9])?$`
	Name string `json:"name"`
	// Content is the template's text: YAML documents with Go template actions. See docs/spec/templates.md.
	// +kubebuilder:validation:MaxLength=400000
	Content string `json:"content"`
	// RestartOnChange true, on a template of workloads: their pods restart when what they
	// consume of Secrets and ConfigMaps has changed, and only then. False, on a template of
	// Secrets or ConfigMaps: a change of these is no reason to restart pods. Not set: a
	// change restarts no pods of this template's workloads, but those of others that say
	// true and consume its objects.
	// +optional
	RestartOnChange *bool `json:"restartOnChange,omitempty"`
}

// Rule is a CEL expression that must be true, and what to say when it is not.
type Rule struct {
	// Rule is a CEL expression that yields a bool.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Rule string `json:"rule"`
	// Message says what is wrong and what to do. ${CEL} in it is not yet supported.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message"`
}

// Observation is something of the Instance's namespace that expressions may see.
// Exactly one of objectName, selector, ownedBy and claimsOf is set.
type Observation struct {
	// Name under which expressions see it: objects.<name>.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z][a-zA-Z0-9_]*$`
	Name string `json:"name"`
	// APIVersion of the kind, for example apps/v1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	APIVersion string `json:"apiVersion"`
	// Kind, for example StatefulSet.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// ObjectName selects one object by name; it may hold ${CEL}. The value is the object, or null.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	ObjectName string `json:"objectName,omitempty"`
	// Selector selects a list of objects by their labels; values may hold ${CEL}.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	Selector map[string]string `json:"selector,omitempty"`
	// OwnedBy names another observation with an objectName: the value is the list of
	// objects whose controller it is.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	OwnedBy string `json:"ownedBy,omitempty"`
	// ClaimsOf names an observed StatefulSet: the value is the list of its volume claims.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	ClaimsOf string `json:"claimsOf,omitempty"`
}

// Memory is a value to keep from what was observed, last known good.
type Memory struct {
	// Name under which expressions see it: facts.<name>[key].
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// ForEach is a CEL expression that yields the list of items.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	ForEach string `json:"forEach,omitempty"`
	// Key is a CEL expression over item that yields the key.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Key string `json:"key,omitempty"`
	// When is a CEL expression: the value is kept only while it is true.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	When string `json:"when,omitempty"`
	// Value is the CEL expression to keep.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value"`
}

// Budget limits how many members may be away at once.
type Budget struct {
	// Of names an observed list of pods.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Of string `json:"of"`
	// MaxUnavailable is a CEL expression that yields the number.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	MaxUnavailable string `json:"maxUnavailable"`
}

// RecoveryRule starts a plan when something is broken.
type RecoveryRule struct {
	// Name of the rule.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// ForEach is a CEL expression that yields the list of items to judge. Not yet supported.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	ForEach string `json:"forEach,omitempty"`
	// When is the CEL expression that says that it is broken. What is missing means that it
	// is not, yet.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	When string `json:"when"`
	// Key is a CEL expression that names the incident. Not yet supported.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Key string `json:"key,omitempty"`
	// For is how long it must be broken without a break. Not set: not at all.
	// +optional
	For *metav1.Duration `json:"for,omitempty"`
	// Plan to start.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Plan string `json:"plan"`
	// With are the plan's parameters, as CEL expressions. Not yet supported.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	With []Argument `json:"with,omitempty"`
	// Preempt ends a running plan at its next safe point; that plan runs again afterwards.
	// A person's plan is ended only if it is stalled.
	// +optional
	Preempt bool `json:"preempt,omitempty"`
	// Limit bounds how often the rule may act. Default 3 times within 1h.
	// +optional
	Limit *RecoveryLimit `json:"limit,omitempty"`
}

// RecoveryLimit bounds how often a recovery rule may act.
type RecoveryLimit struct {
	// Attempts within the window.
	// +kubebuilder:validation:Minimum=1
	Attempts int32 `json:"attempts"`
	// Window in which the attempts are counted.
	Window metav1.Duration `json:"window"`
}

// Output is a value that a plan or an Instance reports.
type Output struct {
	// Name of the output.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// Value is a CEL expression.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`
	// From takes the value from the last successful run of a plan.
	// +optional
	From *OutputSource `json:"from,omitempty"`
	// Sensitive keeps the value in a Secret and out of status.
	// +optional
	Sensitive *SecretKey `json:"sensitive,omitempty"`
}

// OutputSource names the output of a plan.
type OutputSource struct {
	// Plan that has the output.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Plan string `json:"plan"`
	// Output of the plan.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Output string `json:"output"`
}

// SecretKey names a key of a Secret in the Instance's namespace.
type SecretKey struct {
	// Secret is the Secret's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Secret string `json:"secret"`
	// Key within the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// FrameworkVersionStatus is what Kudo made of a FrameworkVersion.
type FrameworkVersionStatus struct {
	// ObservedGeneration is the generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Valid (the version compiles), FrameworkFound, Ready (all of these), and
	// Stalled as in kstatus, when it is not valid.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Digest is the SHA-256 of the canonical stored spec. Executions name it.
	// +optional
	Digest string `json:"digest,omitempty"`
	// Plans are the names of the plans that can be run, in the order of the spec.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Plans []string `json:"plans,omitempty"`
	// Rules are the permissions that an Instance's ServiceAccount needs in its namespace.
	// An admin binds them; Kudo never grants rights.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	Rules []rbacv1.PolicyRule `json:"rules,omitempty"`
	// Instances is the number of Instances that use this version.
	// +optional
	Instances int32 `json:"instances,omitempty"`
}
