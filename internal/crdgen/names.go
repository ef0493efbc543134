// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdgen

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

const (
	// MaxInstanceName bounds the name of an Instance, as in its CRD.
	MaxInstanceName = 40
	// maxSingular leaves at least nine characters for the name of an object.
	maxSingular = 30
	// category is what all generated kinds are in, unless the Framework says otherwise.
	category = "kudo"
)

// Names gives the names of a Framework's kind. What the Framework leaves open derives from
// its own name, and the plural from the kind as kubectl would guess it.
func Names(fw *v1alpha1.Framework) v1alpha1.FrameworkNames {
	var n v1alpha1.FrameworkNames
	if fw.Spec.Names != nil {
		n = *fw.Spec.Names.DeepCopy()
	}
	if n.Kind == "" {
		n.Kind = camel(fw.Name)
	}
	if n.Singular == "" {
		n.Singular = strings.ToLower(n.Kind)
	}
	if n.Plural == "" {
		plural, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Kind: n.Kind})
		n.Plural = plural.Resource
	}
	if n.Categories == nil {
		n.Categories = []string{category}
	}
	return n
}

// camel turns kafka-connect into KafkaConnect.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// CheckNames says what is wrong with the names of a kind.
func CheckNames(n v1alpha1.FrameworkNames) error {
	switch {
	case len(n.Singular) > maxSingular:
		return fmt.Errorf("singular %q has %d characters, more than %d: set spec.names.singular, for the Instance of an object is named <singular>-<name>, in at most %d characters",
			n.Singular, len(n.Singular), maxSingular, MaxInstanceName)
	case strings.EqualFold(n.Kind, "List") || strings.HasSuffix(n.Kind, "List"):
		return fmt.Errorf("kind %q would be taken for a list of objects: set spec.names.kind", n.Kind)
	}
	return nil
}

// InstanceName is the name of the Instance of an object.
func InstanceName(singular, name string) string { return singular + "-" + name }

// Name is the name of the CustomResourceDefinition.
func Name(n v1alpha1.FrameworkNames) string { return n.Plural + "." + v1alpha1.TypedGroup }

// Generated describes a kind with these names.
func Generated(n v1alpha1.FrameworkNames) v1alpha1.GeneratedKind {
	return v1alpha1.GeneratedKind{
		APIVersion: v1alpha1.TypedGroup + "/" + v1alpha1.TypedVersion,
		Kind:       n.Kind, Resource: n.Plural, Singular: n.Singular,
		CustomResourceDefinition: Name(n),
	}
}
