// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"encoding/json"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// parameters are those of the new package.
func (im *importer) parameters() []v1alpha1.Parameter {
	out := make([]v1alpha1.Parameter, 0, len(im.params))
	for _, p := range im.params {
		description := p.description
		if p.hint != "" {
			description = strings.TrimSpace(description + "\n" + p.hint)
		}
		q := v1alpha1.Parameter{
			Name: p.name, DisplayName: clip(p.displayName, 120), Description: clip(strings.TrimSpace(description), 4000), Group: clip(p.group, 60),
			Required: p.required, Immutable: p.immutable, Trigger: p.trigger.text,
		}
		if schema := im.schema(p); schema != nil {
			q.Schema = asJSON(schema)
		}
		if v := p.typedDefault(); v != nil {
			q.Default = asJSON(v)
		}
		out = append(out, q)
	}
	return out
}

func asJSON(v any) *apiextensionsv1.JSON {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return &apiextensionsv1.JSON{Raw: raw}
}

// schema is that of a parameter; nil for any string.
func (im *importer) schema(p *parameter) map[string]any {
	switch p.kind {
	case asInteger:
		return map[string]any{"type": "integer"}
	case asNumber:
		return map[string]any{"type": "number"}
	case asBoolean:
		return map[string]any{"type": "boolean"}
	case asEither:
		return map[string]any{either: true}
	case asQuantity:
		return map[string]any{"type": "string", "format": "quantity"}
	case asList:
		items := map[string]any{anyFields: true}
		if p.shape != nil && p.shape.items != nil {
			items = im.schemaOf(p.shape.items, "")
		}
		schema := map[string]any{"type": "array", "items": items}
		if p.unique {
			schema["uniqueItems"] = true
		}
		return schema
	case asMap:
		return im.mapSchema(p)
	default:
		return p.textSchema()
	}
}

// mapSchema has properties where templates read fields, else it takes any.
func (im *importer) mapSchema(p *parameter) map[string]any {
	open := map[string]any{"type": "object", anyFields: true}
	if p.shape == nil || len(p.shape.fields) == 0 {
		return open
	}
	schema := im.schemaOf(p.shape, "")
	value, _ := p.typedDefault().(map[string]any)
	var required []any
	for name := range p.shape.fields {
		if _, set := value[name]; set {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		schema["required"] = sorted(required)
	}
	return schema
}

// textSchema keeps the values of an enumeration, and the form of a declared type.
func (p *parameter) textSchema() map[string]any {
	if len(p.enum) > 0 {
		values := []any{}
		seen := map[string]bool{}
		add := func(v string) {
			if !seen[v] {
				values = append(values, v)
				seen[v] = true
			}
		}
		for _, v := range p.enum {
			add(v)
		}
		if !p.required {
			add(p.text)
		}
		return map[string]any{"type": "string", "enum": values}
	}
	if p.form != "" {
		return map[string]any{"type": "string", "pattern": p.form}
	}
	pattern := map[string]string{"integer": `-?[0-9]+`, "number": `-?[0-9]+(\.[0-9]+)?`, "boolean": `(true|false)`}[p.declared]
	switch {
	case pattern == "" && p.maxLength > 0:
		return map[string]any{"type": "string", "maxLength": p.maxLength}
	case pattern == "":
		return nil
	}
	if p.optional {
		pattern = "(" + pattern + ")?"
	}
	return map[string]any{"type": "string", "pattern": "^" + pattern + "$"}
}

// typedDefault is the default in the type of the parameter; nil for none.
func (p *parameter) typedDefault() any {
	switch {
	case p.required:
		return nil
	case p.kind.structured():
		return p.structuredDefault()
	case p.optional:
		return "" // what templates of KUDO saw
	}
	switch p.kind {
	case asInteger, asEither:
		if canonicalInteger(p.text) {
			return json.Number(p.text)
		}
	case asNumber:
		return json.Number(p.text)
	case asBoolean:
		return p.text == "true"
	default:
	}
	return p.text
}

func (p *parameter) structuredDefault() any {
	value := p.value
	if text, isText := value.(string); isText {
		value, _ = parseText(text)
	}
	switch value := value.(type) {
	case []any:
		if p.kind == asList {
			return value
		}
	case map[string]any:
		if p.kind == asMap {
			return value
		}
	}
	return nil
}
