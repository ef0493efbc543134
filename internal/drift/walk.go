// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// position finds the item of a list that an element of a path means, or -1. A key field
// that an item leaves out has its default, so it may match.
func position(list []any, e fieldpath.PathElement) int {
	switch {
	case e.Key != nil:
		for i, item := range list {
			if m, ok := item.(map[string]any); ok && matches(m, *e.Key) {
				return i
			}
		}
	case e.Value != nil:
		for i, item := range list {
			if value.Equals(*e.Value, value.NewValueInterface(item)) {
				return i
			}
		}
	case e.Index != nil && *e.Index < len(list):
		return *e.Index
	}
	return -1
}

func matches(item map[string]any, key value.FieldList) bool {
	some := false
	for _, f := range key {
		own, set := item[f.Name]
		if set && !value.Equals(f.Value, value.NewValueInterface(own)) {
			return false
		}
		some = some || set
	}
	return some
}

// get returns what stands at a path.
func get(content any, path fieldpath.Path) (any, bool) {
	for _, e := range path {
		switch c := content.(type) {
		case map[string]any:
			if e.FieldName == nil {
				return nil, false
			}
			next, ok := c[*e.FieldName]
			if !ok {
				return nil, false
			}
			content = next
		case []any:
			i := position(c, e)
			if i < 0 {
				return nil, false
			}
			content = c[i]
		default:
			return nil, false
		}
	}
	return content, true
}

// replace puts a value where one stands already.
func replace(content map[string]any, path fieldpath.Path, v any) {
	parent, ok := get(content, path[:len(path)-1])
	if !ok {
		return
	}
	last := path[len(path)-1]
	switch p := parent.(type) {
	case map[string]any:
		if last.FieldName != nil {
			p[*last.FieldName] = v
		}
	case []any:
		if i := position(p, last); i >= 0 {
			p[i] = v
		}
	}
}

// remove takes a field out, and maps that are empty without it. The fields by which an
// item of a list is known stay: without them it would be another one.
func remove(content map[string]any, path fieldpath.Path) {
	if len(path) == 0 || isKey(path) {
		return
	}
	parent, ok := get(content, path[:len(path)-1])
	if !ok {
		return
	}
	last := path[len(path)-1]
	switch p := parent.(type) {
	case map[string]any:
		if last.FieldName == nil {
			return
		}
		if _, set := p[*last.FieldName]; !set {
			return
		}
		delete(p, *last.FieldName)
		if len(p) == 0 && len(path) > 1 && path[len(path)-2].FieldName != nil {
			remove(content, path[:len(path)-1])
		}
	case []any:
		if i := position(p, last); i >= 0 {
			replace(content, path[:len(path)-1], append(append([]any{}, p[:i]...), p[i+1:]...))
		}
	}
}

// isKey says whether a path names a field by which its item is known.
func isKey(path fieldpath.Path) bool {
	last := path[len(path)-1]
	if len(path) < 2 || last.FieldName == nil || path[len(path)-2].Key == nil {
		return false
	}
	for _, f := range *path[len(path)-2].Key {
		if f.Name == *last.FieldName {
			return true
		}
	}
	return false
}
