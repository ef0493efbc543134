// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// slot is what an element of a list that a function makes is taken to cost.
const slot = 16

func listFunctions() map[string]function {
	return map[string]function{
		"list":  {min: 0, max: many, lazy: true, impl: func(x *execution, a []any) (any, error) { return slices.Clone(a), x.charge(slot * len(a)) }},
		"first": list1(func(l []any) any { return item(l, 0) }),
		"last":  list1(func(l []any) any { return item(l, len(l)-1) }),
		"rest":  list1(func(l []any) any { return slices.Clone(l[min(1, len(l)):]) }),
		"initial": list1(func(l []any) any {
			return slices.Clone(l[:max(0, len(l)-1)])
		}),
		"reverse": list1(func(l []any) any {
			out := slices.Clone(l)
			slices.Reverse(out)
			return out
		}),
		"compact": list1(func(l []any) any {
			return slices.DeleteFunc(slices.Clone(l), func(v any) bool { return !truth(v) })
		}),
		"append":    {min: 2, max: 2, lazy: true, impl: func(x *execution, a []any) (any, error) { return concat(x, []any{a[0], []any{a[1]}}) }},
		"prepend":   {min: 2, max: 2, lazy: true, impl: func(x *execution, a []any) (any, error) { return concat(x, []any{[]any{a[1]}, a[0]}) }},
		"concat":    {min: 1, max: many, lazy: true, impl: concat},
		"slice":     {min: 1, max: 3, lazy: true, impl: slice},
		"chunk":     {min: 2, max: 2, lazy: true, impl: chunk},
		"uniq":      {min: 1, max: 1, impl: uniq},
		"without":   {min: 2, max: many, impl: without},
		"has":       {min: 2, max: 2, impl: has},
		"sortAlpha": {min: 1, max: 1, impl: sortAlpha},
		"toStrings": {min: 1, max: 1, impl: toStrings},
		"len":       {min: 1, max: 1, lazy: true, impl: length},
		"index":     {min: 1, max: many, lazy: true, impl: index},
	}
}

func list1(f func([]any) any) function {
	return function{min: 1, max: 1, lazy: true, impl: func(x *execution, a []any) (any, error) {
		l, err := toList(a[0])
		if err != nil {
			return nil, err
		}
		return f(l), x.charge(slot * len(l))
	}}
}

func item(l []any, i int) any {
	if i < 0 || i >= len(l) {
		return nil
	}
	return l[i]
}

func concat(x *execution, a []any) (any, error) {
	out := []any{}
	for _, v := range a {
		l, err := toList(v)
		if err != nil {
			return nil, err
		}
		if err := x.charge(slot * (1 + len(l))); err != nil {
			return nil, err
		}
		out = append(out, l...)
	}
	return out, nil
}

func slice(x *execution, a []any) (any, error) {
	l, err := toList(a[0])
	if err != nil {
		return nil, err
	}
	from, to := 0, len(l)
	for i, bound := range []*int{&from, &to} {
		if i+1 < len(a) {
			if *bound, err = small(a[i+1], 1<<20); err != nil {
				return nil, err
			}
		}
	}
	if from < 0 || to > len(l) || from > to {
		return nil, fault("", "the bounds are outside the list of %d", len(l))
	}
	return slices.Clone(l[from:to]), x.charge(slot * (to - from))
}

func chunk(x *execution, a []any) (any, error) {
	size, err := small(a[0], 1<<20)
	if err != nil {
		return nil, err
	}
	l, err := toList(a[1])
	if err != nil || size < 1 {
		return nil, fault("", "a positive size and a list are expected")
	}
	if err := x.charge(3 * slot * len(l)); err != nil {
		return nil, err
	}
	out := []any{}
	for part := range slices.Chunk(l, size) {
		out = append(out, slices.Clone(part))
	}
	return out, nil
}

// canonical is a text that equal values share; the argument is plain and paid.
func canonical(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func uniq(_ *execution, a []any) (any, error) {
	l, err := toList(a[0])
	seen := map[string]bool{}
	out := []any{}
	for _, v := range l {
		if key := canonical(v); !seen[key] {
			seen[key] = true
			out = append(out, v)
		}
	}
	return out, err
}

func without(_ *execution, a []any) (any, error) {
	l, err := toList(a[0])
	drop := map[string]bool{}
	for _, v := range a[1:] {
		drop[canonical(v)] = true
	}
	out := []any{}
	for _, v := range l {
		if !drop[canonical(v)] {
			out = append(out, v)
		}
	}
	return out, err
}

func has(_ *execution, a []any) (any, error) {
	l, err := toList(a[1])
	return slices.ContainsFunc(l, func(v any) bool { return reflect.DeepEqual(v, a[0]) }), err
}

func sortAlpha(_ *execution, a []any) (any, error) {
	l, err := toList(a[0])
	if err != nil {
		return nil, err
	}
	words, err := texts(l)
	slices.SortFunc(words, strings.Compare)
	return anyList(words), err
}

func toStrings(_ *execution, a []any) (any, error) {
	l, err := toList(a[0])
	if err != nil {
		return nil, err
	}
	words, err := texts(l)
	return anyList(words), err
}

// length counts characters, elements or keys.
func length(x *execution, a []any) (any, error) {
	switch v := a[0].(type) {
	case nil:
		return int64(0), nil
	case []any:
		return int64(len(v)), nil
	case map[string]any:
		return int64(len(v)), nil
	case markup:
		text, err := x.resolve(v)
		return int64(utf8.RuneCountInString(text)), err
	case string:
		return int64(utf8.RuneCountInString(v)), x.charge(len(v))
	}
	return nil, fault("", "a %s has no length", kindOf(a[0]))
}

// index walks into maps and lists; a missing key gives null.
func index(_ *execution, a []any) (any, error) {
	current := a[0]
	for _, step := range a[1:] {
		switch v := current.(type) {
		case nil:
			return nil, nil
		case map[string]any:
			key, ok := step.(string)
			if !ok {
				return nil, fault("", "the key of a map must be a string")
			}
			current = v[key]
		case []any:
			i, err := toInt(step)
			if err != nil {
				return nil, err
			}
			if i < 0 || i >= int64(len(v)) {
				return nil, fault("", "the index is outside the list of %d", len(v))
			}
			current = v[i]
		default:
			return nil, fault("", "a %s cannot be indexed", kindOf(current))
		}
	}
	return current, nil
}
