// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

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
	return out, nil
}

// admit takes off what a CustomResourceDefinition can not hold; admission of the objects
// checks it all the same.
func admit(p *props) {
	p.UniqueItems = false
	if p.Format == "quantity" {
		p.Format = ""
		if p.Pattern == "" {
			p.Pattern = quantity
		}
	}
	if a := p.AdditionalProperties; a != nil && a.Schema == nil && !a.Allows {
		p.AdditionalProperties = nil
	}
	for _, branches := range [][]props{p.AllOf, p.AnyOf, p.OneOf} {
		for i := range branches {
			admit(&branches[i])
		}
	}
	if p.Not != nil {
		admit(p.Not)
	}
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
	// Without a type, and not an integer or a string, only this is structural.
	if p.Type == "" && !p.XIntOrString && !open(p) {
		yes := true
		p.XPreserveUnknownFields = &yes
	}
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
