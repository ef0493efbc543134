// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdinstall

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Trim takes off what the manager does not read of definitions, so that those of
// others cost next to nothing.
func Trim(o any) (any, error) {
	crd, ok := o.(*apiextensionsv1.CustomResourceDefinition)
	if !ok {
		return o, nil
	}
	crd.ManagedFields = nil
	if crd.Spec.Group != v1alpha1.TypedGroup {
		crd.Annotations, crd.Labels = nil, nil
		crd.Spec = apiextensionsv1.CustomResourceDefinitionSpec{Group: crd.Spec.Group}
		crd.Status = apiextensionsv1.CustomResourceDefinitionStatus{}
	}
	return crd, nil
}
