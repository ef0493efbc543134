// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/drift"
)

// Trim makes what a cache holds small: it drops managedFields but for objects that Kudo
// applied, and of those keeps the entries about desired content.
func Trim(in any) (any, error) {
	obj, err := meta.Accessor(in)
	if err != nil || obj.GetManagedFields() == nil {
		return in, nil //nolint:nilerr // what is no object has none
	}
	entries := obj.GetManagedFields()
	if !slices.ContainsFunc(entries, func(e metav1.ManagedFieldsEntry) bool { return e.Manager == v1alpha1.FieldManager }) &&
		obj.GetLabels()[v1alpha1.LabelInstance] == "" {
		obj.SetManagedFields(nil)
		return in, nil
	}
	obj.SetManagedFields(slices.DeleteFunc(slices.Clone(entries), func(e metav1.ManagedFieldsEntry) bool { return !drift.Relevant(&e) }))
	return in, nil
}
