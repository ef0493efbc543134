// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
)

const sealed = "spec: Forbidden: this version is sealed: what was reviewed is what runs"

// Case 46: a sealed version is what was reviewed, also where CEL can not look.
func TestFrameworkVersion(t *testing.T) {
	open := func(v *v1alpha1.FrameworkVersion) { v.Spec.Development = true }
	describe := func(v *v1alpha1.FrameworkVersion) { v.Spec.Description = "edited" }
	broken := func(v *v1alpha1.FrameworkVersion) { v.Spec.Templates[0].Content = "{{" }
	raw := func(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }
	tests := map[string]struct {
		old, updated []func(*v1alpha1.FrameworkVersion)
		create       bool
		want         []string
	}{
		"new":                 {create: true},
		"new and broken":      {create: true, updated: []func(*v1alpha1.FrameworkVersion){broken}, want: []string{"spec.templates[c.yaml].content"}},
		"the same again":      {},
		"labels only":         {updated: []func(*v1alpha1.FrameworkVersion){func(v *v1alpha1.FrameworkVersion) { v.Labels = map[string]string{"a": "b"} }}},
		"a description":       {updated: []func(*v1alpha1.FrameworkVersion){describe}, want: []string{sealed}},
		"a default":           {updated: []func(*v1alpha1.FrameworkVersion){func(v *v1alpha1.FrameworkVersion) { v.Spec.Parameters[0].Default = raw("5") }}, want: []string{sealed}},
		"a schema":            {updated: []func(*v1alpha1.FrameworkVersion){func(v *v1alpha1.FrameworkVersion) { v.Spec.Parameters[0].Schema = raw(`{"type":"integer"}`) }}, want: []string{sealed}},
		"to development":      {updated: []func(*v1alpha1.FrameworkVersion){open}, want: []string{sealed}},
		"development edited":  {old: []func(*v1alpha1.FrameworkVersion){open}, updated: []func(*v1alpha1.FrameworkVersion){open, describe}},
		"development sealed":  {old: []func(*v1alpha1.FrameworkVersion){open}},
		"development broken":  {old: []func(*v1alpha1.FrameworkVersion){open}, updated: []func(*v1alpha1.FrameworkVersion){open, broken}, want: []string{"spec.templates[c.yaml].content"}},
		"broken when stored":  {old: []func(*v1alpha1.FrameworkVersion){broken}, updated: []func(*v1alpha1.FrameworkVersion){broken}},
		"20 larger than fits": {create: true, updated: []func(*v1alpha1.FrameworkVersion){huge}, want: []string{"more than the 900000 that can be stored: make the templates smaller"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var old *v1alpha1.FrameworkVersion
			if !tc.create {
				old = frameworkVersion(t, tc.old...)
			}
			wantErrors(t, FrameworkVersion(frameworkVersion(t, tc.updated...), old, graph.NewCache()), tc.want...)
		})
	}
}

func huge(v *v1alpha1.FrameworkVersion) {
	for _, name := range []string{"a", "b", "c"} {
		v.Spec.Templates = append(v.Spec.Templates, v1alpha1.Template{Name: name, Content: strings.Repeat("#", 350_000)})
	}
}

func TestFramework(t *testing.T) {
	fw := &v1alpha1.Framework{Spec: v1alpha1.FrameworkSpec{DisplayName: "App"}}
	wantErrors(t, Framework(fw))
	fw.Spec.Names = &v1alpha1.FrameworkNames{Kind: "App", Singular: strings.Repeat("a", 31)}
	fw.Spec.PrinterColumns = []v1alpha1.PrinterColumn{{Name: "Size", JSONPath: ".spec.parameters.size"}, {Name: "Age", JSONPath: ".a"}, {Name: "b", JSONPath: "a"}}
	wantErrors(t, Framework(fw), "singular \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" has 31 characters, more than 30: set spec.names.singular",
		"spec.printerColumns[1].name: Invalid value: \"Age\"", "spec.printerColumns[2].jsonPath: Invalid value: \"a\": must be a simple JSON path")
}

func TestNamesake(t *testing.T) {
	named := func(name string, names v1alpha1.FrameworkNames) v1alpha1.Framework {
		fw := v1alpha1.Framework{Spec: v1alpha1.FrameworkSpec{Names: &names}}
		fw.Name = name
		return fw
	}
	all := []v1alpha1.Framework{named("a", v1alpha1.FrameworkNames{Kind: "Cache", ShortNames: []string{"ca"}}), named("cache", v1alpha1.FrameworkNames{})}
	for name, tc := range map[string]struct {
		fw   v1alpha1.Framework
		want string
	}{
		"its own":          {named("b", v1alpha1.FrameworkNames{ShortNames: []string{"bb"}}), ""},
		"itself":           {all[0], `Framework cache uses the name "Cache" too`},
		"a short name":     {named("b", v1alpha1.FrameworkNames{ShortNames: []string{"ca"}}), `Framework a uses the name "ca" too`},
		"by default":       {named("c-ache", v1alpha1.FrameworkNames{Plural: "caches"}), `Framework a uses the name "caches" too`},
		"nobody else does": {named("cached", v1alpha1.FrameworkNames{}), ""},
	} {
		if got := Namesake(&tc.fw, all); !strings.HasPrefix(got, tc.want) || (tc.want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
