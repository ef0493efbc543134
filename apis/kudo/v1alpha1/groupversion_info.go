// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the public API of Kudo, group kudo.dev: Framework,
// FrameworkVersion, Instance and PlanExecution.
//
// Every field is documented for `kubectl explain`. A field that this build
// does not implement yet is refused at admission with "not yet supported".
//
// +kubebuilder:object:generate=true
// +groupName=kudo.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "kudo.dev", Version: "v1alpha1"}

// SchemeBuilder collects the functions that add this package to a scheme.
var SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme adds the kinds of this package to a scheme.
var AddToScheme = SchemeBuilder.AddToScheme

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&Framework{}, &FrameworkList{},
		&FrameworkVersion{}, &FrameworkVersionList{},
		&Instance{}, &InstanceList{},
		&PlanExecution{}, &PlanExecutionList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// Resource returns the group-qualified name of one of this package's resources.
func Resource(resource string) schema.GroupResource {
	return GroupVersion.WithResource(resource).GroupResource()
}
