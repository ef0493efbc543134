// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"encoding/json"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/params"
)

// candidates are values to try on every parameter; most fit only few.
var candidates = []string{
	`true`, `false`, `"true"`, `0`, `-1`, `1`, `2`, `3`, `5`, `7`, `10`, `11`, `12`, `80`, `81`, `100`, `101`, `1000`, `1023`, `65535`, `65536`,
	`2147483645`, `2147483650`, `0.5`, `0.99`, `1.5`, `-0.5`, `1e3`,
	`""`, `"a"`, `"b"`, `"ab"`, `"abc"`, `"no"`, `"1"`, `"A"`, `"long-and-fine"`, `"long-"`, `"Long"`, `"high"`, `"low"`, `"INFO"`, `"soft"`,
	`"0123456789012345678901234567890123456789012345678901234567890123456789"`, `"ümlaut"`, `"a b"`, `"a\nb"`,
	`"1Gi"`, `"0.5"`, `"500m"`, `"1e3"`, `"1E3"`, `".5Mi"`, `"5."`, `"Mi"`, `"1 Gi"`, `"1GB"`, `"-1k"`, `"2026-01-02"`, `"2026-1-2"`,
	`"docker.io/library/zookeeper"`, `"host:5000/x"`, `"IfNotPresent"`, `"my-secret"`, `"my.secret"`, `"My-Secret"`, `"my..secret"`, `"-x"`,
	`[]`, `["a"]`, `["a","a"]`, `["a","b","c"]`, `["a","b","c","d"]`, `[1]`, `["123456789"]`, `[{}]`, `[{"key":"a"}]`, `[{"ke":"a"}]`,
	`[{"operator":"Exists","tolerationSeconds":0}]`, `[{"operator":"exists"}]`, `[{"tolerationSeconds":-1}]`,
	`{}`, `{"a":"b"}`, `{"a":1}`, `{"a":"1","b":"2","c":"3"}`, `{"size":1}`, `{"size":0}`, `{"size":"1"}`, `{"size":1,"klass":"x"}`,
	`{"size":1,"paths":[{"path":"/","mode":420}]}`, `{"size":1,"paths":[{"path":"/","mode":421}]}`, `{"size":1,"paths":[{},{},{}]}`,
	`{"name":"s","key":"k"}`, `{"name":"s"}`, `{"name":"S","key":"k"}`, `{"name":"s","key":"a/b"}`, `{"name":"s","key":"k","x":1}`, `null`,
}

// values.schema.json must not refuse what Kudo takes, and refuses what Kudo refuses, as far
// as JSON Schema can say it.
func TestTheSchemaAgreesWithKudo(t *testing.T) {
	for name, s := range sources(t) {
		t.Run(name, func(t *testing.T) {
			taken, refused := 0, 0
			for i := range s.Version.Spec.Parameters {
				p := s.Version.Spec.Parameters[i]
				for _, c := range candidates {
					ours, theirs := kudoTakes(t, p, c), helmTakes(t, &p, c)
					if ours != theirs {
						t.Errorf("parameter %s: %s is taken by Kudo: %v, by the schema: %v", p.Name, c, ours, theirs)
					}
					if ours {
						taken++
					} else {
						refused++
					}
				}
			}
			if taken < 50 || refused < 500 {
				t.Errorf("%d values fit and %d did not: the candidates say little", taken, refused)
			}
		})
	}
}

func kudoTakes(t *testing.T, p v1alpha1.Parameter, value string) bool {
	t.Helper()
	p.Required, p.Default = false, nil
	schema, errs := params.Compile([]v1alpha1.Parameter{p}, field.NewPath("parameters"))
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return len(schema.Validate(map[string]apiextensionsv1.JSON{p.Name: {Raw: []byte(value)}}, nil)) == 0
}

func helmTakes(t *testing.T, p *v1alpha1.Parameter, value string) bool {
	t.Helper()
	schema, err := generate.JSONSchema(p)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"$schema": generate.Dialect, "type": "object", "properties": map[string]any{p.Name: schema}})
	if err != nil {
		t.Fatal(err)
	}
	values := common.Values{}
	if err := json.Unmarshal([]byte(`{"`+p.Name+`":`+value+`}`), &values); err != nil {
		t.Fatal(err)
	}
	return chartutil.ValidateAgainstSingleSchema(values, raw) == nil
}
