// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// A secret is never a value: it is the name of a Secret, or a reference to a key of one.

// refer makes a parameter one whose value names a Secret.
func (p *parameter) refer(path *field.Path) field.ErrorList {
	p.secret = true
	if p.node.typ != typeString {
		return field.ErrorList{invalid(path.Child("schema"), nil, "the value of a secretRef is the name of a Secret: it must be of type string")}
	}
	return nil
}

// generate makes a parameter one whose value is a reference: of the user's own, or else
// to what Kudo makes.
func (p *parameter) generate(spec *v1alpha1.Parameter, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, other := range []struct {
		set  bool
		name string
	}{
		{spec.SecretRef, "secretRef"}, {spec.Schema != nil, "schema"}, {spec.Default != nil, "default"}, {spec.Required, "required"},
	} {
		if other.set {
			errs = append(errs, field.Forbidden(path.Child(other.name), "does not go with generate, whose value is {name, key} or made by Kudo"))
		}
	}
	if few := distinct(spec.Generate.Alphabet); few == 1 {
		errs = append(errs, invalid(path.Child("generate", "alphabet"), nil, "must have at least two different characters"))
	}
	if spec.Generate.Length < minSecret || spec.Generate.Length > maxSecret {
		errs = append(errs, invalid(path.Child("generate", "length"), int64(spec.Generate.Length), "must be from %d to %d", minSecret, maxSecret))
	}
	p.generated = spec.Generate
	p.node = &node{typ: typeObject, required: []string{"key", "name"}, properties: map[string]*node{
		"name": {typ: typeString}, "key": {typ: typeString},
	}}
	return errs
}

// Bounds of the length of a generated value, as in the CRD.
const minSecret, maxSecret = 8, 1024

func distinct(alphabet string) int {
	seen := map[rune]bool{}
	for _, c := range alphabet {
		seen[c] = true
	}
	return len(seen)
}

// check holds a value to the schema, and a reference to the names that a Secret can have.
func (p *parameter) check(v any, path *field.Path) field.ErrorList {
	errs := p.node.check(v, path)
	if len(errs) > 0 && (p.secret || p.generated != nil) {
		for _, e := range errs {
			e.BadValue = field.OmitValueType{} // it may be a secret in the wrong place
		}
	}
	if len(errs) > 0 || v == nil {
		return errs
	}
	switch {
	case p.secret:
		return checkName(v, path, "name of a Secret", validation.IsDNS1123Subdomain)
	case p.generated != nil:
		if ref, ok := v.(map[string]any); ok {
			errs = checkName(ref["name"], path.Child("name"), "name of a Secret", validation.IsDNS1123Subdomain)
			return append(errs, checkName(ref["key"], path.Child("key"), "key of a Secret", validation.IsConfigMapKey)...)
		}
	}
	return nil
}

// checkName does not repeat the value either.
func checkName(v any, path *field.Path, what string, valid func(string) []string) field.ErrorList {
	if text, ok := v.(string); ok && len(valid(text)) > 0 {
		return field.ErrorList{field.Invalid(path, field.OmitValueType{}, "is not the "+what+": "+strings.Join(valid(text), "; "))}
	}
	return nil
}

// Generated gives, by parameter, how to make the secrets that Kudo makes.
func (s *Schema) Generated() map[string]v1alpha1.Generate {
	out := map[string]v1alpha1.Generate{}
	for name, p := range s.parameters {
		if p.generated != nil {
			out[name] = *p.generated
		}
	}
	return out
}
