// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// Seen is an object of the content at rest and what is there now.
type Seen struct {
	Object *revision.Object
	// Live is its metadata; nil if it is gone.
	Live metav1.Object
}

// Loss is one field that Kudo's last apply owned and does not own any more.
type Loss struct {
	// Path as conflicts spell it.
	Path string
	// Manager owns the field now; empty if nobody does, because it was removed.
	Manager string
}

// Finding is one object that drifted.
type Finding struct {
	Object *revision.Object
	// Gone says that the object was deleted.
	Gone bool
	// Losses of an object that is there, without those below another one.
	Losses []Loss
	// Correct says that the object is to be put back; else it is only told.
	Correct bool
}

// Decide says what has drifted and what is to be done about it.
func Decide(seen []Seen, policy v1alpha1.DriftPolicy, rules []v1alpha1.IgnoreField) []Finding {
	if policy == v1alpha1.DriftIgnore {
		return nil
	}
	var out []Finding
	for _, s := range seen {
		f := Finding{Object: s.Object, Correct: policy != v1alpha1.DriftReport}
		switch {
		case !Steady(s.Object):
			continue
		case s.Live == nil:
			f.Gone = true
		case s.Live.GetDeletionTimestamp() != nil:
			continue // it is judged once it is gone
		default:
			f.Losses = Lost(s.Object, s.Live.GetManagedFields(), rules)
		}
		if f.Gone || len(f.Losses) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// Steady says whether an object has a state at rest that is known: not what runs once,
// and not what was applied before that was recorded.
func Steady(o *revision.Object) bool {
	if len(o.Fields) == 0 {
		return false
	}
	switch (schema.GroupKind{Group: revision.Group(o.ObjectReference), Kind: o.Kind}) {
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return false
	case schema.GroupKind{Kind: "Pod"}:
		policy, _, _ := unstructured.NestedString(content(o), "spec", "restartPolicy")
		return policy == "" || policy == "Always"
	}
	return true
}

// content of an object as it was applied; nil for a Secret.
func content(o *revision.Object) map[string]any {
	out := map[string]any{}
	if len(o.Content) == 0 || json.Unmarshal(o.Content, &out) != nil {
		return nil
	}
	return out
}

// Lost names the fields that Kudo's last apply owned and does not own any more, but for
// those that are left to others.
func Lost(o *revision.Object, entries []metav1.ManagedFieldsEntry, rules []v1alpha1.IgnoreField) []Loss {
	owners := claims(entries)
	lost := decode(o.Fields)
	for _, c := range owners {
		if c.own {
			lost = lost.Difference(c.fields)
		}
	}
	if lost.Empty() {
		return nil
	}
	left := pointersFor(rules, o.ObjectReference)
	var was map[string]any
	if len(left) > 0 {
		was = content(o)
	}
	var out []Loss
	told := fieldpath.NewSet()
	for path := range lost.All() { // what is above comes before what is below
		manager, scaled := ownerOf(owners, path)
		if scaled || left.covers(path, was) || below(path, told) {
			continue
		}
		told.Insert(path.Copy())
		out = append(out, Loss{Path: path.String(), Manager: manager})
	}
	return out
}

// below says whether a set has a field above this one.
func below(path fieldpath.Path, set *fieldpath.Set) bool {
	for i := 1; i < len(path); i++ {
		if set.Has(path[:i]) {
			return true
		}
	}
	return false
}

// ownerOf names the newest owner of a field but Kudo, and says whether one of them set it
// through the scale subresource.
func ownerOf(owners []claim, path fieldpath.Path) (manager string, scaled bool) {
	for _, c := range owners {
		if c.own || !c.fields.Has(path) {
			continue
		}
		if manager == "" {
			manager = c.manager
		}
		scaled = scaled || c.subresource == scale
	}
	return manager, scaled
}
