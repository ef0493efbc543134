// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Owner is the Instance that objects belong to.
type Owner struct {
	Name, Namespace string
	UID             types.UID
	// Adopt lets Kudo take over objects that it did not create.
	Adopt bool
}

// Outlives says whether an object of this kind stays when its Instance goes: it
// gets no owner reference and is never removed but by a declared delete step.
func Outlives(gk schema.GroupKind) bool {
	switch gk {
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}, schema.GroupKind{Kind: "Namespace"},
		schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		return true
	}
	return false
}

// Mark gives an object the owner reference to its Instance, unless it outlives it
// or lives elsewhere: the garbage collector would delete it there.
func (o Owner) Mark(u *unstructured.Unstructured) {
	if Outlives(u.GroupVersionKind().GroupKind()) || u.GetNamespace() != o.Namespace {
		return
	}
	controller, block := true, false
	u.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Instance", Name: o.Name, UID: o.UID,
		Controller: &controller, BlockOwnerDeletion: &block,
	}})
}

// Owns says whether an existing object belongs to the Instance: by its owner
// reference, or, for what outlives, by label and namespace.
func (o Owner) Owns(u *unstructured.Unstructured) bool {
	for _, ref := range u.GetOwnerReferences() {
		if ref.Controller != nil && *ref.Controller {
			return ref.UID == o.UID
		}
	}
	labels := u.GetLabels()
	if labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy || labels[v1alpha1.LabelInstance] != o.Name {
		return false
	}
	return Outlives(u.GroupVersionKind().GroupKind()) || u.GetNamespace() != o.Namespace
}
