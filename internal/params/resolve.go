// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate says what is wrong with the values that an Instance sets: parameters
// that do not exist, required ones that are missing, values that do not fit.
func (s *Schema) Validate(values map[string]apiextensionsv1.JSON, path *field.Path) field.ErrorList {
	_, errs := s.read(values, path)
	return errs
}

// read decodes and checks; the values that fit are returned beside the errors.
func (s *Schema) read(values map[string]apiextensionsv1.JSON, path *field.Path) (map[string]any, field.ErrorList) {
	var errs field.ErrorList
	size := 0
	for name, raw := range values {
		size += len(name) + len(raw.Raw)
	}
	if size > MaxBytes {
		return nil, field.ErrorList{invalid(path, nil, "all parameters together must have at most %d bytes, not %d", MaxBytes, size)}
	}
	set := make(map[string]any, len(values))
	for _, name := range sortedKeys(values) {
		v, wrong := s.readOne(name, values[name], child(path, name))
		if len(wrong) > 0 {
			errs = append(errs, wrong...)
			continue
		}
		set[name] = v
	}
	for _, name := range s.names {
		if _, ok := values[name]; !ok && s.parameters[name].required {
			errs = append(errs, field.Required(path.Child(name), "this parameter has no default"))
		}
	}
	return set, errs
}

func (s *Schema) readOne(name string, raw apiextensionsv1.JSON, path *field.Path) (any, field.ErrorList) {
	p := s.parameters[name]
	if p == nil {
		return nil, field.ErrorList{invalid(path, nil, "this version has no such parameter%s", Hint(name, s.names))}
	}
	v, err := Decode(raw.Raw)
	if err != nil {
		return nil, field.ErrorList{invalid(path, nil, "%v", err)}
	}
	v = p.node.normalise(v)
	return v, p.check(v, path)
}

// Resolve applies the defaults. It refuses values that Validate refuses. The
// result shares nothing with the Schema.
func (s *Schema) Resolve(values map[string]apiextensionsv1.JSON) (Values, error) {
	set, errs := s.read(values, field.NewPath("parameters"))
	if len(errs) > 0 {
		return nil, fmt.Errorf("resolving parameters: %w", errs.ToAggregate())
	}
	return s.complete(set), nil
}

// complete gives every parameter a value: that of set, else its default, else nil.
func (s *Schema) complete(set map[string]any) Values {
	out := make(Values, len(s.names))
	for _, name := range s.names {
		v, ok := set[name]
		if !ok {
			v = deepCopy(s.parameters[name].fallback)
		}
		out[name] = v
	}
	return out
}

// ValidateUpdate finds immutable parameters whose resolved value changes.
// Values that do not fit the schema are left to Validate.
func (s *Schema) ValidateUpdate(old, updated map[string]apiextensionsv1.JSON, path *field.Path) field.ErrorList {
	before, wrongBefore := s.read(old, path)
	after, wrongAfter := s.read(updated, path)
	if before == nil && len(wrongBefore) > 0 || after == nil && len(wrongAfter) > 0 {
		return nil
	}
	skip := map[string]bool{}
	for _, name := range s.names {
		skip[name] = unread(old, before, name) || unread(updated, after, name)
	}
	return s.changes(s.complete(before), s.complete(after), skip, path)
}

// ValidateChange is ValidateUpdate for values that were resolved before, for
// example those of the last completed run.
func (s *Schema) ValidateChange(old, updated Values, path *field.Path) field.ErrorList {
	return s.changes(old, updated, nil, path)
}

func unread(values map[string]apiextensionsv1.JSON, set map[string]any, name string) bool {
	_, given := values[name]
	_, read := set[name]
	return given && !read
}

func (s *Schema) changes(old, updated Values, skip map[string]bool, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range s.names {
		was, existed := old[name]
		if !s.parameters[name].immutable || skip[name] || !existed || equal(was, updated[name]) {
			continue
		}
		errs = append(errs, invalid(path.Child(name), updated[name], "is immutable: %s", wasSet(was)))
	}
	return errs
}

func wasSet(v any) string {
	switch x := v.(type) {
	case nil:
		return "it was not set when the Instance was created"
	case bool, string, int64, uint64, float64:
		if text := list([]any{x}); len(text) <= maxShown {
			return "it must stay " + text
		}
	}
	return "it must stay as it was when the Instance was created"
}

// Changed says for every parameter whether its value differs. Numbers are
// compared numerically, everything else as written. A value that is not set
// equals null.
func (s *Schema) Changed(old, updated Values) map[string]bool {
	out := make(map[string]bool, len(s.names))
	for _, name := range s.names {
		out[name] = !equal(old[name], updated[name])
	}
	return out
}
