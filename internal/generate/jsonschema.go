// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"encoding/json"
	"maps"
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Dialect is the version of JSON Schema that is written. In it a format is a remark, so that
// no other reader's idea of a format refuses what Kudo takes.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// patterns stand in for formats. Each takes everything that Kudo takes for that format, and
// a little more where a pattern can not tell.
var patterns = map[string]string{
	"quantity":       `^[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$`,
	"byte":           `^[A-Za-z0-9+/=\r\n]*$`,
	"cidr":           `^[0-9A-Fa-f:.]+/[0-9]{1,3}$`,
	"date":           `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`,
	"date-time":      `^[0-9]{4}-[0-9]{2}-[0-9]{2}`,
	"email":          `@`,
	"ipv4":           `^[0-9]{1,3}(\.[0-9]{1,3}){3}$`,
	"ipv6":           `:`,
	"k8s-long-name":  `^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`,
	"k8s-short-name": `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`,
	"mac":            `^[0-9A-Fa-f:.-]+$`,
	"uuid":           `^[0-9A-Fa-f-]{32,36}$`,
}

// subdomain is the form of the name of a Secret.
const subdomain = `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`

// kept are the words that mean the same in both languages.
var kept = []string{
	"title", "description", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
	"minProperties", "maxProperties", "required", "multipleOf", "minimum", "maximum", "format", "type",
}

// JSONSchema turns the schema of a parameter into JSON Schema: for editors, and for tools
// that check values before Kudo does. It accepts everything that Kudo accepts.
func JSONSchema(p *v1alpha1.Parameter) (map[string]any, error) {
	schema, err := Schema(p)
	if err != nil {
		return nil, err
	}
	out := Convert(schema)
	if p.SecretRef {
		name := map[string]any{"type": "string", "pattern": subdomain, "maxLength": 253}
		out = map[string]any{"allOf": []any{out, name}}
	}
	if p.Generate != nil {
		properties, _ := out["properties"].(map[string]any)
		properties["name"] = map[string]any{"type": "string", "pattern": subdomain, "maxLength": 253}
		properties["key"] = map[string]any{"type": "string", "pattern": `^[-._a-zA-Z0-9]+$`, "maxLength": 253}
	}
	if p.DisplayName != "" {
		out["title"] = p.DisplayName
	}
	if p.Description != "" {
		out["description"] = p.Description
	}
	if p.Default != nil {
		out["default"] = json.RawMessage(Compact(p.Default.Raw))
	}
	return out, nil
}

// Convert turns a structural OpenAPI v3 schema into JSON Schema. Objects with named fields
// take no others, unless they say so.
func Convert(in map[string]any) map[string]any { return convert(in, false) }

func convert(in map[string]any, branch bool) map[string]any {
	out := map[string]any{}
	for _, word := range kept {
		if v, ok := in[word]; ok {
			out[word] = v
		}
	}
	if in["example"] != nil {
		out["examples"] = []any{in["example"]}
	}
	if in["x-kubernetes-int-or-string"] == true {
		out["type"] = []any{"integer", "string"}
	}
	exclusive(in, out, "exclusiveMinimum", "minimum")
	exclusive(in, out, "exclusiveMaximum", "maximum")
	children(in, out, branch)
	if format, _ := in["format"].(string); format != "" {
		constrain(out, ofFormat(format))
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		if list, ok := in[word].([]any); ok {
			all, _ := out[word].([]any) // a format may have brought some
			out[word] = append(all, each(list)...)
		}
	}
	if not, ok := in["not"].(map[string]any); ok {
		out["not"] = convert(not, true)
	}
	if in["nullable"] == true {
		return nullable(out)
	}
	return out
}

// exclusive: OpenAPI 3.0 says with a boolean how to read a bound.
func exclusive(in, out map[string]any, word, bound string) {
	if in[word] == true && in[bound] != nil {
		out[word] = in[bound]
		delete(out, bound)
	}
}

func children(in, out map[string]any, branch bool) {
	if items, ok := in["items"].(map[string]any); ok {
		out["items"] = convert(items, branch)
	}
	free := in["x-kubernetes-preserve-unknown-fields"] == true
	properties, named := in["properties"].(map[string]any)
	if named {
		fields := make(map[string]any, len(properties))
		for name, p := range properties {
			if field, ok := p.(map[string]any); ok {
				fields[name] = convert(field, branch)
			}
		}
		out["properties"] = fields
	}
	switch values := in["additionalProperties"].(type) {
	case map[string]any:
		out["additionalProperties"] = convert(values, branch)
	case bool:
		out["additionalProperties"] = values || free
	default:
		if named && !free && !branch {
			out["additionalProperties"] = false
		}
	}
}

func each(list []any) []any {
	out := make([]any, 0, len(list))
	for _, b := range list {
		if schema, ok := b.(map[string]any); ok {
			out = append(out, convert(schema, true))
		}
	}
	return out
}

// ofFormat is what a format means, as far as other words can say it. It speaks of values
// of the format's type only.
func ofFormat(format string) map[string]any {
	switch format {
	case "int32":
		return map[string]any{"minimum": json.Number("-2147483648"), "maximum": json.Number("2147483647")}
	case "int64":
		return map[string]any{"minimum": json.Number("-9223372036854775808"), "maximum": json.Number("9223372036854775807")}
	}
	if pattern := patterns[format]; pattern != "" {
		return map[string]any{"pattern": pattern}
	}
	return nil
}

// constrain adds words, beside those of the same name that are there.
func constrain(out, words map[string]any) {
	switch {
	case len(words) == 0:
	case slices.ContainsFunc(slices.Collect(maps.Keys(words)), func(w string) bool { return out[w] != nil }):
		out["allOf"] = []any{words}
	default:
		maps.Copy(out, words)
	}
}

// nullable lets null through whatever else stands there, as Kudo does.
func nullable(schema map[string]any) map[string]any {
	out := map[string]any{"anyOf": []any{map[string]any{"type": "null"}, schema}}
	for _, word := range []string{"title", "description"} {
		if schema[word] != nil {
			out[word] = schema[word]
			delete(schema, word)
		}
	}
	return out
}
