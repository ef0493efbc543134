// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/generate"
)

// width at which comments break.
const width = 96

// commented lists the parameters as comments with their defaults: Kudo resolves defaults
// when a plan runs, so a chart must not store them in the object.
func commented(s *generate.Source) string {
	var out strings.Builder
	for _, g := range s.Groups() {
		if g.Name != "" {
			fmt.Fprintf(&out, "  #\n  # == %s ==\n", line(g.Name))
		}
		for _, p := range g.Parameters {
			out.WriteString("  #\n")
			for _, l := range wrap(about(p), width-4) {
				out.WriteString("  # " + l + "\n")
			}
			out.WriteString("  # " + p.Name + ": " + fallback(p) + "\n")
		}
	}
	return out.String()
}

// about is what the comment above a parameter says.
func about(p *v1alpha1.Parameter) string {
	parts := []string{}
	if p.Description != "" {
		parts = append(parts, generate.Sentence(p.Description))
	} else if p.DisplayName != "" {
		parts = append(parts, generate.Sentence(p.DisplayName))
	}
	parts = append(parts, generate.Notes(p)...)
	if schema, err := generate.Schema(p); err == nil {
		parts = append(parts, "["+generate.Type(schema)+"]")
	}
	return line(strings.Join(parts, " "))
}

func fallback(p *v1alpha1.Parameter) string {
	if p.Default == nil {
		return "null"
	}
	return generate.Compact(p.Default.Raw) // JSON is YAML
}

func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// wrap breaks a text between words.
func wrap(text string, most int) []string {
	var out []string
	current := ""
	for word := range strings.FieldsSeq(text) {
		if current != "" && len(current)+1+len(word) > most {
			out, current = append(out, current), ""
		}
		if current != "" {
			current += " "
		}
		current += word
	}
	if current != "" {
		out = append(out, current)
	}
	return out
}

// object is a schema of an object with these fields and no others.
func object(description string, fields map[string]any) map[string]any {
	return map[string]any{"type": "object", "description": description, "additionalProperties": false, "properties": fields}
}

func text(description string) map[string]any {
	return map[string]any{"type": "string", "description": description}
}

// named is a name of an object, or of a namespace; empty where there is a default.
func named(description string) map[string]any {
	out := text(description)
	out["maxLength"], out["pattern"] = 253, "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"
	return out
}

func truth(description string) map[string]any {
	return map[string]any{"type": "boolean", "description": description}
}

func words(description string) map[string]any {
	return map[string]any{"type": "object", "description": description, "additionalProperties": map[string]any{"type": "string"}}
}

// valuesSchema makes values.schema.json. What is required is not said here but by the
// templates: a chart must pass lint before anybody has set anything.
func valuesSchema(s *generate.Source, longest int, elsewhere bool) ([]byte, error) {
	parameters := map[string]any{}
	for i := range s.Version.Spec.Parameters {
		p := &s.Version.Spec.Parameters[i]
		schema, err := generate.JSONSchema(p)
		if err != nil {
			return nil, err
		}
		parameters[p.Name] = schema
	}
	settings, err := settings(s)
	if err != nil {
		return nil, err
	}
	name := text("Name of the object; empty for that of the release.")
	name["maxLength"], name["pattern"] = longest, "^([a-z]([-a-z0-9]*[a-z0-9])?)?$"
	fields := map[string]any{
		"global":      map[string]any{"type": "object", "description": "Values that a parent chart shares. Not used."},
		"name":        name,
		"labels":      words("More labels of the object. They go to everything that Kudo makes for it."),
		"annotations": words("More annotations of the object."),
		"serviceAccount": object("The account as which Kudo writes the objects.", map[string]any{
			"create": truth("Whether the chart makes the account."),
			"name":   named("Name of the account; empty for the object's, followed by -installer."),
		}),
		"rbac": object("The rights of the account.", map[string]any{
			"create": truth("Whether the chart makes the Role of the account, and what lets Kudo act as it."),
		}),
		"manager": object("The account of Kudo's manager.", map[string]any{
			"serviceAccount": named("Name of the account."), "namespace": named("Namespace of the account."),
		}),
		"spec":       object("Other fields of the object's spec: see kubectl explain "+s.Names.Singular+".spec.", settings),
		"parameters": object("Parameters of "+s.Title()+". What is not set takes the default of the version.", parameters),
	}
	if elsewhere {
		fields["otherNamespaces"] = map[string]any{
			"type": "array", "items": named("A namespace."),
			"description": "Other namespaces in which the parameters place objects: the account gets its rights there too.",
		}
	}
	root := object("Values of the chart "+s.Framework.Name+".", fields)
	root["$schema"], root["title"] = generate.Dialect, s.Title()+" "+s.Version.Spec.Version
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("encoding values.schema.json: %w", err)
	}
	return out.Bytes(), nil
}

// settings are the fields of the generated kind's spec that have no place of their own in
// the values.
func settings(s *generate.Source) (map[string]any, error) {
	crd, err := crdgen.Build(s.Framework, []*v1alpha1.FrameworkVersion{s.FrameworkVersion})
	if err != nil {
		return nil, fmt.Errorf("making the definition of the kind %s: %w", s.Kind.Kind, err)
	}
	raw, err := json.Marshal(crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])
	if err != nil {
		return nil, fmt.Errorf("encoding the definition of the kind %s: %w", s.Kind.Kind, err)
	}
	var spec map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&spec); err != nil {
		return nil, fmt.Errorf("reading the definition of the kind %s: %w", s.Kind.Kind, err)
	}
	fields, _ := generate.Convert(spec)["properties"].(map[string]any)
	for _, own := range []string{"version", "serviceAccountName", "parameters"} {
		delete(fields, own)
	}
	return fields, nil
}
