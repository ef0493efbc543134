// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func TestExtremes(t *testing.T) {
	s := mustCompile(t,
		withDefault(param("replicas", `{"type":"integer","enum":[3,1,5]}`), `3`),
		required(param("name", `{"type":"string","pattern":"^[a-z]{2,5}(-[0-9]+)?$"}`)),
		withDefault(param("quota", `{"type":"integer","minimum":512,"maximum":16384}`), `2048`),
		param("tls", `{"type":"boolean"}`),
	)
	want := []Values{
		{"replicas": int64(3), "name": "aa", "quota": int64(2048), "tls": nil},
		{"replicas": int64(1), "name": "aa", "quota": int64(512), "tls": false},
		{"replicas": int64(5), "name": "aaa-0", "quota": int64(16384), "tls": true},
		{"replicas": int64(3), "name": "aa", "quota": int64(2048), "tls": true},
		{"replicas": int64(1), "name": "aa", "quota": int64(2048), "tls": false},
		{"replicas": int64(5), "name": "aa", "quota": int64(2048), "tls": true},
		{"replicas": int64(3), "name": "aa", "quota": int64(2048), "tls": false},
	}
	if diff := cmp.Diff(want, s.Extremes()); diff != "" {
		t.Error(diff)
	}
}

func TestExtremesAreValid(t *testing.T) {
	schemas := append([]string{
		`{"type":"string","format":"quantity"}`, `{"type":"string","format":"cidr"}`,
		`{"type":"string","pattern":"^([0-9]{1,3}\\.){3}[0-9]{1,3}$"}`, `{"type":"string","pattern":"^(a|bc)?x.\\.y$"}`,
		`{"type":"number","minimum":0,"maximum":1,"exclusiveMinimum":true,"exclusiveMaximum":true,"multipleOf":0.25}`,
		`{"type":"integer","minimum":7,"multipleOf":5}`, `{"type":"integer","maximum":-3}`, `{"type":"string","maxLength":0}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"integer"},"minItems":1}},"required":["b"]}`,
	}, paritySchemas...)
	for name := range stringFormats {
		schemas = append(schemas, `{"type":"string","format":"`+name+`"}`)
	}
	for _, schema := range schemas {
		s := mustCompile(t, required(param("p", schema)))
		sets := s.Extremes()
		if len(sets) == 0 || len(sets) > maxExtremes {
			t.Errorf("%s: %d sets", schema, len(sets))
		}
		for _, set := range sets {
			if errs := s.parameters["p"].node.check(set["p"], nil); len(errs) > 0 {
				t.Errorf("%s: %v", schema, errs)
			}
		}
	}
}

// Where no value is found, the author's example is taken, if it fits; else the parameter is named.
func TestAnExampleIsTheAuthorsSample(t *testing.T) {
	for name, tt := range map[string]struct {
		schema    string
		sample    any
		unsampled []string
	}{
		"it fits":                         {`{"type":"string","pattern":"^[a-z]+$","minLength":9,"example":"ninetimes"}`, "ninetimes", nil},
		"it is better than what is found": {`{"type":"integer","minimum":3,"example":7}`, int64(7), nil},
		"it does not fit":                 {`{"type":"string","pattern":"^[a-z]+$","minLength":9,"example":"short"}`, nil, []string{"p"}},
		"it does not fit, others do":      {`{"type":"integer","minimum":3,"example":1}`, int64(3), nil},
		"there is none":                   {`{"type":"string","pattern":"^[a-z]+$","minLength":9}`, nil, []string{"p"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustCompile(t, required(param("p", tt.schema)))
			if diff := cmp.Diff(tt.unsampled, s.Unsampled()); diff != "" {
				t.Errorf("unsampled (-want +got):\n%s", diff)
			}
			sets := s.Extremes()
			if (len(sets) == 0) != (tt.sample == nil) || len(sets) > 0 && sets[0]["p"] != tt.sample {
				t.Errorf("sets %v, want first %v", sets, tt.sample)
			}
		})
	}
}

func TestExtremesOfTheImpossible(t *testing.T) {
	s := mustCompile(t, required(param("p", `{"type":"string","pattern":"^a$","minLength":9}`)))
	if got := s.Extremes(); got != nil {
		t.Errorf("got %v", got)
	}
	if got := mustCompile(t, []v1alpha1.Parameter{}...).Extremes(); len(got) != 1 {
		t.Errorf("without parameters there is one set: %v", got)
	}
}
