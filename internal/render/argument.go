// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// argument prepares one argument: constants of a template get the types of
// data, and unless the function is lazy, markup is resolved and size is paid.
func (x *execution) argument(v any, lazy bool) (any, error) {
	switch t := v.(type) {
	case int:
		return int64(t), nil
	case complex128:
		return nil, fault("", "is a complex number")
	}
	if lazy {
		return v, nil
	}
	return x.plain(v)
}

// plain pays for v and all that it holds, and resolves markup in it. Templates
// can build values that hold themselves or double at every level, so the walk is
// bounded by depth and budget; whoever calls it may then walk freely.
func (x *execution) plain(v any) (any, error) {
	out, _, err := x.plainValue(v, 0)
	return out, err
}

// plainValue also says whether it had to make another value. It copies only what
// holds markup.
func (x *execution) plainValue(v any, depth int) (any, bool, error) {
	if depth > maxValueDepth {
		return nil, false, limit("", "the value is nested more than 100 levels deep, or holds itself")
	}
	switch v := v.(type) {
	case markup:
		text, err := x.resolve(v)
		return text, true, err
	case string:
		return v, false, x.charge(len(v) + 8)
	case []any:
		return x.plainList(v, depth)
	case map[string]any:
		return x.plainMap(v, depth)
	}
	return v, false, x.charge(8)
}

func (x *execution) plainList(list []any, depth int) (any, bool, error) {
	out, copied := list, false
	for i, item := range list {
		got, changed, err := x.plainValue(item, depth+1)
		if err != nil {
			return nil, false, err
		}
		if changed && !copied {
			out, copied = slices.Clone(list), true
		}
		if changed {
			out[i] = got
		}
	}
	return out, copied, x.charge(16)
}

func (x *execution) plainMap(m map[string]any, depth int) (any, bool, error) {
	out, copied := m, false
	for key, item := range m {
		got, changed, err := x.plainValue(item, depth+1)
		if err != nil {
			return nil, false, err
		}
		if err := x.charge(len(key) + 32); err != nil {
			return nil, false, err
		}
		if changed && !copied {
			out, copied = maps.Clone(m), true
		}
		if changed {
			out[key] = got
		}
	}
	return out, copied, x.charge(16)
}

func toText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case nil:
		return "", fault("give a default", "a string is expected, but the value is null")
	case map[string]any, []any:
		return "", fault("use toYaml, toJson or join", "a string is expected, not a %s", kindOf(v))
	}
	return scalarText(v)
}

func toInt(v any) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
	case float64:
		if v >= -(1<<63) && v < 1<<63 {
			return int64(v), nil
		}
	case string:
		if i, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return i, nil
		}
		return 0, fault("", "a string is not an integer in decimal")
	default:
		return 0, fault("", "an integer is expected, not a %s", kindOf(v))
	}
	return 0, fault("", "the number does not fit in 64 bits")
}

func toFloat(v any) (float64, error) {
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return f, nil
		}
		return 0, fault("", "a string is not a number")
	}
	return 0, fault("", "a number is expected, not a %s", kindOf(v))
}

func toList(v any) ([]any, error) {
	if list, ok := v.([]any); ok {
		return list, nil
	}
	if v == nil {
		return nil, nil
	}
	return nil, fault("", "a list is expected, not a %s", kindOf(v))
}

func toMap(v any) (map[string]any, error) {
	if m, ok := v.(map[string]any); ok && m != nil {
		return m, nil
	}
	return nil, fault("", "a map is expected, not a %s", kindOf(v))
}

func small(v any, limitTo int64) (int, error) {
	i, err := toInt(v)
	if err == nil && (i < -limitTo || i > limitTo) {
		return 0, limit("", "the number must be between %d and %d", -limitTo, limitTo)
	}
	return int(i), err
}
