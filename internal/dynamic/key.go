// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package dynamic watches the metadata of Instances' objects as the Instances' accounts,
// for all kinds that the manager does not watch itself.
package dynamic

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Key names a watch.
type Key struct {
	// Account that watches: namespace and name of a ServiceAccount.
	Account types.NamespacedName
	// Namespace of the objects; empty for kinds of cluster scope.
	Namespace string
	// GVK of the objects.
	GVK schema.GroupVersionKind
	// Name of the one object that is watched, whoever made it; empty for all objects of
	// Instances.
	Name string
	// Any watches all objects of the kind, whoever made them.
	Any bool
}

// KeyFor returns the watch that sees an object.
func KeyFor(account types.NamespacedName, ref v1alpha1.ObjectReference) Key {
	return Key{Account: account, Namespace: ref.Namespace, GVK: schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind)}
}

// observes says whether objects are watched whoever made them.
func (k Key) observes() bool { return k.Name != "" || k.Any }

// selection says which objects are watched.
func (k Key) selection() metav1.ListOptions {
	if k.Name != "" {
		return metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, k.Name).String()}
	}
	if k.Any {
		return metav1.ListOptions{}
	}
	return metav1.ListOptions{LabelSelector: v1alpha1.LabelInstance}
}

// Describe names a watch for people.
func (k Key) Describe() string {
	what := k.GVK.Kind
	if k.GVK.Group != "" {
		what += "." + k.GVK.Group
	}
	if k.Name != "" {
		what += " " + k.Name
	}
	if k.Namespace == "" {
		return what
	}
	return what + " in namespace " + k.Namespace
}

// Event says that something happened that concerns an Instance.
type Event struct {
	// Instance whose object it is.
	Instance types.NamespacedName
	// AtRest says that it may concern the state at rest; else only the object's status changed.
	AtRest bool
	// Observed says that the object is none of the Instance's own, or only happens to be.
	Observed bool
}

// InstanceOf names the Instance that an object belongs to, by its label and, outside of
// the Instance's namespace, its annotation.
func InstanceOf(o metav1.Object) (types.NamespacedName, bool) {
	if owner := o.GetAnnotations()[v1alpha1.AnnotationOwner]; owner != "" {
		parts := strings.Split(owner, "/")
		if len(parts) == 3 {
			return types.NamespacedName{Namespace: parts[0], Name: parts[1]}, true
		}
	}
	name := o.GetLabels()[v1alpha1.LabelInstance]
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: name}, name != ""
}
