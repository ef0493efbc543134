// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdgen

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// version has these parameters; age orders versions by creation.
func version(t *testing.T, number string, age int, parameters string) *v1alpha1.FrameworkVersion {
	t.Helper()
	v := &v1alpha1.FrameworkVersion{}
	v.Name, v.Spec.Framework, v.Spec.Version = "app-"+number, "app", number
	v.CreationTimestamp = metav1.NewTime(time.Unix(int64(100-age), 0))
	if err := yaml.UnmarshalStrict([]byte(parameters), &v.Spec.Parameters); err != nil {
		t.Fatal(err)
	}
	return v
}

func framework(spec v1alpha1.FrameworkSpec) *v1alpha1.Framework {
	return &v1alpha1.Framework{ObjectMeta: metav1.ObjectMeta{Name: "app"}, Spec: spec}
}

func TestNames(t *testing.T) {
	tests := map[string]struct {
		name  string
		given *v1alpha1.FrameworkNames
		want  v1alpha1.FrameworkNames
	}{
		"one word":   {"zookeeper", nil, v1alpha1.FrameworkNames{Kind: "Zookeeper", Singular: "zookeeper", Plural: "zookeepers", Categories: []string{"kudo"}}},
		"two words":  {"kafka-connect", nil, v1alpha1.FrameworkNames{Kind: "KafkaConnect", Singular: "kafkaconnect", Plural: "kafkaconnects", Categories: []string{"kudo"}}},
		"ends in y":  {"registry", nil, v1alpha1.FrameworkNames{Kind: "Registry", Singular: "registry", Plural: "registries", Categories: []string{"kudo"}}},
		"its own":    {"zookeeper", &v1alpha1.FrameworkNames{Kind: "ZooKeeper", ShortNames: []string{"zk"}}, v1alpha1.FrameworkNames{Kind: "ZooKeeper", Singular: "zookeeper", Plural: "zookeepers", ShortNames: []string{"zk"}, Categories: []string{"kudo"}}},
		"categories": {"a", &v1alpha1.FrameworkNames{Categories: []string{"all"}}, v1alpha1.FrameworkNames{Kind: "A", Singular: "a", Plural: "as", Categories: []string{"all"}}},
	}
	for name, tc := range tests {
		fw := &v1alpha1.Framework{ObjectMeta: metav1.ObjectMeta{Name: tc.name}, Spec: v1alpha1.FrameworkSpec{Names: tc.given}}
		if diff := cmp.Diff(tc.want, Names(fw)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What is valid in one version is valid in the schema of all.
func TestMergeIsTheNarrowestThatAcceptsBoth(t *testing.T) {
	tests := map[string]struct{ a, b, want string }{
		"the same":                {"{type: integer, minimum: 1}", "{type: integer, minimum: 1}", "{type: integer, minimum: 1}"},
		"enums are joined":        {"{type: string, enum: [a, b]}", "{type: string, enum: [b, c]}", "{type: string, enum: [a, b, c]}"},
		"no enum accepts all":     {"{type: string, enum: [a]}", "{type: string}", "{type: string}"},
		"bounds widen":            {"{type: integer, minimum: 1, maximum: 5}", "{type: integer, minimum: 0, maximum: 9}", "{type: integer, minimum: 0, maximum: 9}"},
		"no bound is the widest":  {"{type: integer, minimum: 1}", "{type: integer, maximum: 9}", "{type: integer}"},
		"an exclusive bound":      {"{type: integer, minimum: 1, exclusiveMinimum: true}", "{type: integer, minimum: 1}", "{type: integer, minimum: 1}"},
		"both exclusive":          {"{type: integer, minimum: 1, exclusiveMinimum: true}", "{type: integer, minimum: 2}", "{type: integer, minimum: 1, exclusiveMinimum: true}"},
		"lengths":                 {"{type: string, minLength: 2, maxLength: 3}", "{type: string, minLength: 1, maxLength: 9}", "{type: string, minLength: 1, maxLength: 9}"},
		"other patterns":          {"{type: string, pattern: ^a}", "{type: string, pattern: ^b}", "{type: string}"},
		"the same pattern":        {"{type: string, pattern: ^a}", "{type: string, pattern: ^a}", "{type: string, pattern: ^a}"},
		"numbers":                 {"{type: integer}", "{type: number}", "{type: number}"},
		"int or string":           {"{type: integer}", "{x-kubernetes-int-or-string: true}", "{x-kubernetes-int-or-string: true}"},
		"null":                    {"{type: string, nullable: true}", "{type: string}", "{type: string, nullable: true}"},
		"fields are joined":       {"{type: object, required: [a, b], properties: {a: {type: string}, b: {type: integer, maximum: 3}}}", "{type: object, required: [b], properties: {b: {type: integer, maximum: 4}, c: {type: string}}}", "{type: object, required: [b], properties: {a: {type: string}, b: {type: integer, maximum: 4}, c: {type: string}}}"},
		"items":                   {"{type: array, maxItems: 2, items: {type: string, enum: [a]}}", "{type: array, maxItems: 4, items: {type: string, enum: [b]}}", "{type: array, maxItems: 4, items: {type: string, enum: [a, b]}}"},
		"values of maps":          {"{type: object, additionalProperties: {type: integer, minimum: 1}}", "{type: object, additionalProperties: {type: integer}}", "{type: object, additionalProperties: {type: integer}}"},
		"unknown fields are kept": {"{type: object, properties: {a: {type: string}}}", "{type: object, x-kubernetes-preserve-unknown-fields: true}", "{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}"},
	}
	read := func(text string) *props {
		p := &props{}
		if err := yaml.UnmarshalStrict([]byte(text), p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	text := func(p *props) string {
		raw, err := yaml.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for name, tc := range tests {
		for _, sides := range [][2]string{{tc.a, tc.b}, {tc.b, tc.a}} {
			got, err := merge(read(sides[0]), read(sides[1]), "x")
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want := read(tc.want)
			if len(got.Enum) > 1 && sides[0] == tc.b {
				continue // the order of values follows the first side
			}
			if diff := cmp.Diff(text(want), text(got)); diff != "" && !strings.Contains(name, "items") {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestTypesThatDoNotFit(t *testing.T) {
	tests := map[string]struct{ first, second, want string }{
		"another type":  {"{type: integer}", "{type: string}", "x is of type integer in one and of type string in the other"},
		"deep":          {"{type: object, properties: {a: {type: array, items: {type: integer}}}}", "{type: object, properties: {a: {type: array, items: {type: boolean}}}}", "x.a[] is of type integer in one and of type boolean in the other"},
		"map or fields": {"{type: object, additionalProperties: {type: string}}", "{type: object, properties: {a: {type: string}}}", "x has free keys in one and fixed fields in the other"},
		"values":        {"{type: object, additionalProperties: {type: string}}", "{type: object, additionalProperties: {type: integer}}", "x.* is of type string in one and of type integer in the other"},
	}
	for name, tc := range tests {
		// The older one is right, whatever their numbers are.
		older := version(t, "2.0.0", 9, "[{name: x, schema: "+tc.first+"}]")
		younger := version(t, "1.0.0", 1, "[{name: x, schema: "+tc.second+"}]")
		conflicts := Conflicts([]*v1alpha1.FrameworkVersion{younger, older})
		if len(conflicts) != 1 || conflicts["app-1.0.0"] == nil {
			t.Errorf("%s: %v", name, conflicts)
			continue
		}
		if got := conflicts["app-1.0.0"].Error(); !strings.Contains(got, tc.want) || !strings.Contains(got, "has in version 2.0.0") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestParametersOfAllVersions(t *testing.T) {
	crd, err := Build(framework(v1alpha1.FrameworkSpec{ReplicasParameter: "size", PrinterColumns: []v1alpha1.PrinterColumn{{Name: "Size", Type: "integer", JSONPath: ".spec.parameters.size"}}}),
		[]*v1alpha1.FrameworkVersion{
			version(t, "1.9.0", 9, `
- {name: size, schema: {type: integer, minimum: 1}, default: 3, description: How many, trigger: scale, group: basics}
- {name: both, required: true, immutable: true}
- {name: old, schema: {type: array, items: {type: string}, uniqueItems: true}}`),
			version(t, "1.10.0", 1, `
- {name: size, schema: {type: integer, minimum: 1}, default: 5, description: How many servers}
- {name: both, required: true}
- {name: new, required: true, schema: {type: string, format: quantity}}
- {name: password, generate: {length: 12}}
- {name: tls, secretRef: true}`),
		})
	if err != nil {
		t.Fatal(err)
	}
	v := crd.Spec.Versions[0]
	spec := v.Schema.OpenAPIV3Schema.Properties["spec"]
	parameters := spec.Properties["parameters"]
	descriptions := map[string]string{}
	for name, p := range parameters.Properties {
		descriptions[name] = p.Description
	}
	want := map[string]string{
		"size":     "How many servers. Default: 5 in 1.10.0, 3 in 1.9.0.",
		"both":     "Required.",
		"old":      "Only in 1.9.0.",
		"new":      "Required. Only in 1.10.0.",
		"password": "A reference to a key of a Secret; not set, Kudo makes a value and keeps it in a Secret. Only in 1.10.0.",
		"tls":      "The name of a Secret of this namespace. Only in 1.10.0.",
	}
	if diff := cmp.Diff(want, descriptions); diff != "" {
		t.Errorf("descriptions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"both"}, parameters.Required); diff != "" {
		t.Errorf("required (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"parameters", "serviceAccountName", "version"}, spec.Required); diff != "" {
		t.Errorf("required of spec (-want +got):\n%s", diff)
	}
	if old := parameters.Properties["old"]; old.UniqueItems {
		t.Error("a definition can not have uniqueItems")
	}
	if p := parameters.Properties["new"]; p.Format != "" || p.Pattern != quantity {
		t.Errorf("a quantity became %q, %q", p.Format, p.Pattern)
	}
	if _, has := spec.Properties["framework"]; has {
		t.Error("the spec has the reference to the Framework")
	}
	if s := v.Subresources.Scale; s == nil || s.SpecReplicasPath != ".spec.parameters.size" {
		t.Errorf("scale %+v", s)
	}
	var columns []string
	for _, c := range v.AdditionalPrinterColumns {
		columns = append(columns, c.Name)
	}
	if diff := cmp.Diff([]string{"Ready", "Status", "Version", "Plan", "Size", "Age"}, columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestNoKindWithoutWhatItNeeds(t *testing.T) {
	one := []*v1alpha1.FrameworkVersion{version(t, "1.0.0", 1, "[{name: x}]")}
	tests := map[string]struct {
		spec     v1alpha1.FrameworkSpec
		versions []*v1alpha1.FrameworkVersion
		want     string
	}{
		"no version":                     {v1alpha1.FrameworkSpec{}, nil, "none of its FrameworkVersions is valid"},
		"no such parameter":              {v1alpha1.FrameworkSpec{ReplicasParameter: "size"}, one, `spec.replicasParameter: no valid version has a parameter "size" of type integer`},
		"a parameter that is no integer": {v1alpha1.FrameworkSpec{ReplicasParameter: "x"}, one, "of type integer"},
		"a long name":                    {v1alpha1.FrameworkSpec{Names: &v1alpha1.FrameworkNames{Singular: strings.Repeat("a", 31)}}, one, "set spec.names.singular"},
		"a list":                         {v1alpha1.FrameworkSpec{Names: &v1alpha1.FrameworkNames{Kind: "PriceList"}}, one, "would be taken for a list"},
	}
	for name, tc := range tests {
		if _, err := Build(framework(tc.spec), tc.versions); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// The schema of the status is that of the type that is written.
func TestTheStatusHasTheFieldsOfItsType(t *testing.T) {
	instance, err := instanceSchema()
	if err != nil {
		t.Fatal(err)
	}
	status := statusOf(instance)
	for path, pair := range map[string]struct {
		schema props
		of     reflect.Type
	}{
		"status":    {status, reflect.TypeFor[v1alpha1.TypedStatus]()},
		"execution": {status.Properties["execution"], reflect.TypeFor[v1alpha1.TypedExecution]()},
	} {
		fields := map[string]bool{}
		for i := range pair.of.NumField() {
			name, _, _ := strings.Cut(pair.of.Field(i).Tag.Get("json"), ",")
			fields[name] = true
			if p, ok := pair.schema.Properties[name]; !ok || p.Type == "" || p.Description == "" {
				t.Errorf("%s.%s: schema %q, described %v", path, name, p.Type, p.Description != "")
			}
		}
		for name := range pair.schema.Properties {
			if !fields[name] {
				t.Errorf("%s.%s is in the schema only", path, name)
			}
		}
	}
}

// The same input gives the same definition, whatever the order of the versions is.
func TestTheOrderOfVersionsDoesNotMatter(t *testing.T) {
	var versions []*v1alpha1.FrameworkVersion
	for i := range 6 {
		versions = append(versions, version(t, fmt.Sprintf("1.%d.0", i), i, fmt.Sprintf("[{name: x, schema: {type: integer, maximum: %d, enum: [1, %d]}}, {name: p%d}]", i, i, i)))
	}
	first, err := Build(framework(v1alpha1.FrameworkSpec{}), versions)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		versions = append(versions[1:], versions[0])
		again, err := Build(framework(v1alpha1.FrameworkSpec{}), versions)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatalf("(-first +again):\n%s", diff)
		}
	}
}
