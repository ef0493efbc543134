// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func raw(s string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(s)} }

func given(kv map[string]string) map[string]apiextensionsv1.JSON {
	out := map[string]apiextensionsv1.JSON{}
	for k, v := range kv {
		out[k] = *raw(v)
	}
	return out
}

func mustCompile(t testing.TB, specs ...v1alpha1.Parameter) *Schema {
	t.Helper()
	s, errs := Compile(specs, field.NewPath("spec", "parameters"))
	if len(errs) > 0 {
		t.Fatalf("compiling: %v", errs.ToAggregate())
	}
	return s
}

func messages(errs field.ErrorList) []string {
	var out []string
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}

func param(name, schema string) v1alpha1.Parameter {
	return v1alpha1.Parameter{Name: name, Schema: raw(schema)}
}

func withDefault(p v1alpha1.Parameter, value string) v1alpha1.Parameter {
	p.Default = raw(value)
	return p
}

func required(p v1alpha1.Parameter) v1alpha1.Parameter {
	p.Required = true
	return p
}

func immutable(p v1alpha1.Parameter) v1alpha1.Parameter {
	p.Immutable = true
	return p
}
