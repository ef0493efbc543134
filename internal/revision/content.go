// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package revision

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// MaxContents is how many Secrets and ConfigMaps the pods of an Instance may consume.
const MaxContents = 256

// Content is what pods consume of one Secret or ConfigMap of the Instance's namespace: by
// digest, never the values themselves.
type Content struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Keys that are consumed, sorted; none for all.
	Keys []string `json:"keys,omitempty"`
	// Optional says that pods start without it.
	Optional bool `json:"optional,omitempty"`
	// Own says that the Instance renders it itself.
	Own bool `json:"own,omitempty"`
	// Digest of the values; empty if it is not there, or not known.
	Digest string `json:"digest,omitempty"`
	// UID and ResourceVersion of the object whose values these are, unless it is an own one.
	UID             types.UID `json:"uid,omitempty"`
	ResourceVersion string    `json:"resourceVersion,omitempty"`
}

// ID tells apart what is consumed: the same keys of the same object are one thing.
func (c Content) ID() string { return c.Kind + "/" + c.Name + "?" + strings.Join(c.Keys, "&") }

// Reference names the object in a namespace.
func (c Content) Reference(namespace string) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{APIVersion: "v1", Kind: c.Kind, Namespace: namespace, Name: c.Name}
}

// FindContent returns what is known of something that is consumed, or nil.
func FindContent(known []Content, c Content) *Content {
	for i := range known {
		if known[i].ID() == c.ID() {
			return &known[i]
		}
	}
	return nil
}

// OverlayContents returns what is known, with what was found out later in its place.
func OverlayContents(known, later []Content) []Content {
	out := append([]Content{}, known...)
	for _, c := range later {
		if was := FindContent(out, c); was != nil {
			was.Digest, was.UID, was.ResourceVersion = c.Digest, c.UID, c.ResourceVersion
		}
	}
	return out
}
