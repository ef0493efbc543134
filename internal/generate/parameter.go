// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Group is a heading and the parameters below it.
type Group struct {
	// Name of the group; empty where none of the parameters has one.
	Name       string
	Parameters []*v1alpha1.Parameter
}

// Groups sorts the parameters under their headings, both in the order of the version.
// Those without a group come first.
func (s *Source) Groups() []Group {
	var out []Group
	all := s.Version.Spec.Parameters
	for i := range all {
		at := slices.IndexFunc(out, func(g Group) bool { return g.Name == all[i].Group })
		if at < 0 {
			at = len(out)
			out = append(out, Group{Name: all[i].Group})
		}
		out[at].Parameters = append(out[at].Parameters, &all[i])
	}
	if at := slices.IndexFunc(out, func(g Group) bool { return g.Name == "" }); at > 0 {
		first := out[at]
		out = slices.Insert(slices.Delete(out, at, at+1), 0, first)
	}
	return out
}

// Notes are what a person must know of a parameter beside its description and type, as
// sentences.
func Notes(p *v1alpha1.Parameter) []string {
	var out []string
	if p.Required {
		out = append(out, "Required.")
	}
	if p.SecretRef {
		out = append(out, "The name of a Secret of the namespace.")
	}
	if p.Generate != nil {
		out = append(out, "A reference {name, key} to a Secret; not set, Kudo makes a value and keeps it in a Secret.")
	}
	if p.Immutable {
		out = append(out, "Immutable.")
	}
	if p.Trigger != "" {
		out = append(out, "A change runs the plan "+p.Trigger+".")
	}
	return out
}

// Schema is the schema of a parameter's value as the author wrote it, or what stands for it.
func Schema(p *v1alpha1.Parameter) (map[string]any, error) {
	if p.Generate != nil {
		text := map[string]any{"type": "string"}
		return map[string]any{
			"type": "object", "required": []any{"name", "key"}, "properties": map[string]any{"name": text, "key": text},
		}, nil
	}
	if p.Schema == nil {
		return map[string]any{"type": "string"}, nil
	}
	var out map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(p.Schema.Raw)))
	decoder.UseNumber()
	if err := decoder.Decode(&out); err != nil {
		return nil, fmt.Errorf("reading the schema of parameter %s: %w", p.Name, err)
	}
	return out, nil
}

// Type says in words what values a schema allows, for example "integer, one of 1, 3, 5".
func Type(schema map[string]any) string {
	parts := []string{noun(schema)}
	if enum, ok := schema["enum"].([]any); ok {
		values := make([]string, 0, len(enum))
		for _, v := range enum {
			values = append(values, Inline(v))
		}
		parts = append(parts, "one of "+strings.Join(values, ", "))
	}
	for _, bound := range []struct{ low, high, unit string }{
		{"minimum", "maximum", ""}, {"minLength", "maxLength", "characters"},
		{"minItems", "maxItems", "items"}, {"minProperties", "maxProperties", "entries"},
	} {
		if text := interval(schema, bound.low, bound.high); text != "" {
			parts = append(parts, strings.TrimSpace(text+" "+bound.unit))
		}
	}
	if of := schema["multipleOf"]; of != nil {
		parts = append(parts, "a multiple of "+Inline(of))
	}
	return strings.Join(parts, ", ")
}

func noun(schema map[string]any) string {
	name, _ := schema["type"].(string)
	switch {
	case schema["x-kubernetes-int-or-string"] == true:
		name = "integer or string"
	case name == "":
		name = "any value"
	case name == "array":
		items, _ := schema["items"].(map[string]any)
		name = "list of " + noun(items)
	case name == "object":
		if values, ok := schema["additionalProperties"].(map[string]any); ok {
			name = "map of " + noun(values)
		}
	}
	if format, ok := schema["format"].(string); ok && format != "" {
		name += " (" + format + ")"
	}
	if schema["nullable"] == true {
		name += " or null"
	}
	return name
}

func interval(schema map[string]any, low, high string) string {
	least, most := schema[low], schema[high]
	above, below := "", ""
	if low == "minimum" && schema["exclusiveMinimum"] == true {
		above = "more than "
	}
	if high == "maximum" && schema["exclusiveMaximum"] == true {
		below = "less than "
	}
	switch {
	case least != nil && most != nil && above == "" && below == "":
		return Inline(least) + " to " + Inline(most)
	case least != nil && most != nil:
		return orElse(above, "at least ") + Inline(least) + ", " + orElse(below, "at most ") + Inline(most)
	case least != nil:
		return orElse(above, "at least ") + Inline(least)
	case most != nil:
		return orElse(below, "at most ") + Inline(most)
	}
	return ""
}

func orElse(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}
