// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"kudo.dev/kudo/internal/graph"
)

// Trace tells two states of what queries ask for apart, by what watches have of it. Lists
// come after the single objects that they depend on.
type Trace struct {
	parts   []string
	singles map[string]*metav1.PartialObjectMetadata
}

// Add adds the objects that a watch has for a query.
func (t *Trace) Add(q graph.Query, objects []*metav1.PartialObjectMetadata) {
	if t.singles == nil {
		t.singles = map[string]*metav1.PartialObjectMetadata{}
	}
	if q.ObjectName != "" && len(objects) == 1 {
		t.singles[q.Name] = objects[0]
	}
	part := []string{}
	for _, o := range objects {
		if t.concerns(q, o) {
			part = append(part, string(o.UID)+"@"+o.ResourceVersion)
		}
	}
	slices.Sort(part)
	t.parts = append(t.parts, q.Name+"="+strings.Join(part, ","))
}

// concerns says whether an object may be part of the answer to a query.
func (t *Trace) concerns(q graph.Query, o *metav1.PartialObjectMetadata) bool {
	switch {
	case q.Selector != nil:
		return labels.SelectorFromSet(q.Selector).Matches(labels.Set(o.Labels))
	case q.OwnedBy != "":
		owner, ref := t.singles[q.OwnedBy], metav1.GetControllerOf(o)
		return owner != nil && ref != nil && ref.UID == owner.UID
	case q.ClaimsOf != "":
		owner := t.singles[q.ClaimsOf]
		return owner != nil && strings.Contains(o.Name, "-"+owner.Name+"-")
	}
	return true
}

// String is the trace.
func (t *Trace) String() string { return strings.Join(t.parts, ";") }
