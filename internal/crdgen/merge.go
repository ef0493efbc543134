// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type props = apiextensionsv1.JSONSchemaProps

// merge gives the narrowest schema of this shape that accepts what either accepts. Where
// both say something in words, a wins. It fails where the types do not fit together.
func merge(a, b *props, path string) (*props, error) {
	if typeless(a) || typeless(b) {
		out := anything()
		mergeWords(out, a)
		mergeWords(out, b)
		return out, nil
	}
	out := a.DeepCopy()
	if err := mergeTypes(out, b, path); err != nil {
		return nil, err
	}
	mergeWords(out, b)
	mergeBounds(out, b)
	out.Enum = mergeEnum(a.Enum, b.Enum)
	same(&out.Pattern, b.Pattern)
	same(&out.Format, b.Format)
	same(&out.MultipleOf, b.MultipleOf)
	same(&out.AllOf, b.AllOf)
	same(&out.AnyOf, b.AnyOf)
	same(&out.OneOf, b.OneOf)
	same(&out.Not, b.Not)
	if out.Nullable = a.Nullable || b.Nullable; out.Nullable {
		out.Enum = nil // the API server holds null to the list too
	}
	out.Required = slices.DeleteFunc(out.Required, func(name string) bool { return !slices.Contains(b.Required, name) })
	return out, mergeChildren(out, b, path)
}

// same keeps a constraint that both sides have, and drops it otherwise.
func same[T any](field *T, other T) {
	if !reflect.DeepEqual(*field, other) {
		var none T
		*field = none
	}
}

func mergeTypes(out, b *props, path string) error {
	switch {
	case out.Type == b.Type && out.XIntOrString == b.XIntOrString:
	case out.Type == "integer" && b.Type == "number", out.Type == "number" && b.Type == "integer":
		out.Type = "number"
	case out.XIntOrString && (b.Type == "integer" || b.Type == "string"):
	case b.XIntOrString && (out.Type == "integer" || out.Type == "string"):
		out.Type, out.XIntOrString = "", true
	default:
		return fmt.Errorf("%s is %s in one and %s in the other", path, typeName(out), typeName(b))
	}
	return nil
}

func typeName(p *props) string {
	if p.XIntOrString {
		return "an integer or a string"
	}
	return "of type " + p.Type
}

func mergeWords(out, b *props) {
	if out.Title == "" {
		out.Title = b.Title
	}
	if out.Description == "" {
		out.Description = b.Description
	}
	if out.Example == nil {
		out.Example = b.Example
	}
	if out.ExternalDocs == nil {
		out.ExternalDocs = b.ExternalDocs
	}
}

func mergeBounds(out, b *props) {
	out.Minimum, out.ExclusiveMinimum = looser(out.Minimum, b.Minimum, out.ExclusiveMinimum, b.ExclusiveMinimum, func(x, y float64) bool { return x < y })
	out.Maximum, out.ExclusiveMaximum = looser(out.Maximum, b.Maximum, out.ExclusiveMaximum, b.ExclusiveMaximum, func(x, y float64) bool { return x > y })
	out.MinLength = lower(out.MinLength, b.MinLength)
	out.MinItems = lower(out.MinItems, b.MinItems)
	out.MinProperties = lower(out.MinProperties, b.MinProperties)
	out.MaxLength = higher(out.MaxLength, b.MaxLength)
	out.MaxItems = higher(out.MaxItems, b.MaxItems)
	out.MaxProperties = higher(out.MaxProperties, b.MaxProperties)
}

// looser gives the bound that lets more pass; no bound lets everything pass.
func looser(a, b *float64, aExclusive, bExclusive bool, wider func(x, y float64) bool) (*float64, bool) {
	switch {
	case a == nil || b == nil:
		return nil, false
	case *a == *b:
		return a, aExclusive && bExclusive
	case wider(*a, *b):
		return a, aExclusive
	}
	return b, bExclusive
}

func lower(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	v := min(*a, *b)
	return &v
}

func higher(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	v := max(*a, *b)
	return &v
}

// mergeEnum gives all values of both; where one side lets any value pass, there is no list.
func mergeEnum(a, b []apiextensionsv1.JSON) []apiextensionsv1.JSON {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.ContainsFunc(out, func(have apiextensionsv1.JSON) bool { return sameJSON(have.Raw, v.Raw) }) {
			out = append(out, v)
		}
	}
	return out
}

func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return bytes.Equal(a, b)
	}
	return reflect.DeepEqual(x, y)
}

// mergeChildren merges what a list holds, and the properties of objects.
func mergeChildren(out, b *props, path string) error {
	if out.Items != nil && b.Items != nil {
		items, err := merge(out.Items.Schema, b.Items.Schema, path+"[]")
		if err != nil {
			return err
		}
		out.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: items}
	}
	if open(out) || open(b) {
		return mergeOpen(out, b, path)
	}
	switch mapped, other := free(out), free(b); {
	case mapped != nil && other != nil:
		values, err := merge(mapped, other, path+".*")
		if err != nil {
			return err
		}
		out.AdditionalProperties = &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true, Schema: values}
		return nil
	case mapped != nil && len(b.Properties) > 0, other != nil && len(out.Properties) > 0:
		return fmt.Errorf("%s has free keys in one and fixed fields in the other", path)
	case other != nil:
		out.AdditionalProperties = b.AdditionalProperties
	}
	return mergeProperties(out, b, path)
}

// mergeOpen merges objects of which one may have any field: nothing is known but about the
// fields that both name.
func mergeOpen(out, b *props, path string) error {
	out.XPreserveUnknownFields = anything().XPreserveUnknownFields
	out.AdditionalProperties = nil
	for name := range out.Properties {
		if _, both := b.Properties[name]; !both {
			delete(out.Properties, name)
		}
	}
	shared := &props{Properties: map[string]props{}}
	for name := range out.Properties {
		shared.Properties[name] = b.Properties[name]
	}
	return mergeProperties(out, shared, path)
}

func mergeProperties(out, b *props, path string) error {
	for name := range b.Properties {
		p := b.Properties[name]
		if have, ok := out.Properties[name]; ok {
			both, err := merge(&have, &p, path+"."+name)
			if err != nil {
				return err
			}
			p = *both
		}
		if out.Properties == nil {
			out.Properties = map[string]props{}
		}
		out.Properties[name] = p
	}
	return nil
}

func open(p *props) bool { return p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields }

// free is the schema of the values of an object with free keys.
func free(p *props) *props {
	if p.AdditionalProperties == nil {
		return nil
	}
	return p.AdditionalProperties.Schema
}
