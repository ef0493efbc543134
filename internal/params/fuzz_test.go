// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// FuzzValidate: whatever the schema and the value, nothing panics, the answer
// is the same twice, and what is valid resolves.
func FuzzValidate(f *testing.F) {
	for i, schema := range paritySchemas {
		f.Add(schema, parityValues[i%len(parityValues)], parityValues[(i*7)%len(parityValues)])
	}
	f.Fuzz(func(t *testing.T, schema, value, fallback string) {
		path := field.NewPath("p")
		specs := []v1alpha1.Parameter{{Name: "p", Schema: raw(schema)}, {Name: "q", Schema: raw(schema), Default: raw(fallback), Immutable: true}}
		s, errs := Compile(specs, path)
		if (s == nil) == (len(errs) == 0) {
			t.Fatalf("a Schema %v beside errors %v", s, errs)
		}
		if s == nil {
			return
		}
		values := map[string]apiextensionsv1.JSON{"p": *raw(value), "q": *raw(value)}
		first, second := s.Validate(values, path), s.Validate(values, path)
		if diff := cmp.Diff(messages(first), messages(second)); diff != "" {
			t.Fatalf("two answers: %s", diff)
		}
		s.ValidateUpdate(nil, values, path)
		resolved, err := s.Resolve(values)
		if (err == nil) != (len(first) == 0) {
			t.Fatalf("Validate and Resolve disagree: %v, %v", first, err)
		}
		if err == nil && (s.Changed(resolved, resolved)["p"] || s.Changed(resolved, resolved)["q"]) {
			t.Fatal("a value differs from itself")
		}
		for _, set := range s.Extremes() {
			s.Changed(set, resolved)
		}
	})
}
