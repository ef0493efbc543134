// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

// The API server judges the same values when they stand in a generated kind. It
// prunes unknown fields and knows no format quantity, so these stay out of here.
var paritySchemas = []string{
	`{"type":"string"}`,
	`{"type":"string","minLength":1,"maxLength":3,"pattern":"^[a-z]"}`,
	`{"type":"string","enum":["a","b"]}`,
	`{"type":"string","format":"ipv4"}`,
	`{"type":"string","format":"date-time"}`,
	`{"type":"string","format":"duration"}`,
	`{"type":"integer"}`,
	`{"type":"integer","minimum":-1,"maximum":10,"exclusiveMaximum":true}`,
	`{"type":"integer","multipleOf":3}`,
	`{"type":"integer","format":"int32"}`,
	`{"type":"number","minimum":0.5,"exclusiveMinimum":true}`,
	`{"type":"number","multipleOf":0.5}`,
	`{"type":"number","enum":[1,2.5]}`,
	`{"type":"boolean"}`,
	`{"type":"boolean","nullable":true}`,
	`{"x-kubernetes-int-or-string":true,"minimum":2,"maxLength":2}`,
	`{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}`,
	`{"type":"array","items":{"type":"string"},"uniqueItems":true}`,
	`{"type":"object","additionalProperties":{"type":"integer"},"minProperties":1,"maxProperties":1}`,
	`{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"integer"}},"required":["a"]}`,
	`{"type":"integer","anyOf":[{"minimum":5},{"maximum":0}]}`,
	`{"type":"integer","oneOf":[{"minimum":0},{"maximum":5}]}`,
	`{"type":"integer","not":{"enum":[1]},"allOf":[{"maximum":100}]}`,
}

var parityValues = []string{
	`null`, `true`, `""`, `"a"`, `"b"`, `"abcd"`, `"A"`, `"1.2.3.4"`, `"2024-01-01T00:00:00Z"`, `"10s"`, `"10"`,
	`0`, `1`, `1.0`, `-1`, `2`, `2.5`, `3`, `0.5`, `5`, `7`, `9`, `10`, `101`, `3000000000`, `1e3`,
	`[]`, `[1]`, `[1,1]`, `[1,2,3]`, `["a","a"]`, `["a","b"]`, `[null]`,
	`{}`, `{"a":1}`, `{"a":"1"}`, `{"b":1}`, `{"a":1,"b":2}`, `{"a":null}`,
}

func TestParityWithTheAPIServer(t *testing.T) {
	for _, schema := range paritySchemas {
		ours := mustCompile(t, param("p", schema))
		theirs := validate.NewSchemaValidator(openAPI(t, schema), nil, "", strfmt.Default)
		for _, value := range parityValues {
			data := serverValue(t, value)
			want := theirs.Validate(data).IsValid()
			errs := ours.Validate(given(map[string]string{"p": value}), field.NewPath("p"))
			if got := len(errs) == 0; got != want && !serverBug(schema, data) {
				t.Errorf("%s\n  value %s: valid %v, the API server says %v: %v", schema, value, got, want, errs)
			}
		}
	}
}

// serverBug: it takes a list for a string with a format, and refuses an integer
// as a multiple of a fraction.
func serverBug(schema string, value any) bool {
	_, isList := value.([]any)
	_, isInt := value.(int64)
	return isList && strings.Contains(schema, `"string","format"`) || isInt && strings.Contains(schema, `"multipleOf":0.5`)
}

func openAPI(t *testing.T, schema string) *spec.Schema {
	t.Helper()
	out := &spec.Schema{}
	if err := json.Unmarshal([]byte(schema), out); err != nil {
		t.Fatal(err)
	}
	if out.Extensions["x-kubernetes-int-or-string"] == true {
		out.Type = spec.StringOrArray{"integer", "string"}
	}
	return out
}

// serverValue decodes as the API server does: int64 where it fits, else float64.
func serverValue(t *testing.T, value string) any {
	t.Helper()
	v, err := Decode([]byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
