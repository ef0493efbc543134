// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func TestCompileRefuses(t *testing.T) {
	at := "spec.parameters[p]."
	cases := map[string]struct {
		specs []v1alpha1.Parameter
		want  []string
	}{
		"unknown keyword": {
			[]v1alpha1.Parameter{param("p", `{"type":"integer","minimun":1}`)},
			[]string{at + `schema.minimun: Invalid value: unknown keyword; did you mean "minimum"?`},
		},
		"unknown keyword deep inside": {
			[]v1alpha1.Parameter{param("p", `{"type":"array","items":{"type":"object","properties":{"a-b":{"type":"string","maxlength":3}}}}`)},
			[]string{at + `schema.items.properties[a-b].maxlength: Invalid value: unknown keyword; did you mean "maxLength"?`},
		},
		"unknown type": {
			[]v1alpha1.Parameter{param("p", `{"type":"int"}`)},
			[]string{at + `schema.type: Invalid value: "int": unknown type; did you mean "integer"?`},
		},
		"no type": {
			[]v1alpha1.Parameter{param("p", `{"minimum":1}`)},
			[]string{at + `schema.type: Required value: say array, boolean, integer, number, object or string`},
		},
		"not an object": {
			[]v1alpha1.Parameter{param("p", `"string"`)},
			[]string{at + `schema: Invalid value: "string": must be a schema, for example {type: string}`},
		},
		"keyword of another type": {
			[]v1alpha1.Parameter{param("p", `{"type":"string","minimum":1}`)},
			[]string{at + `schema.minimum: Invalid value: means nothing for a value of type string`},
		},
		"reference": {
			[]v1alpha1.Parameter{param("p", `{"$ref":"http://example.com/schema"}`)},
			[]string{at + `schema[$ref]: Forbidden: references are not supported: write the schema out`},
		},
		"default within the schema": {
			[]v1alpha1.Parameter{param("p", `{"type":"string","default":"a"}`)},
			[]string{at + `schema.default: Forbidden: a default stands in the parameter, not in its schema`},
		},
		"pattern that RE2 does not know": {
			[]v1alpha1.Parameter{param("p", `{"type":"string","pattern":"(?=a)"}`)},
			[]string{at + "schema.pattern: Invalid value: \"(?=a)\": is not a regular expression of RE2: error parsing regexp: invalid or unsupported Perl syntax: `(?=`"},
		},
		"unknown format": {
			[]v1alpha1.Parameter{param("p", `{"type":"string","format":"quantiti"}`)},
			[]string{at + `schema.format: Invalid value: "quantiti": unknown format of a value of type string; did you mean "quantity"?`},
		},
		"bounds crossed": {
			[]v1alpha1.Parameter{param("p", `{"type":"integer","minimum":5,"maximum":3}`)},
			[]string{at + `schema.minimum: Invalid value: 5: must be at most maximum (3)`},
		},
		"exclusive bound as in newer JSON Schema": {
			[]v1alpha1.Parameter{param("p", `{"type":"integer","exclusiveMinimum":5}`)},
			[]string{at + `schema.exclusiveMinimum: Invalid value: 5: must be true or false`},
		},
		"enum value that does not fit": {
			[]v1alpha1.Parameter{param("p", `{"type":"integer","enum":[1,"3"]}`)},
			[]string{at + `schema.enum[1]: Invalid value: "3": must be an integer, not a string; write it without quotes`},
		},
		"enum value twice": {
			[]v1alpha1.Parameter{param("p", `{"type":"number","enum":[1,1.0]}`)},
			[]string{at + `schema.enum[1]: Invalid value: 1: must not be in the list twice`},
		},
		"list of nothing": {
			[]v1alpha1.Parameter{param("p", `{"type":"array"}`)},
			[]string{at + `schema.items: Required value: say what the list holds`},
		},
		"object of nothing": {
			[]v1alpha1.Parameter{param("p", `{"type":"object"}`)},
			[]string{at + `schema.properties: Required value: or additionalProperties, or x-kubernetes-preserve-unknown-fields: true for an object with any content`},
		},
		"required property that does not exist": {
			[]v1alpha1.Parameter{param("p", `{"type":"object","properties":{"cron":{"type":"string"}},"required":["corn"]}`)},
			[]string{at + `schema.required: Invalid value: "corn": is not a property; did you mean "cron"?`},
		},
		"type within anyOf": {
			[]v1alpha1.Parameter{param("p", `{"type":"string","anyOf":[{"type":"integer"}]}`)},
			[]string{at + `schema.anyOf[0].type: Forbidden: is not allowed within allOf, anyOf, oneOf and not, as in a CustomResourceDefinition`},
		},
		"too deep": {
			[]v1alpha1.Parameter{param("p", strings.Repeat(`{"type":"array","items":`, 17)+`{"type":"string"}`+strings.Repeat("}", 17))},
			[]string{at + "schema" + strings.Repeat(".items", 17) + `: Invalid value: the schema has more than 1000 parts or 16 levels`},
		},
		"too long": {
			[]v1alpha1.Parameter{param("p", `{"type":"string","description":"`+strings.Repeat("x", 70000)+`"}`)},
			[]string{at + `schema: Invalid value: must have at most 65536 bytes, not 70034`},
		},
		"duplicate keyword": {
			[]v1alpha1.Parameter{param("p", `{"type":"string","type":"integer"}`)},
			[]string{at + `schema: Invalid value: reading JSON: the key "type" appears twice`},
		},
		"default that does not fit": {
			[]v1alpha1.Parameter{withDefault(param("p", `{"type":"integer","enum":[1,3,5,7]}`), `2`)},
			[]string{at + `default: Invalid value: 2: must be one of 1, 3, 5, 7`},
		},
		"default of a string by omission": {
			[]v1alpha1.Parameter{{Name: "p", Default: raw(`3`)}},
			[]string{at + `default: Invalid value: 3: must be a string, not an integer; write it in quotes`},
		},
		"default and required": {
			[]v1alpha1.Parameter{required(withDefault(param("p", `{"type":"integer"}`), `2`))},
			[]string{at + `default: Forbidden: a required parameter has no default: remove one of the two`},
		},
		"secretRef and generate": {
			[]v1alpha1.Parameter{{Name: "p", SecretRef: true, Required: true, Generate: &v1alpha1.Generate{Length: 8}}},
			[]string{
				at + `secretRef: Forbidden: does not go with generate, whose value is {name, key} or made by Kudo`,
				at + `required: Forbidden: does not go with generate, whose value is {name, key} or made by Kudo`,
			},
		},
		"generate with schema and default": {
			[]v1alpha1.Parameter{{Name: "p", Schema: raw(`{"type":"string"}`), Default: raw(`"x"`), Generate: &v1alpha1.Generate{Length: 8}}},
			[]string{
				at + `schema: Forbidden: does not go with generate, whose value is {name, key} or made by Kudo`,
				at + `default: Forbidden: does not go with generate, whose value is {name, key} or made by Kudo`,
			},
		},
		"generate from one character": {
			[]v1alpha1.Parameter{{Name: "p", Generate: &v1alpha1.Generate{Length: 7, Alphabet: "aaa"}}},
			[]string{
				at + `generate.alphabet: Invalid value: must have at least two different characters`,
				at + `generate.length: Invalid value: 7: must be from 8 to 1024`,
			},
		},
		"secretRef of a number": {
			[]v1alpha1.Parameter{{Name: "p", SecretRef: true, Schema: raw(`{"type":"integer"}`)}},
			[]string{at + `schema: Invalid value: the value of a secretRef is the name of a Secret: it must be of type string`},
		},
		"secretRef with a default that is no name": {
			[]v1alpha1.Parameter{{Name: "p", SecretRef: true, Default: raw(`"Hush Hush"`)}},
			[]string{at + `default: Invalid value: is not the name of a Secret: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		},
		"name": {
			[]v1alpha1.Parameter{{Name: "node-count"}},
			[]string{`spec.parameters[0].name: Invalid value: "node-count": must be at most 63 letters, digits and '_', starting with a letter`},
		},
		"name twice": {
			[]v1alpha1.Parameter{{Name: "p"}, {Name: "p"}},
			[]string{`spec.parameters[1].name: Duplicate value: "p"`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, errs := Compile(tc.specs, field.NewPath("spec", "parameters"))
			if s != nil {
				t.Error("a Schema beside errors")
			}
			if diff := cmp.Diff(tc.want, messages(errs)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCompileAccepts(t *testing.T) {
	for _, schema := range []string{
		`{"type":"string"}`,
		`{"x-kubernetes-int-or-string":true}`,
		`{"x-kubernetes-int-or-string":true,"minimum":1,"pattern":"^[0-9]+%$"}`,
		`{"x-kubernetes-preserve-unknown-fields":true}`,
		`{"type":"object","x-kubernetes-preserve-unknown-fields":true}`,
		`{"type":"object","additionalProperties":true}`,
		`{"type":"object","additionalProperties":{"type":"integer"}}`,
		`{"type":"integer","format":"int32","nullable":true,"title":"t","description":"d","example":3}`,
		`{"type":"string","anyOf":[{"format":"ipv4"},{"format":"ipv6"}]}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"oneOf":[{"required":["a"]},{"required":["b"]}]}`,
		`{"type":"object","properties":{"a":{"type":"integer"}},"not":{"properties":{"a":{"enum":[3]}},"required":["a"]}}`,
	} {
		mustCompile(t, param("p", schema))
	}
}

func TestShape(t *testing.T) {
	s := mustCompile(t,
		required(param("n", `{"type":"integer"}`)),
		param("opt", `{"type":"string"}`),
		withDefault(param("list", `{"type":"array","items":{"type":"number"}}`), `[]`),
		required(param("obj", `{"type":"object","properties":{"a":{"type":"boolean"}}}`)),
		required(param("map", `{"type":"object","additionalProperties":{"type":"string"}}`)),
		required(param("port", `{"x-kubernetes-int-or-string":true}`)),
	)
	want := map[string]Shape{
		"n":    {Type: "integer"},
		"opt":  {Type: "string", Optional: true},
		"list": {Type: "array", Items: &Shape{Type: "number"}},
		"obj":  {Type: "object", Fields: map[string]Shape{"a": {Type: "boolean"}}},
		"map":  {Type: "object", Items: &Shape{Type: "string"}},
		"port": {},
	}
	got := map[string]Shape{}
	for _, name := range s.Names() {
		got[name], _ = s.Shape(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := s.Shape("nothing"); ok {
		t.Error("a shape of nothing")
	}
}
