// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package drift finds out what others changed on objects at rest, from the API server's
// own record of who owns which field.
package drift

import (
	"bytes"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// scale is the subresource of autoscalers: what was set through it is theirs.
const scale = "scale"

// claim is the fields that one manager owns.
type claim struct {
	manager, subresource string
	own                  bool
	fields               *fieldpath.Set
}

// isOwn says whether an entry is that of Kudo's applies.
func isOwn(e *metav1.ManagedFieldsEntry) bool {
	return e.Manager == v1alpha1.FieldManager && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == ""
}

// Relevant says whether an entry tells anything about the desired content of an object.
func Relevant(e *metav1.ManagedFieldsEntry) bool {
	return e.Subresource == "" || e.Subresource == scale
}

// Own returns the fields that Kudo's last apply owns, as the API server wrote them down;
// nil if there are none.
func Own(entries []metav1.ManagedFieldsEntry) json.RawMessage {
	for i := range entries {
		if isOwn(&entries[i]) && entries[i].FieldsV1 != nil {
			return bytes.Clone(entries[i].FieldsV1.GetRawBytes())
		}
	}
	return nil
}

// claims reads managedFields, the newest entry first. What can not be read claims nothing.
func claims(entries []metav1.ManagedFieldsEntry) []claim {
	out := make([]claim, 0, len(entries))
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b metav1.ManagedFieldsEntry) int {
		switch {
		case a.Time == nil || b.Time == nil:
			return 0
		case a.Time.Before(b.Time):
			return 1
		case b.Time.Before(a.Time):
			return -1
		}
		return 0
	})
	for i := range entries {
		e := &entries[i]
		if e.FieldsV1 == nil || !Relevant(e) {
			continue
		}
		out = append(out, claim{manager: e.Manager, subresource: e.Subresource, own: isOwn(e), fields: decode(e.FieldsV1.GetRawBytes())})
	}
	return out
}

// decode reads a set of fields; what can not be read is empty.
func decode(raw []byte) *fieldpath.Set {
	set := fieldpath.NewSet()
	if len(raw) == 0 {
		return set
	}
	if err := set.FromJSON(bytes.NewReader(raw)); err != nil {
		return fieldpath.NewSet()
	}
	return set
}

// Mine says whether each of these fields, as a conflict names them, is one that Kudo's
// last apply owned.
func Mine(last json.RawMessage, fields []string) bool {
	known := map[string]bool{}
	for path := range decode(last).All() {
		known[path.String()] = true
	}
	return len(fields) > 0 && !slices.ContainsFunc(fields, func(f string) bool { return !known[f] })
}

// SameClaims says whether two states of an object differ in nothing that drift is found
// by: a new status does not concern the state at rest.
func SameClaims(a, b metav1.Object) bool {
	return a.GetUID() == b.GetUID() && (a.GetDeletionTimestamp() == nil) == (b.GetDeletionTimestamp() == nil) &&
		a.GetLabels()[v1alpha1.LabelInstance] == b.GetLabels()[v1alpha1.LabelInstance] &&
		slices.EqualFunc(a.GetManagedFields(), b.GetManagedFields(), func(x, y metav1.ManagedFieldsEntry) bool {
			return x.Manager == y.Manager && x.Operation == y.Operation && x.Subresource == y.Subresource &&
				(x.FieldsV1 == nil) == (y.FieldsV1 == nil) && (x.FieldsV1 == nil || x.FieldsV1.Equal(*y.FieldsV1))
		})
}
