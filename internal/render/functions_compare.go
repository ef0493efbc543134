// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"reflect"
)

// compareFunctions replace text/template's: those would compare markup with its
// holes, and reject 1 against 1.0.
func compareFunctions() map[string]function {
	ordered := func(accept func(int) bool) function {
		return function{min: 2, max: 2, impl: func(_ *execution, a []any) (any, error) {
			c, err := order(a[0], a[1])
			return accept(c), err
		}}
	}
	return map[string]function{
		"eq": {min: 2, max: many, impl: equalsAny},
		"ne": {min: 2, max: 2, impl: func(_ *execution, a []any) (any, error) {
			same, err := equal(a[0], a[1])
			return !same, err
		}},
		"lt": ordered(func(c int) bool { return c < 0 }), "le": ordered(func(c int) bool { return c <= 0 }),
		"gt": ordered(func(c int) bool { return c > 0 }), "ge": ordered(func(c int) bool { return c >= 0 }),
		"deepEqual":     {min: 2, max: 2, impl: func(_ *execution, a []any) (any, error) { return reflect.DeepEqual(a[0], a[1]), nil }},
		"semverCompare": {min: 2, max: 2, impl: semverCompare},
	}
}

func equalsAny(_ *execution, a []any) (any, error) {
	for _, v := range a[1:] {
		same, err := equal(a[0], v)
		if same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func equal(a, b any) (bool, error) {
	if a == nil || b == nil {
		return a == nil && b == nil, nil
	}
	if x, ok := a.(bool); ok {
		if y, ok := b.(bool); ok {
			return x == y, nil
		}
	}
	c, err := order(a, b)
	return c == 0 && err == nil, err
}

func order(a, b any) (int, error) {
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return cmp.Compare(x, y), nil
		}
	}
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y), nil
		}
	}
	if numeric(a) && numeric(b) {
		x, err := toFloat(a)
		if err != nil {
			return 0, err
		}
		y, err := toFloat(b)
		return cmp.Compare(x, y), err
	}
	return 0, fault("convert one of them", "a %s cannot be compared with a %s", kindOf(a), kindOf(b))
}

func numeric(v any) bool {
	switch v.(type) {
	case int64, uint64, float64:
		return true
	}
	return false
}

func semverCompare(x *execution, a []any) (any, error) {
	parts, err := texts(a)
	if err != nil || len(parts) != 2 || len(parts[0]) > 256 || len(parts[1]) > 256 {
		return nil, fault("", "a constraint and a version are expected")
	}
	if err := x.charge(4096); err != nil {
		return nil, err
	}
	ok, err := sprigFunc[func(string, string) (bool, error)]("semverCompare")(parts[0], parts[1])
	if err != nil {
		return nil, fault("", "the constraint or the version is not semantic versioning")
	}
	return ok, nil
}
