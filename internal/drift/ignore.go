// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"strconv"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// ignored are the JSON pointers of the fields of one object that are left to others.
type ignored []string

// pointersFor returns the fields of one object that are left to others.
func pointersFor(rules []v1alpha1.IgnoreField, ref v1alpha1.ObjectReference) ignored {
	var out ignored
	group := revision.Group(ref)
	for _, r := range rules {
		if r.Kind == ref.Kind && r.Group == group && (r.Name == "" || r.Name == ref.Name) {
			out = append(out, r.Path)
		}
	}
	return out
}

// Concerned says whether a rule leaves any field of an object to others.
func Concerned(rules []v1alpha1.IgnoreField, ref v1alpha1.ObjectReference) bool {
	return len(pointersFor(rules, ref)) > 0
}

// covers says whether a field is one of them or below one. Items of lists are counted as
// they stand in the content that Kudo applies.
func (i ignored) covers(path fieldpath.Path, content map[string]any) bool {
	if len(i) == 0 {
		return false
	}
	at := pointer(path, content)
	for _, rule := range i {
		if at == rule || strings.HasPrefix(at, rule+"/") {
			return true
		}
	}
	return false
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// pointer spells a path as a JSON pointer into content.
func pointer(path fieldpath.Path, content map[string]any) string {
	var out strings.Builder
	for i, e := range path {
		out.WriteByte('/')
		switch {
		case e.FieldName != nil:
			out.WriteString(escape.Replace(*e.FieldName))
		default:
			list, _ := get(content, path[:i])
			items, ok := list.([]any)
			if at := position(items, e); ok && at >= 0 {
				out.WriteString(strconv.Itoa(at))
			} else {
				out.WriteByte('-') // no item of Kudo's
			}
		}
	}
	return out.String()
}
