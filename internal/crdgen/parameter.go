// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// quantity is the pattern that stands in for a format that the API server does not know.
const quantity = `^[+-]?[0-9.]{1,40}([a-zA-Z]{0,2}|[eE][+-]?[0-9]{1,2})$`

// schemaOf gives the schema of a parameter's value, without words about the parameter.
func schemaOf(p *v1alpha1.Parameter) (*props, error) {
	if p.Generate != nil {
		return &props{Type: "object", Required: []string{"key", "name"}, Properties: map[string]props{
			"name": {Type: "string", Description: "Name of a Secret of this namespace."},
			"key":  {Type: "string", Description: "Key within the Secret."},
		}}, nil
	}
	out := &props{Type: "string"}
	if p.Schema != nil {
		out = &props{}
		if err := json.Unmarshal(p.Schema.Raw, out); err != nil {
			return nil, fmt.Errorf("reading the schema of parameter %s: %w", p.Name, err)
		}
	}
	admit(out)
	if !structural(out) {
		return anything(), nil // one parameter must not take its kind away
	}
	return out, nil
}

// anything accepts every value.
func anything() *props {
	yes := true
	return &props{XPreserveUnknownFields: &yes}
}

// admit takes off what a CustomResourceDefinition can not hold; admission of the objects
// checks it all the same. What is left accepts at least as much as before.
func admit(p *props) {
	p.UniqueItems = false
	if p.Format == "quantity" {
		p.Format = ""
		if p.Pattern == "" {
			p.Pattern = quantity
		}
	}
	if p.Nullable {
		p.Enum = nil // the API server holds null to the list too
	}
	if a := p.AdditionalProperties; a != nil && (a.Schema == nil || len(p.Properties) > 0) {
		if a.Allows || a.Schema != nil { // a definition has either fields or free keys
			p.XPreserveUnknownFields = anything().XPreserveUnknownFields
		}
		p.AdditionalProperties = nil
	}
	admitBranches(p)
	for name, child := range p.Properties {
		admit(&child)
		p.Properties[name] = child
	}
	if p.Items != nil && p.Items.Schema != nil {
		admit(p.Items.Schema)
	}
	if values := free(p); values != nil {
		admit(values)
	}
	if typeless(p) {
		// Without a type, and not an integer or a string, only this is structural.
		p.XPreserveUnknownFields = anything().XPreserveUnknownFields
	}
}

// admitBranches drops every junctor that a definition would have to hold in another form: to
// loosen what stands in a branch may tighten the whole.
func admitBranches(p *props) {
	keep := func(branches []props) []props {
		if slices.ContainsFunc(branches, func(b props) bool { return !plain(&b) }) {
			return nil
		}
		return branches
	}
	p.AllOf, p.AnyOf, p.OneOf = keep(p.AllOf), keep(p.AnyOf), keep(p.OneOf)
	if p.Not != nil && !plain(p.Not) {
		p.Not = nil
	}
}

// plain says whether a branch holds nothing that would have to be changed, and names no fields.
func plain(p *props) bool {
	if p.UniqueItems || p.Format == "quantity" || p.AdditionalProperties != nil || p.Items != nil || len(p.Properties) > 0 || open(p) {
		return false
	}
	for _, branches := range [][]props{p.AllOf, p.AnyOf, p.OneOf} {
		if slices.ContainsFunc(branches, func(b props) bool { return !plain(&b) }) {
			return false
		}
	}
	return p.Not == nil || plain(p.Not)
}

func typeless(p *props) bool { return p.Type == "" && !p.XIntOrString }

// structural says whether the API server would take a schema.
func structural(p *props) bool {
	within := &props{Type: "object", Properties: map[string]props{"x": *p}}
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(within, internal, nil); err != nil {
		return false
	}
	s, err := schema.NewStructural(internal)
	return err == nil && len(schema.ValidateStructural(nil, s)) == 0
}

// use is one version's idea of a parameter.
type use struct {
	version   string
	parameter *v1alpha1.Parameter
}

const (
	maxDefault = 200
	maxListed  = 5
)

// describe says what a person must know to set the parameter; uses are newest first.
func describe(uses []use, versions int) string {
	newest := uses[0].parameter
	parts := []string{sentence(newest.Description)}
	if newest.Description == "" {
		parts = []string{sentence(newest.DisplayName)}
	}
	parts = append(parts, defaults(uses)...)
	if newest.Required {
		parts = append(parts, "Required.")
	}
	if newest.SecretRef {
		parts = append(parts, "The name of a Secret of this namespace.")
	}
	if newest.Generate != nil {
		parts = append(parts, "A reference to a key of a Secret; not set, Kudo makes a value and keeps it in a Secret.")
	}
	if newest.Immutable {
		parts = append(parts, "Can not be changed later.")
	}
	if newest.Trigger != "" {
		parts = append(parts, "A change runs the plan "+newest.Trigger+".")
	}
	if newest.Group != "" {
		parts = append(parts, "Group: "+newest.Group+".")
	}
	if len(uses) < versions {
		parts = append(parts, "Only in "+those(uses)+".")
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?:") {
		return text
	}
	return text + "."
}

func those(uses []use) string {
	var names []string
	for _, u := range uses[:min(len(uses), maxListed)] {
		names = append(names, u.version)
	}
	if more := len(uses) - maxListed; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// defaults names the default, and where it differs between versions, that of each.
func defaults(uses []use) []string {
	first := shown(uses[0].parameter.Default)
	differs := slices.ContainsFunc(uses, func(u use) bool { return shown(u.parameter.Default) != first })
	switch {
	case !differs && first == "":
		return nil
	case !differs:
		return []string{"Default: " + first + "."}
	}
	var out []string
	for _, u := range uses[:min(len(uses), maxListed)] {
		text := shown(u.parameter.Default)
		if text == "" {
			text = "none"
		}
		out = append(out, text+" in "+u.version)
	}
	return []string{"Default: " + strings.Join(out, ", ") + "."}
}

func shown(v *apiextensionsv1.JSON) string {
	if v == nil {
		return ""
	}
	var b bytes.Buffer
	if err := json.Compact(&b, v.Raw); err != nil || b.Len() > maxDefault {
		return "see the version"
	}
	return b.String()
}
