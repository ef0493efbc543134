// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"maps"
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// keyword is a word of the schema language.
type keyword struct {
	// types that the word says something about; none means all.
	types []string
	// shape words describe structure and have no place within allOf, anyOf, oneOf and not.
	shape bool
	read  func(r *reader, n *node, v any, path *field.Path)
}

// keywords is filled in init: reading a schema refers to it again.
var keywords = map[string]keyword{}

func init() {
	maps.Copy(keywords, generalWords())
	maps.Copy(keywords, numberWords())
	maps.Copy(keywords, textWords())
	maps.Copy(keywords, listWords())
	maps.Copy(keywords, objectWords())
}

func generalWords() map[string]keyword {
	return map[string]keyword{
		"type":     {shape: true, read: readType},
		"nullable": {shape: true, read: func(r *reader, n *node, v any, p *field.Path) { n.nullable = r.boolean(v, p) }},
		"enum":     {read: readEnum},
		"format":   {types: []string{typeString, typeInteger, typeNumber}, read: readFormat},

		"allOf": {read: func(r *reader, n *node, v any, p *field.Path) { n.allOf = r.branches(n, v, p) }},
		"anyOf": {read: func(r *reader, n *node, v any, p *field.Path) { n.anyOf = r.branches(n, v, p) }},
		"oneOf": {read: func(r *reader, n *node, v any, p *field.Path) { n.oneOf = r.branches(n, v, p) }},
		"not":   {read: func(r *reader, n *node, v any, p *field.Path) { n.not = r.branch(n, v, p) }},

		"title":        {shape: true, read: func(r *reader, _ *node, v any, p *field.Path) { r.text(v, p) }},
		"description":  {shape: true, read: func(r *reader, _ *node, v any, p *field.Path) { r.text(v, p) }},
		"example":      {shape: true, read: func(_ *reader, n *node, v any, _ *field.Path) { n.example = v }},
		"externalDocs": {shape: true, read: func(*reader, *node, any, *field.Path) {}},

		"x-kubernetes-int-or-string": {shape: true, read: func(r *reader, n *node, v any, p *field.Path) {
			n.intOrString = r.boolean(v, p)
		}},
		"x-kubernetes-preserve-unknown-fields": {shape: true, read: func(r *reader, n *node, v any, p *field.Path) {
			n.open = r.boolean(v, p)
		}},
	}
}

func numberWords() map[string]keyword {
	types := []string{typeInteger, typeNumber}
	return map[string]keyword{
		"minimum":          {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.minimum = r.number(v, p) }},
		"maximum":          {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.maximum = r.number(v, p) }},
		"exclusiveMinimum": {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.aboveMin = r.boolean(v, p) }},
		"exclusiveMaximum": {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.belowMax = r.boolean(v, p) }},
		"multipleOf":       {types: types, read: readMultipleOf},
	}
}

func textWords() map[string]keyword {
	types := []string{typeString}
	return map[string]keyword{
		"minLength": {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.minLength = r.size(v, p) }},
		"maxLength": {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.maxLength = r.size(v, p) }},
		"pattern":   {types: types, read: readPattern},
	}
}

func listWords() map[string]keyword {
	types := []string{typeArray}
	return map[string]keyword{
		"items":       {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.items = r.nested(n, v, p) }},
		"minItems":    {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.minItems = r.size(v, p) }},
		"maxItems":    {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.maxItems = r.size(v, p) }},
		"uniqueItems": {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.unique = r.boolean(v, p) }},
	}
}

func objectWords() map[string]keyword {
	types := []string{typeObject}
	return map[string]keyword{
		"properties":           {types: types, read: readProperties},
		"additionalProperties": {types: types, shape: true, read: readAdditional},
		"required":             {types: types, read: readRequired},
		"minProperties":        {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.minProperties = r.size(v, p) }},
		"maxProperties":        {types: types, read: func(r *reader, n *node, v any, p *field.Path) { n.maxProperties = r.size(v, p) }},
	}
}

// refused are words that exist in OpenAPI or JSON Schema, and why they are not here.
var refused = map[string]string{
	"$ref":                     "references are not supported: write the schema out",
	"$schema":                  "is not supported, as in a CustomResourceDefinition",
	"id":                       "is not supported, as in a CustomResourceDefinition",
	"definitions":              "is not supported, as in a CustomResourceDefinition",
	"dependencies":             "is not supported, as in a CustomResourceDefinition",
	"patternProperties":        "is not supported, as in a CustomResourceDefinition; use additionalProperties",
	"additionalItems":          "is not supported, as in a CustomResourceDefinition",
	"default":                  "a default stands in the parameter, not in its schema",
	"x-kubernetes-validations": "is not supported; use spec.validations",
	"const":                    "is not supported; use enum with one value",

	"x-kubernetes-list-type":     "is not supported: a parameter is replaced as a whole",
	"x-kubernetes-list-map-keys": "is not supported: a parameter is replaced as a whole",
	"x-kubernetes-map-type":      "is not supported: a parameter is replaced as a whole",
}

const maxPatternBytes = 1024

func readType(r *reader, n *node, v any, path *field.Path) {
	n.typ = r.text(v, path)
	if _, ok := typeNames[n.typ]; !ok || n.typ == "null" {
		types := []string{typeArray, typeBoolean, typeInteger, typeNumber, typeObject, typeString}
		if n.typ != "" {
			r.add(invalid(path, n.typ, "unknown type%s", Hint(n.typ, types)))
		}
		n.typ = ""
	}
}

func readEnum(r *reader, n *node, v any, path *field.Path) {
	n.enum = r.list(v, path)
	if len(n.enum) == 0 || len(n.enum) > maxEnum {
		r.add(invalid(path, nil, "must have 1 to %d values", maxEnum))
		n.enum = nil
	}
	if i, ok := firstDuplicate(n.enum); ok {
		r.add(invalid(path.Index(i), n.enum[i], "must not be in the list twice"))
	}
}

func readFormat(r *reader, n *node, v any, path *field.Path) {
	n.format = r.text(v, path)
	if n.format == "" {
		return
	}
	known := formatsOf(r.context(n))
	for _, name := range known {
		if name == n.format {
			return
		}
	}
	r.add(invalid(path, n.format, "unknown format of a value of type %s%s", r.context(n), Hint(n.format, known)))
	n.format = ""
}

func readMultipleOf(r *reader, n *node, v any, path *field.Path) {
	n.multipleOf = r.number(v, path)
	if n.multipleOf != nil && compareNumbers(n.multipleOf, int64(0)) <= 0 {
		r.add(invalid(path, n.multipleOf, "must be greater than 0"))
		n.multipleOf = nil
	}
}

func readPattern(r *reader, n *node, v any, path *field.Path) {
	text := r.text(v, path)
	if len(text) > maxPatternBytes {
		r.add(invalid(path, nil, "must have at most %d bytes, not %d", maxPatternBytes, len(text)))
		return
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		r.add(invalid(path, text, "is not a regular expression of RE2: %v", err))
		return
	}
	n.pattern = pattern
}
