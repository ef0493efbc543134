// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Framework describes a piece of software that Kudo can run: who it is, and
// which of its versions is the default. Its versions are FrameworkVersions.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=fw,categories=kudo
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Kind",type=string,JSONPath=`.status.generated.kind`
// +kubebuilder:printcolumn:name="Default",type=string,JSONPath=`.status.defaultVersion`
// +kubebuilder:printcolumn:name="Versions",type=integer,JSONPath=`.status.versionCount`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be at most 40 characters: lower-case letters, digits and '-', starting with a letter"
type Framework struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec describes the software.
	// +optional
	Spec FrameworkSpec `json:"spec,omitempty"`
	// Status is what Kudo knows about the Framework and its versions.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status FrameworkStatus `json:"status,omitempty"`
}

// FrameworkList is a list of Frameworks.
//
// +kubebuilder:object:root=true
type FrameworkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Framework `json:"items"`
}

// FrameworkSpec describes a piece of software.
type FrameworkSpec struct {
	// DisplayName is the software's name as people write it, for example "Apache ZooKeeper".
	// +optional
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`
	// Description says in a few sentences what the software is for.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`
	// URL is the software's home page.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url,omitempty"`
	// Maintainers are the people who answer for the framework.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Maintainers []Maintainer `json:"maintainers,omitempty"`
	// DefaultVersion is the version that tools propose for a new Instance. Empty: the
	// highest valid version by semantic versioning; a pre-release only if there is nothing else.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	DefaultVersion string `json:"defaultVersion,omitempty"`
	// Names are the names of the kind that Kudo generates for this framework in the
	// group packages.kudo.dev. What is left open derives from metadata.name: kafka-connect
	// becomes KafkaConnect, kafkaconnects, kafkaconnect. kind, plural and singular can not
	// be changed once they are set.
	// +optional
	// +kubebuilder:validation:XValidation:rule="(!has(oldSelf.kind) || has(self.kind) && self.kind == oldSelf.kind) && (!has(oldSelf.plural) || has(self.plural) && self.plural == oldSelf.plural) && (!has(oldSelf.singular) || has(self.singular) && self.singular == oldSelf.singular)",message="kind, plural and singular can not be changed: objects exist under these names. Create another Framework"
	Names *FrameworkNames `json:"names,omitempty"`
	// PrinterColumns are columns that `kubectl get` shows for the generated kind, beside
	// Ready, Status, Version, Plan and Age.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	PrinterColumns []PrinterColumn `json:"printerColumns,omitempty"`
	// ReplicasParameter names the parameter behind the generated kind's scale
	// subresource, so that `kubectl scale` and autoscalers work. It must be of type integer.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	ReplicasParameter string `json:"replicasParameter,omitempty"`
}

// Maintainer is a person or a team who answers for a framework.
type Maintainer struct {
	// Name of the person or team.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name"`
	// Email address of the person or team.
	// +optional
	// +kubebuilder:validation:MaxLength=254
	Email string `json:"email,omitempty"`
}

// FrameworkNames are the names of a generated kind, as in a CustomResourceDefinition.
type FrameworkNames struct {
	// Kind is the CamelCase name, for example ZooKeeper.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*$`
	Kind string `json:"kind,omitempty"`
	// Plural is the lower-case plural name, for example zookeepers.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Plural string `json:"plural,omitempty"`
	// Singular is the lower-case singular name, for example zookeeper. The Instance of an
	// object is named <singular>-<name>, in at most 40 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=30
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Singular string `json:"singular,omitempty"`
	// ShortNames are abbreviations for kubectl, for example zk.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	ShortNames []string `json:"shortNames,omitempty"`
	// Categories are groups of kinds for kubectl, for example all. Not set: kudo.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Categories []string `json:"categories,omitempty"`
}

// PrinterColumn is a column of `kubectl get`, as in a CustomResourceDefinition.
type PrinterColumn struct {
	// Name is the column's heading.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// Type is the column's OpenAPI type.
	// +kubebuilder:validation:Enum=string;integer;number;boolean;date
	Type string `json:"type"`
	// JSONPath selects the value within the object.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	JSONPath string `json:"jsonPath"`
	// Priority above 0 shows the column with `-o wide` only.
	// +optional
	Priority int32 `json:"priority,omitempty"`
}

// FrameworkStatus is what Kudo knows about a Framework.
type FrameworkStatus struct {
	// ObservedGeneration is the generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready (at least one version is valid, the default version is one of them,
	// and the generated kind is served); Established (the generated kind is served as this
	// Framework and its versions describe it); Stalled as in kstatus, when a person must act.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// DefaultVersion is the version that tools propose for a new Instance.
	// +optional
	DefaultVersion string `json:"defaultVersion,omitempty"`
	// Generated is the kind that Kudo generated, once there is one.
	// +optional
	Generated *GeneratedKind `json:"generated,omitempty"`
	// VersionCount is the number of versions, valid or not.
	// +optional
	VersionCount int32 `json:"versionCount,omitempty"`
	// Versions lists the newest 64 FrameworkVersions of this framework, newest first.
	// +optional
	// +listType=map
	// +listMapKey=version
	// +kubebuilder:validation:MaxItems=64
	Versions []FrameworkVersionSummary `json:"versions,omitempty"`
}

// GeneratedKind is a kind that Kudo generated for a Framework.
type GeneratedKind struct {
	// APIVersion of its objects, for example packages.kudo.dev/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind of its objects, for example ZooKeeper.
	Kind string `json:"kind"`
	// Resource is its plural name, for example zookeepers.
	Resource string `json:"resource"`
	// Singular is its singular name: the Instance of an object is <singular>-<name>.
	Singular string `json:"singular"`
	// CustomResourceDefinition is the name of the object that defines it.
	CustomResourceDefinition string `json:"customResourceDefinition"`
}

// FrameworkVersionSummary is one row of a Framework's table of versions.
type FrameworkVersionSummary struct {
	// Version as in FrameworkVersion.spec.version.
	Version string `json:"version"`
	// AppVersion as in FrameworkVersion.spec.appVersion.
	// +optional
	AppVersion string `json:"appVersion,omitempty"`
	// Valid says whether the version compiles and may be used.
	Valid bool `json:"valid"`
}
