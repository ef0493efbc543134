// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdinstall

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func schemaOf(t *testing.T, parameters string) *apiextensionsv1.JSONSchemaProps {
	t.Helper()
	s := &apiextensionsv1.JSONSchemaProps{}
	text := "{type: object, properties: {spec: {type: object, properties: {parameters: " + parameters + "}}}}"
	if err := yaml.UnmarshalStrict([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

func stored(t *testing.T, parameters string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte("{apiVersion: packages.kudo.dev/v1alpha1, kind: A, metadata: {namespace: prod, name: a}, spec: {parameters: " + parameters + "}}"))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return o
}

// An object stands in the way only of a change that it would not survive.
func TestMisfits(t *testing.T) {
	free := "{type: object, properties: {x: {type: string}, k: {type: integer}}}"
	tests := map[string]struct{ served, wanted, object, problem string }{
		"fits":                     {free, "{type: object, properties: {x: {type: string, enum: [a]}, k: {type: integer}}}", "{x: a}", ""},
		"does not fit":             {free, "{type: object, properties: {x: {type: string, enum: [a]}, k: {type: integer}}}", "{x: b}", `spec.parameters.x: Unsupported value: "b": supported values: "a"`},
		"would lose a field":       {free, "{type: object, properties: {x: {type: string}}}", "{x: a, k: 1}", "spec.parameters.k: would be dropped, because no version has it"},
		"loses nothing":            {free, "{type: object, properties: {x: {type: string}}}", "{x: a}", ""},
		"did not fit before":       {"{type: object, properties: {k: {type: integer, maximum: 5}}}", "{type: object, properties: {k: {type: integer, maximum: 5}, m: {type: string}}}", "{k: 7}", ""},
		"fails in another way now": {"{type: object, properties: {k: {type: integer, maximum: 5}}}", "{type: object, properties: {k: {type: integer, maximum: 3}}}", "{k: 7}", "spec.parameters.k: Invalid value: 7: spec.parameters.k in body should be less than or equal to 3"},
		"misses what is required":  {free, "{type: object, required: [x], properties: {x: {type: string}, k: {type: integer}}}", "{k: 1}", "spec.parameters.x: Required value"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := misfits(schemaOf(t, tc.served), schemaOf(t, tc.wanted), func(each func(*unstructured.Unstructured)) error {
				each(stored(t, tc.object))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			var want []Misfit
			if tc.problem != "" {
				want = []Misfit{{"prod", "a", []string{tc.problem}}}
			}
			if diff := cmp.Diff(want, found); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An error of the reader is passed on, not taken for a fit.
func TestMisfitsNeedAllObjects(t *testing.T) {
	broken := errors.New("gone")
	_, err := misfits(schemaOf(t, "{type: object}"), schemaOf(t, "{type: object}"), func(func(*unstructured.Unstructured)) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestHeldErrorIsBounded(t *testing.T) {
	var many []Misfit
	for range 9 {
		many = append(many, Misfit{"ns", "o", []string{"a", "b", "c", "d"}})
	}
	got := (&HeldError{many}).Error()
	if strings.Count(got, "ns/o") != maxObjects || !strings.Contains(got, "4 more. Change") || !strings.Contains(got, "(a; b; c and 1 more)") {
		t.Error(got)
	}
}

// Every difference counts, and what the API server fills in is none.
func TestSame(t *testing.T) {
	spec := func(change func(*apiextensionsv1.CustomResourceDefinitionSpec)) *apiextensionsv1.CustomResourceDefinitionSpec {
		s := &apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "packages.kudo.dev", Scope: apiextensionsv1.NamespaceScoped,
			Names:    apiextensionsv1.CustomResourceDefinitionNames{Plural: "as", Kind: "A"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1alpha1", Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: schemaOf(t, "{type: object}")}}},
		}
		change(s)
		return s
	}
	none := spec(func(*apiextensionsv1.CustomResourceDefinitionSpec) {})
	parameters := func(text string) func(*apiextensionsv1.CustomResourceDefinitionSpec) {
		return func(s *apiextensionsv1.CustomResourceDefinitionSpec) {
			s.Versions[0].Schema.OpenAPIV3Schema = schemaOf(t, text)
		}
	}
	for name, tc := range map[string]struct {
		change func(*apiextensionsv1.CustomResourceDefinitionSpec)
		same   bool
	}{
		"defaults": {apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec, true},
		"column": {func(s *apiextensionsv1.CustomResourceDefinitionSpec) {
			s.Versions[0].AdditionalPrinterColumns = []apiextensionsv1.CustomResourceColumnDefinition{{Name: "a"}}
		}, false},
		"description": {parameters("{type: object, description: a}"), false},
		"rule":        {parameters("{type: object, x-kubernetes-validations: [{rule: 'true'}]}"), false},
		"short name":  {func(s *apiextensionsv1.CustomResourceDefinitionSpec) { s.Names.ShortNames = []string{"a"} }, false},
	} {
		if got := Same(none, spec(tc.change)); got != tc.same {
			t.Errorf("%s: the same is %v", name, got)
		}
	}
}
