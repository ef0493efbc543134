// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidate(t *testing.T) {
	cases := map[string]struct {
		schema string
		value  string
		want   string
	}{
		"enum":                  {`{"type":"integer","enum":[1,3,5,7]}`, `2`, `2: must be one of 1, 3, 5, 7`},
		"enum of strings":       {`{"type":"string","enum":["a","b"]}`, `"c"`, `"c": must be one of "a", "b"`},
		"enum fits":             {`{"type":"integer","enum":[1,3,5,7]}`, `3`, ``},
		"integer as string":     {`{"type":"integer"}`, `"3"`, `"3": must be an integer, not a string; write it without quotes`},
		"string as integer":     {`{"type":"string"}`, `3`, `3: must be a string, not an integer; write it in quotes`},
		"string as boolean":     {`{"type":"string"}`, `false`, `false: must be a string, not true or false; write it in quotes`},
		"boolean as string":     {`{"type":"boolean"}`, `"no"`, `"no": must be true or false, not a string`},
		"fraction":              {`{"type":"integer"}`, `1.5`, `1.5: must be an integer, not a number`},
		"integral float":        {`{"type":"integer"}`, `1.0`, ``},
		"null":                  {`{"type":"integer"}`, `null`, `must be an integer, not null; leave it out to take the default`},
		"nullable":              {`{"type":"integer","nullable":true}`, `null`, ``},
		"minimum":               {`{"type":"integer","minimum":512,"maximum":16384}`, `1`, `1: must be at least 512`},
		"maximum":               {`{"type":"integer","minimum":512,"maximum":16384}`, `16385`, `16385: must be at most 16384`},
		"exclusive minimum":     {`{"type":"number","minimum":0,"exclusiveMinimum":true}`, `0`, `0: must be greater than 0`},
		"exclusive maximum":     {`{"type":"number","maximum":1,"exclusiveMaximum":true}`, `1.0`, `1: must be less than 1`},
		"maximum past 2^53":     {`{"type":"integer","maximum":9007199254740992}`, `9007199254740993`, `9007199254740993: must be at most 9007199254740992`},
		"multiple":              {`{"type":"integer","multipleOf":5}`, `7`, `7: must be a multiple of 5`},
		"multiple of a decimal": {`{"type":"number","multipleOf":0.1}`, `0.3`, ``},
		"20 digits":             {`{"type":"integer"}`, `18446744073709551615`, ``},
		"21 digits":             {`{"type":"integer"}`, `184467440737095516150`, `1.844674407370955e+20: must be an integer, not a number`},
		"int32":                 {`{"type":"integer","format":"int32"}`, `3000000000`, `3000000000: must fit the format int32 (-2147483648 to 2147483647)`},
		"too short":             {`{"type":"string","minLength":1}`, `""`, `"": must have at least 1 character`},
		"too long":              {`{"type":"string","maxLength":3}`, `"äöüß"`, `"äöüß": must have at most 3 characters, not 4`},
		"runes":                 {`{"type":"string","maxLength":4}`, `"äöüß"`, ``},
		"pattern":               {`{"type":"string","pattern":"^[a-z]+$"}`, `"A"`, `"A": must match the pattern ^[a-z]+$`},
		"quantity":              {`{"type":"string","format":"quantity"}`, `"1GB"`, `"1GB": must be a quantity such as 512Mi or 0.5`},
		"quantity fits":         {`{"type":"string","format":"quantity"}`, `"1.5Gi"`, ``},
		"quantity of a bomb":    {`{"type":"string","format":"quantity"}`, `"1e999999999"`, `"1e999999999": must be a quantity such as 512Mi or 0.5`},
		"duration":              {`{"type":"string","format":"duration"}`, `"soon"`, `"soon": must have the format duration, for example 10s`},
		"int or string":         {`{"x-kubernetes-int-or-string":true}`, `"50%"`, ``},
		"int or string, int":    {`{"x-kubernetes-int-or-string":true}`, `50`, ``},
		"int or string, bool":   {`{"x-kubernetes-int-or-string":true}`, `true`, `true: must be an integer or a string, not true or false`},
		"list item":             {`{"type":"array","items":{"type":"integer","minimum":1}}`, `[1,0]`, `[1]: Invalid value: 0: must be at least 1`},
		"list as object":        {`{"type":"array","items":{"type":"integer"}}`, `{}`, `must be a list, not an object`},
		"too few items":         {`{"type":"array","items":{"type":"integer"},"minItems":2}`, `[1]`, `must have at least 2 items, not 1`},
		"too many items":        {`{"type":"array","items":{"type":"integer"},"maxItems":1}`, `[1,2]`, `must have at most 1 item, not 2`},
		"unique":                {`{"type":"array","items":{"type":"number"},"uniqueItems":true}`, `[1,2,1.0]`, `[2]: Invalid value: 1: must not be in the list twice`},
		"unknown field":         {`{"type":"object","properties":{"cron":{"type":"string"}}}`, `{"corn":"x"}`, `.corn: Invalid value: unknown field; did you mean "cron"?`},
		"required field":        {`{"type":"object","properties":{"cron":{"type":"string"}},"required":["cron"]}`, `{}`, `.cron: Required value`},
		"open object":           {`{"type":"object","x-kubernetes-preserve-unknown-fields":true}`, `{"a":{"b":[1]}}`, ``},
		"free keys":             {`{"type":"object","additionalProperties":{"type":"string"}}`, `{"a.b/c":1}`, `[a.b/c]: Invalid value: 1: must be a string, not an integer; write it in quotes`},
		"too many entries":      {`{"type":"object","additionalProperties":{"type":"string"},"maxProperties":1}`, `{"a":"","b":""}`, `must have at most 1 entry, not 2`},
		"too few entries":       {`{"type":"object","additionalProperties":{"type":"string"},"minProperties":2}`, `{}`, `must have at least 2 entries, not 0`},
		"anyOf":                 {`{"type":"string","anyOf":[{"format":"ipv4"},{"maxLength":2}]}`, `"abc"`, `"abc": must fit one of these: must have the format ipv4, for example 10.0.0.1; or must have at most 2 characters, not 3`},
		"oneOf":                 {`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{}`, `must fit exactly one of these: a is required; or b is required`},
		"oneOf, two":            {`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{"a":"","b":""}`, `must fit exactly one alternative of oneOf, but fits 2`},
		"allOf":                 {`{"type":"integer","allOf":[{"minimum":3}]}`, `2`, `2: must be at least 3`},
		"not":                   {`{"type":"integer","not":{"enum":[13]}}`, `13`, `13: is excluded by the schema's "not"`},
		"twice the same key":    {`{"type":"object","additionalProperties":{"type":"string"}}`, `{"a":"","a":""}`, `reading JSON: the key "a" appears twice`},
		"broken":                {`{"type":"string"}`, `{`, `reading JSON: the value ends too early`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := mustCompile(t, param("p", tc.schema))
			var want []string
			switch {
			case strings.HasPrefix(tc.want, ".") || strings.HasPrefix(tc.want, "["):
				want = []string{"spec.parameters.p" + tc.want}
			case tc.want != "":
				want = []string{"spec.parameters.p: Invalid value: " + tc.want}
			}
			got := s.Validate(given(map[string]string{"p": tc.value}), field.NewPath("spec", "parameters"))
			if diff := cmp.Diff(want, messages(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidateNames(t *testing.T) {
	s := mustCompile(t, required(param("nodeCount", `{"type":"integer"}`)), param("memory", `{"type":"string"}`))
	got := s.Validate(given(map[string]string{"nodecount": "3", "zzz": "1"}), field.NewPath("spec", "parameters"))
	want := []string{
		`spec.parameters.nodecount: Invalid value: this version has no such parameter; did you mean "nodeCount"?`,
		`spec.parameters.zzz: Invalid value: this version has no such parameter; there is nodeCount, memory`,
		`spec.parameters.nodeCount: Required value: this parameter has no default`,
	}
	if diff := cmp.Diff(want, messages(got)); diff != "" {
		t.Error(diff)
	}
}

func TestValidateSize(t *testing.T) {
	s := mustCompile(t, param("p", `{"type":"string"}`))
	got := s.Validate(given(map[string]string{"p": `"` + strings.Repeat("x", MaxBytes) + `"`}), field.NewPath("spec", "parameters"))
	want := []string{`spec.parameters: Invalid value: all parameters together must have at most 262144 bytes, not 262147`}
	if diff := cmp.Diff(want, messages(got)); diff != "" {
		t.Error(diff)
	}
}

func TestResolve(t *testing.T) {
	s := mustCompile(t,
		withDefault(param("replicas", `{"type":"integer"}`), `3.0`),
		withDefault(param("id", `{"type":"integer"}`), `18446744073709551615`),
		withDefault(param("backup", `{"type":"object","additionalProperties":{"type":"integer"}}`), `{"keep":8}`),
		param("ratio", `{"type":"number"}`),
		param("unset", `{"type":"string"}`),
	)
	got, err := s.Resolve(given(map[string]string{"ratio": "0.5"}))
	if err != nil {
		t.Fatal(err)
	}
	want := Values{
		"replicas": int64(3), "id": uint64(math.MaxUint64), "backup": map[string]any{"keep": int64(8)},
		"ratio": 0.5, "unset": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got["backup"].(map[string]any)["keep"] = int64(0)
	again, _ := s.Resolve(nil)
	if diff := cmp.Diff(map[string]any{"keep": int64(8)}, again["backup"]); diff != "" {
		t.Errorf("a caller changed the default: %s", diff)
	}
	_, err = s.Resolve(given(map[string]string{"replicas": `"3"`}))
	wantErr := `resolving parameters: parameters.replicas: Invalid value: "3": must be an integer, not a string; write it without quotes`
	if err == nil || err.Error() != wantErr {
		t.Errorf("got %v", err)
	}
}

func TestValidateUpdate(t *testing.T) {
	s := mustCompile(t,
		immutable(withDefault(param("storage", `{"type":"string"}`), `"8Gi"`)),
		immutable(param("zone", `{"type":"string"}`)),
		immutable(withDefault(param("shards", `{"type":"number"}`), `1`)),
		param("replicas", `{"type":"integer"}`),
	)
	cases := map[string]struct {
		old, updated map[string]string
		want         []string
	}{
		"the default, written out": {nil, map[string]string{"storage": `"8Gi"`, "shards": "1.0"}, nil},
		"other than the default": {nil, map[string]string{"storage": `"9Gi"`},
			[]string{`spec.parameters.storage: Invalid value: "9Gi": is immutable: it must stay "8Gi"`}},
		"back to the default": {map[string]string{"storage": `"9Gi"`}, nil,
			[]string{`spec.parameters.storage: Invalid value: "8Gi": is immutable: it must stay "9Gi"`}},
		"set later": {nil, map[string]string{"zone": `"a"`},
			[]string{`spec.parameters.zone: Invalid value: "a": is immutable: it was not set when the Instance was created`}},
		"mutable":             {map[string]string{"replicas": "1"}, map[string]string{"replicas": "3"}, nil},
		"left to Validate":    {nil, map[string]string{"storage": `3`}, nil},
		"the old one was bad": {map[string]string{"storage": `3`}, map[string]string{"storage": `"9Gi"`}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := s.ValidateUpdate(given(tc.old), given(tc.updated), field.NewPath("spec", "parameters"))
			if diff := cmp.Diff(tc.want, messages(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChanged(t *testing.T) {
	s := mustCompile(t, param("a", `{"type":"number"}`), param("b", `{"type":"string"}`),
		param("c", `{"type":"object","x-kubernetes-preserve-unknown-fields":true}`), param("d", `{"type":"string"}`))
	old := Values{"a": int64(1), "b": "1Gi", "c": map[string]any{"x": []any{int64(1), 2.0}}, "gone": "x"}
	updated := Values{"a": 1.0, "b": "1024Mi", "c": map[string]any{"x": []any{uint64(1), int64(2)}}, "d": nil}
	want := map[string]bool{"a": false, "b": true, "c": false, "d": false}
	if diff := cmp.Diff(want, s.Changed(old, updated)); diff != "" {
		t.Error(diff)
	}
}
