// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	head    = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	content = "spec.templates[t.yaml].content"
)

// template is a version whose only template is this text.
func template(t *testing.T, text string, changes ...set) *unstructured.Unstructured {
	t.Helper()
	o := object(t, versionYAML, changes...)
	templates := []any{map[string]any{"name": "t.yaml", "content": text}}
	if err := unstructured.SetNestedSlice(o.Object, templates, "spec", "templates"); err != nil {
		t.Fatal(err)
	}
	put(t, o, "spec.tasks", "[{name: config, apply: {templates: [t.yaml]}}]")
	return o
}

// Cases 1 to 9, 18, 22, 24, 26, 29, 31 and 32 of the abuse table: a version whose
// templates are wrong is refused when it is published, in the author's words.
func TestTemplates(t *testing.T) {
	t.Parallel()
	admin := theWorld(t).admin()
	manifest := func(version, kind, metadata string) string {
		return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: " + metadata + "\n"
	}
	tests := map[string]struct {
		text string
		want refusal
	}{
		"1 syntax":                {head + "data: {a: '{{ .Params.size '}\n", invalid(webhook, content, "template t.yaml:4")},
		"1 unknown function":      {head + "data: {a: '{{ shout .Params.size }}'}\n", invalid(webhook, content, "template t.yaml:4", "shout")},
		"2 undefined parameter":   {head + "data: {a: '{{ .Params.siez }}'}\n", invalid(webhook, "t.yaml:4:22", `there is no parameter siez; did you mean "size"?`)},
		"3 YAML with defaults":    {head + "data: {a: [}\n", invalid(webhook, "template t.yaml:3", "is not YAML")},
		"3 YAML with the largest": {head + "data:\n  a: {{ if eq (int .Params.size) 7 }}[{{ else }}b{{ end }}\n", invalid(webhook, "template t.yaml")},
		"4 duplicate key":         {head + "data: {a: b}\ndata: {c: d}\n", invalid(webhook, "t.yaml", "data")},
		"5 number where a string must be": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {size: 010}}\n", invalid(webhook, "has a value that is no string; use quote for numbers and booleans"),
		},
		"6 laughs":        {head + "data:\n" + laughs(), invalid(webhook, "template t.yaml")},
		"7 nesting":       {head + "data: " + strings.Repeat("[", 20_000) + "\n", invalid(webhook, "template t.yaml")},
		"9 no object":     {"just: text\n", invalid(webhook, "template t.yaml", "apiVersion: is missing")},
		"9 list":          {"apiVersion: v1\nkind: ConfigMapList\nmetadata: {}\nitems: []\n", invalid(webhook, "lists of objects are not accepted")},
		"9 generateName":  {manifest("v1", "ConfigMap", "{generateName: a-}"), invalid(webhook, "metadata.generateName: is not accepted")},
		"9 twice":         {head + "---\n" + head, invalid(webhook, "template t.yaml:5: ConfigMap/a: stands twice")},
		"11 env":          {head + "data: {a: '{{ env \"HOME\" }}'}\n", invalid(webhook, "template t.yaml:4", "env")},
		"12 host names":   {head + "data: {a: '{{ getHostByName \"x\" }}'}\n", invalid(webhook, "template t.yaml:4", "getHostByName")},
		"13 keys":         {head + "data: {a: '{{ genPrivateKey \"rsa\" }}'}\n", invalid(webhook, "template t.yaml:4", "genPrivateKey")},
		"14 until":        {head + "data: {a: '{{ until 200000000 }}'}\n", invalid(webhook, "template t.yaml:4")},
		"15 loops":        {head + "data: {a: '{{ range until 999 }}{{ range until 999 }}{{ end }}{{ end }}'}\n", invalid(webhook, "takes more than 100000 steps")},
		"16 recursion":    {"{{ define \"r\" }}{{ template \"r\" . }}{{ end }}" + head + "data: {a: '{{ template \"r\" . }}'}\n", invalid(webhook, "t.yaml")},
		"17 pattern":      {head + "data: {a: '{{ regexMatch \"(\" \"x\" }}'}\n", invalid(webhook, "template t.yaml:4")},
		"18 output":       {head + "data: {a: '{{ repeat 700 (repeat 1500 \"x\") }}'}\n", invalid(webhook, "renders more than 1 MiB; split the template")},
		"18 objects":      {strings.Repeat(head+"---\n", 1001), invalid(webhook, "template t.yaml")},
		"22 a full map":   {head + "data: {a: '{{ repeat 1024 (repeat 1024 \"x\") }}x'}\n", invalid(webhook, "more than 1 MiB")},
		"24 Service":      {manifest("v1", "Service", `{name: "{{ .Instance.Name }}-a-name-too-long-for-services"}`), invalid(webhook, "Service/", "metadata.name: has 69 characters, more than the 63 that a Service may have")},
		"24 CronJob":      {manifest("batch/v1", "CronJob", `{name: "{{ .Instance.Name }}-every-day-at-noon"}`), invalid(webhook, "CronJob/", "more than the 52 that a CronJob may have")},
		"26 cluster":      {manifest("storage.k8s.io/v1", "StorageClass", "{name: a}"), invalid(webhook, "StorageClass", "declare it in the FrameworkVersion if it must be")},
		"26 elsewhere":    {manifest("v1", "ConfigMap", "{name: a, namespace: kube-system}"), invalid(webhook, "the object is in another namespace than the instance; use {{ .Namespace }}")},
		"29 label":        {manifest("v1", "ConfigMap", "{name: a, labels: {kudo.dev/instance: b}}"), invalid(webhook, "metadata.labels: kudo.dev/instance is set by Kudo")},
		"29 managed-by":   {manifest("v1", "ConfigMap", "{name: a, labels: {app.kubernetes.io/managed-by: Helm}}"), invalid(webhook, "app.kubernetes.io/managed-by is set by Kudo")},
		"29 finalizer":    {manifest("v1", "ConfigMap", "{name: a, finalizers: [foregroundDeletion]}"), invalid(webhook, "foregroundDeletion is managed")},
		"30 owner":        {manifest("v1", "ConfigMap", "{name: a, ownerReferences: [{uid: x}]}"), invalid(webhook, "metadata.ownerReferences: owners are set by Kudo")},
		"31 execution":    {manifest("kudo.dev/v1alpha1", "PlanExecution", "{name: a}"), invalid(webhook, "templates may only make Instances")},
		"31 version":      {manifest("kudo.dev/v1alpha1", "FrameworkVersion", "{name: a}"), invalid(webhook, "templates may only make Instances")},
		"32 role":         {manifest("rbac.authorization.k8s.io/v1", "RoleBinding", "{name: a}"), invalid(webhook, "it grants rights; declare it")},
		"32 webhook":      {manifest("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "{name: a}"), invalid(webhook, "it decides over the requests of everyone")},
		"32 policy":       {manifest("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "{name: a}"), invalid(webhook, "is not allowed")},
		"32 definition":   {manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "{name: a}"), invalid(webhook, "it changes the API of the cluster")},
		"32 API service":  {manifest("apiregistration.k8s.io/v1", "APIService", "{name: a}"), invalid(webhook, "it changes the API of the cluster")},
		"32 node":         {manifest("v1", "Node", "{name: a}"), invalid(webhook, "it is part of the cluster")},
		"32 namespace":    {manifest("v1", "Namespace", "{name: a}"), invalid(webhook, "Namespace is not allowed")},
		"32 certificates": {manifest("certificates.k8s.io/v1", "CertificateSigningRequest", "{name: a}"), invalid(webhook, "it issues credentials")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.check(t, try(t, admin, template(t, tc.text)))
		})
	}
}

// laughs is a document whose aliases stand for a billion nodes.
func laughs() string {
	var out strings.Builder
	out.WriteString("  a0: &a0 [x, x]\n")
	for i := range 30 {
		name := string(rune('a' + i%26))
		out.WriteString("  " + name + "x" + strings.Repeat("y", i) + ": &l" + strings.Repeat("y", i+1) + " [*")
		before := "l" + strings.Repeat("y", i)
		if i == 0 {
			before = "a0"
		}
		out.WriteString(before + ", *" + before + "]\n")
	}
	return out.String()
}

// What looks wrong and is not: cases 8 and 32, and a size that fits.
func TestTemplatesThatPass(t *testing.T) {
	t.Parallel()
	admin := theWorld(t).admin()
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\n"
	tests := map[string]*unstructured.Unstructured{
		"8 a line of --- in a text": template(t, head+"data:\n  script: |\n    one\n    ---\n    two\n"),
		"32 a declared role":        template(t, role, set{"spec.permissions": "[{group: rbac.authorization.k8s.io, kind: Role}]"}),
		"24 the longest names":      template(t, "apiVersion: v1\nkind: Service\nmetadata: {name: '{{ .Instance.Name }}-twenty-two-letters-ab'}\n"),
		"an empty document":         template(t, head+"---\n# nothing\n---\n"),
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := try(t, admin, o); err != nil {
				t.Error(err)
			}
		})
	}
}
