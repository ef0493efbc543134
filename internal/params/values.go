// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import "reflect"

// Values are resolved parameters by name. Every parameter of the schema has an
// entry; one that is not set and has no default is nil. The values are nil,
// bool, string, int64, uint64, float64, []any and map[string]any.
type Values map[string]any

// equal compares JSON values, numbers numerically: 1 is 1.0.
func equal(a, b any) bool {
	if isNumber(a) && isNumber(b) && finite(a) && finite(b) {
		return compareNumbers(a, b) == 0
	}
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && equalLists(x, y)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && equalObjects(x, y)
	}
	return reflect.DeepEqual(a, b)
}

func equalLists(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func equalObjects(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		w, ok := b[k]
		if !ok || !equal(v, w) {
			return false
		}
	}
	return true
}

func deepCopy(v any) any {
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = deepCopy(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, item := range x {
			out[k] = deepCopy(item)
		}
		return out
	}
	return v
}
