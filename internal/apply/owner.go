// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"strings"

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
	if u.GetNamespace() != o.Namespace {
		// No owner reference can say whose it is: names are unique in one namespace only.
		annotations := u.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[v1alpha1.AnnotationOwner] = o.id()
		u.SetAnnotations(annotations)
		return
	}
	if Outlives(u.GroupVersionKind().GroupKind()) {
		return
	}
	controller, block := true, false
	u.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Instance", Name: o.Name, UID: o.UID,
		Controller: &controller, BlockOwnerDeletion: &block,
	}})
}

// id names the Instance in all of the cluster, for objects outside its namespace.
func (o Owner) id() string { return o.Namespace + "/" + o.Name + "/" + string(o.UID) }

// Owns says whether an existing object belongs to the Instance: by its owner
// reference; elsewhere by annotation; what outlives, by label and namespace.
func (o Owner) Owns(u *unstructured.Unstructured) bool {
	for _, ref := range u.GetOwnerReferences() {
		if ref.Controller != nil && *ref.Controller {
			return ref.UID == o.UID
		}
	}
	if u.GetNamespace() != o.Namespace {
		owner := u.GetAnnotations()[v1alpha1.AnnotationOwner]
		// What outlives an Instance is taken up by the next one of its name.
		return owner == o.id() ||
			Outlives(u.GroupVersionKind().GroupKind()) && strings.HasPrefix(owner, o.Namespace+"/"+o.Name+"/")
	}
	labels := u.GetLabels()
	if labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy || labels[v1alpha1.LabelInstance] != o.Name {
		return false
	}
	return Outlives(u.GroupVersionKind().GroupKind())
}
