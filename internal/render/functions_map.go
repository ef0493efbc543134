// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"slices"
)

func mapFunctions() map[string]function {
	return map[string]function{
		"dict":           {min: 0, max: many, lazy: true, impl: dict},
		"get":            {min: 2, max: 2, lazy: true, impl: get},
		"hasKey":         {min: 2, max: 2, lazy: true, impl: hasKey},
		"set":            {min: 3, max: 3, lazy: true, impl: set},
		"unset":          {min: 2, max: 2, lazy: true, impl: unset},
		"keys":           {min: 1, max: many, lazy: true, impl: keys},
		"values":         {min: 1, max: 1, lazy: true, impl: values},
		"pluck":          {min: 1, max: many, lazy: true, impl: pluck},
		"pick":           {min: 1, max: many, lazy: true, impl: pick},
		"omit":           {min: 1, max: many, lazy: true, impl: omit},
		"dig":            {min: 3, max: many, lazy: true, impl: dig},
		"merge":          {min: 1, max: many, impl: func(x *execution, a []any) (any, error) { return merge(x, a, false) }},
		"mergeOverwrite": {min: 1, max: many, impl: func(x *execution, a []any) (any, error) { return merge(x, a, true) }},
		"deepCopy":       {min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) { return deepCopy(a[0]), nil }},
	}
}

func (x *execution) key(v any) (string, error) {
	plain, err := x.plain(v)
	if err != nil {
		return "", err
	}
	return toText(plain)
}

func dict(x *execution, a []any) (any, error) {
	if len(a)%2 != 0 {
		return nil, fault("", "keys and values must come in pairs")
	}
	out := make(map[string]any, len(a)/2)
	for pair := range slices.Chunk(a, 2) {
		key, err := x.key(pair[0])
		if err != nil {
			return nil, err
		}
		out[key] = pair[1]
	}
	return out, x.charge(4 * slot * len(a))
}

// keyed reads a map and a key, the start of several functions.
func keyed(x *execution, a []any) (map[string]any, string, error) {
	m, err := toMap(a[0])
	if err != nil {
		return nil, "", err
	}
	key, err := x.key(a[1])
	return m, key, err
}

// get gives null for a missing key. Sprig's gives "", which prints as nothing.
func get(x *execution, a []any) (any, error) {
	m, key, err := keyed(x, a)
	return m[key], err
}

func hasKey(x *execution, a []any) (any, error) {
	m, key, err := keyed(x, a)
	_, found := m[key]
	return found, err
}

func set(x *execution, a []any) (any, error) {
	m, key, err := keyed(x, a)
	if err != nil {
		return nil, err
	}
	m[key] = a[2]
	return m, x.charge(4*slot + len(key))
}

func unset(x *execution, a []any) (any, error) {
	m, key, err := keyed(x, a)
	delete(m, key)
	return m, err
}

// keys are sorted, where Sprig's come in the order of the day.
func keys(x *execution, a []any) (any, error) {
	out := []any{}
	for _, v := range a {
		m, err := toMap(v)
		if err != nil {
			return nil, err
		}
		if err := x.charge(4 * slot * len(m)); err != nil {
			return nil, err
		}
		out = append(out, anyList(slices.Sorted(maps.Keys(m)))...)
	}
	return out, nil
}

func values(x *execution, a []any) (any, error) {
	m, err := toMap(a[0])
	if err == nil {
		err = x.charge(4 * slot * len(m))
	}
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[key])
	}
	return out, nil
}

func pluck(x *execution, a []any) (any, error) {
	key, err := x.key(a[0])
	out := []any{}
	for _, v := range a[1:] {
		m, mapErr := toMap(v)
		if mapErr != nil {
			return nil, mapErr
		}
		if found, ok := m[key]; ok {
			out = append(out, found)
		}
	}
	return out, err
}

func pick(x *execution, a []any) (any, error) {
	m, err := toMap(a[0])
	out := map[string]any{}
	for _, v := range a[1:] {
		key, keyErr := x.key(v)
		if keyErr != nil {
			return nil, keyErr
		}
		if found, ok := m[key]; ok {
			out[key] = found
		}
	}
	return out, err
}

func omit(x *execution, a []any) (any, error) {
	m, err := toMap(a[0])
	if err == nil {
		err = x.charge(4 * slot * len(m))
	}
	if err != nil {
		return nil, err
	}
	out := maps.Clone(m)
	for _, v := range a[1:] {
		key, err := x.key(v)
		if err != nil {
			return nil, err
		}
		delete(out, key)
	}
	return out, nil
}

// dig follows keys into nested maps: dig "a" "b" default map.
func dig(x *execution, a []any) (any, error) {
	path, fallback, current := a[:len(a)-2], a[len(a)-2], a[len(a)-1]
	for _, step := range path {
		key, err := x.key(step)
		if err != nil {
			return nil, err
		}
		m, ok := current.(map[string]any)
		if !ok {
			return fallback, nil
		}
		if current, ok = m[key]; !ok {
			return fallback, nil
		}
	}
	return current, nil
}

// merge fills the first map from the others, like Sprig's, but into a copy.
func merge(x *execution, a []any, overwrite bool) (any, error) {
	out := map[string]any{}
	for i, v := range a {
		if v == nil && i > 0 {
			continue
		}
		m, err := toMap(v)
		if err != nil {
			return nil, err
		}
		mergeInto(out, m, overwrite)
	}
	_, err := x.plain(out)
	return out, err
}

func mergeInto(dst, src map[string]any, overwrite bool) {
	for key, v := range src {
		old, found := dst[key]
		oldMap, oldIsMap := old.(map[string]any)
		newMap, newIsMap := v.(map[string]any)
		switch {
		case found && oldIsMap && newIsMap:
			mergeInto(oldMap, newMap, overwrite)
		case !found || overwrite || !truth(old):
			dst[key] = deepCopy(v)
		}
	}
}

// deepCopy copies what plain has bounded.
func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = deepCopy(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = deepCopy(item)
		}
		return out
	}
	return v
}
