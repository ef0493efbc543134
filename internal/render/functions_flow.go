// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import "text/template"

// flowFunctions choose among values and hand them on unchanged.
func flowFunctions() map[string]function {
	return map[string]function{
		"default":  {min: 2, max: 2, lazy: true, impl: orDefault},
		"coalesce": {min: 1, max: many, lazy: true, impl: coalesce},
		"ternary":  {min: 3, max: 3, lazy: true, impl: ternary},
		"empty":    {min: 1, max: 1, lazy: true, impl: func(_ *execution, a []any) (any, error) { return !truth(a[0]), nil }},
		"all":      {min: 1, max: many, lazy: true, impl: all},
		"any":      {min: 1, max: many, lazy: true, impl: anyOf},
		"required": {min: 2, max: 2, lazy: true, impl: required},
		"fail":     {min: 1, max: 1, impl: fail},
		"kindOf":   {min: 1, max: 1, lazy: true, impl: func(_ *execution, a []any) (any, error) { return goKind(a[0]), nil }},
		"kindIs":   {min: 2, max: 2, lazy: true, impl: func(_ *execution, a []any) (any, error) { return a[0] == any(goKind(a[1])), nil }},
	}
}

func truth(v any) bool {
	yes, _ := template.IsTrue(v)
	return yes
}

func orDefault(_ *execution, a []any) (any, error) {
	if truth(a[1]) {
		return a[1], nil
	}
	return a[0], nil
}

func coalesce(_ *execution, a []any) (any, error) {
	for _, v := range a {
		if truth(v) {
			return v, nil
		}
	}
	return nil, nil
}

func ternary(_ *execution, a []any) (any, error) {
	cond, ok := a[2].(bool)
	if !ok {
		return nil, fault("", "the condition must be a boolean")
	}
	if cond {
		return a[0], nil
	}
	return a[1], nil
}

func all(_ *execution, a []any) (any, error) {
	for _, v := range a {
		if !truth(v) {
			return false, nil
		}
	}
	return true, nil
}

func anyOf(_ *execution, a []any) (any, error) {
	for _, v := range a {
		if truth(v) {
			return true, nil
		}
	}
	return false, nil
}

func required(x *execution, a []any) (any, error) {
	if a[1] != nil && a[1] != "" && a[1] != markup("") {
		return a[1], nil
	}
	message, err := x.plain(a[0])
	if err != nil {
		return nil, err
	}
	return fail(x, []any{message})
}

// fail shows the author's own words.
func fail(_ *execution, a []any) (any, error) {
	message, err := toText(a[0])
	if err != nil {
		return nil, err
	}
	return nil, fault("", "%s", clip(message))
}

// goKind uses the names that Sprig's users know.
func goKind(v any) string {
	switch v.(type) {
	case nil:
		return "invalid"
	case int64:
		return "int64"
	case uint64:
		return "uint64"
	case float64:
		return "float64"
	case []any:
		return "slice"
	}
	return kindOf(v)
}
