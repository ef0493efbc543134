// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Parameter is something that a user of a framework can set.
type Parameter struct {
	// Name as templates and expressions see it: .Params.<name>, params.<name>.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z][a-zA-Z0-9_]*$`
	Name string `json:"name"`
	// DisplayName is the name as people write it.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`
	// Description says what the parameter does and what to consider when changing it.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`
	// Group is a heading under which tools show the parameter.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Group string `json:"group,omitempty"`
	// Schema is the OpenAPI v3 schema of the value, as in a CustomResourceDefinition, for
	// example {type: integer, minimum: 1}. Besides the formats of OpenAPI, "quantity" means
	// a Kubernetes quantity such as 512Mi. Empty: a string.
	// +optional
	// +kubebuilder:validation:XPreserveUnknownFields
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`
	// Default is used where an Instance sets no value. It is resolved when a plan starts
	// and never stored in the Instance.
	// +optional
	// +kubebuilder:validation:XPreserveUnknownFields
	Default *apiextensionsv1.JSON `json:"default,omitempty"`
	// Required parameters have no default and must be set.
	// +optional
	Required bool `json:"required,omitempty"`
	// Immutable parameters can not be changed once the Instance exists.
	// +optional
	Immutable bool `json:"immutable,omitempty"`
	// Trigger is the plan that a change of this parameter runs. Empty: update, or deploy
	// where there is no update plan.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	Trigger string `json:"trigger,omitempty"`
	// SecretRef marks a parameter whose value is the name of a Secret of the Instance's
	// namespace. Kudo never reads what is in it.
	// +optional
	SecretRef bool `json:"secretRef,omitempty"`
	// Generate makes a secret value once and keeps it in a Secret. The value of the parameter
	// is a reference {name, key} to it; an Instance that sets a reference of its own gets that
	// instead, and nothing is made.
	// +optional
	Generate *Generate `json:"generate,omitempty"`
}

// Generate says how to make a secret value.
type Generate struct {
	// Length of the value in characters.
	// +kubebuilder:validation:Minimum=8
	// +kubebuilder:validation:Maximum=1024
	Length int32 `json:"length"`
	// Alphabet is a set of characters to choose from. Empty: letters and digits.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Alphabet string `json:"alphabet,omitempty"`
}
