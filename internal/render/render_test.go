// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// renderOne compiles one template and renders it.
func renderOne(t *testing.T, content string, v Values, opts ...Option) ([]*unstructured.Unstructured, error) {
	t.Helper()
	set, err := Compile([]Source{{Name: "t", Content: content}}, opts...)
	if err != nil {
		t.Fatalf("compiling: %v", err)
	}
	return set.Render("t", v)
}

// configMap renders a template that stands in the data of a ConfigMap.
func configMap(t *testing.T, data string, v Values) (map[string]any, error) {
	t.Helper()
	objs, err := renderOne(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"+data, v)
	if err != nil {
		return nil, err
	}
	m, _ := objs[0].Object["data"].(map[string]any)
	return m, nil
}

func params(kv ...any) Values {
	m := map[string]any{}
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return Values{"Params": m, "Name": "zk", "Namespace": "prod"}
}

func wantError(t *testing.T, err error, reason Reason, text string) *Error {
	t.Helper()
	var own *Error
	if !errors.As(err, &own) {
		t.Fatalf("got error %v, want an *Error with %q", err, text)
	}
	if own.Reason != reason || !strings.Contains(own.Error(), text) {
		t.Fatalf("got [%s] %q, want [%s] with %q", own.Reason, own.Error(), reason, text)
	}
	return own
}

func TestValuesKeepTheirTypeAndAddNoStructure(t *testing.T) {
	evil := "x\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding"
	cases := map[string]struct {
		data string
		v    Values
		want map[string]any
	}{
		"plain string":               {"  a: {{ .Params.x }}\n", params("x", "v"), map[string]any{"a": "v"}},
		"fragment of a scalar":       {"  a: repo:{{ .Params.x }}-suffix\n", params("x", "1.2"), map[string]any{"a": "repo:1.2-suffix"}},
		"norway":                     {"  a: {{ .Params.x }}\n", params("x", "no"), map[string]any{"a": "no"}},
		"octal":                      {"  a: {{ .Params.x }}\n", params("x", "010"), map[string]any{"a": "010"}},
		"exponent":                   {"  a: {{ .Params.x }}\n", params("x", "1e3"), map[string]any{"a": "1e3"}},
		"empty string":               {"  a: {{ .Params.x }}\n", params("x", ""), map[string]any{"a": ""}},
		"document marker":            {"  a: {{ .Params.x }}\n", params("x", evil), map[string]any{"a": evil}},
		"new field":                  {"  a: {{ .Params.x }}\n", params("x", "v\n  b: c"), map[string]any{"a": "v\n  b: c"}},
		"flow injection":             {"  {a: {{ .Params.x }}}\n", params("x", "v, b: c"), map[string]any{"a": "v, b: c"}},
		"inside double quotes":       {"  a: \"{{ .Params.x }}\"\n", params("x", `v", b: "c`), map[string]any{"a": `v", b: "c`}},
		"inside single quotes":       {"  a: '{{ .Params.x }}'\n", params("x", "it's"), map[string]any{"a": "it's"}},
		"quote as a scalar":          {"  a: {{ .Params.x | quote }}\n", params("x", "a\"b\nc"), map[string]any{"a": "a\"b\nc"}},
		"quote of a number":          {"  a: {{ .Params.x | quote }}\n", params("x", 3), map[string]any{"a": "3"}},
		"squote as a scalar":         {"  a: {{ .Params.x | squote }}\n", params("x", "it's"), map[string]any{"a": "it's"}},
		"quote after a plain start":  {"  a: v{{ .Params.x | quote }}\n", params("x", "b: c"), map[string]any{"a": `v"b: c"`}},
		"quote in a block":           {"  a: |\n    k={{ .Params.x | quote }}\n", params("x", `a"b`), map[string]any{"a": "k=\"a\\\"b\"\n"}},
		"string in a block":          {"  a: |\n    k={{ .Params.x }}\n    l=1\n", params("x", "v"), map[string]any{"a": "k=v\nl=1\n"}},
		"block of lines":             {"  a: |\n    {{ .Params.x }}\n", params("x", "one\ntwo\n"), map[string]any{"a": "one\ntwo\n"}},
		"indented lines":             {"  a: |\n{{ .Params.x | indent 4 }}\n", params("x", "one\ntwo"), map[string]any{"a": "one\ntwo\n"}},
		"indented deeper":            {"  a: |\n    tls: |\n{{ .Params.x | indent 6 }}\n", params("x", "one\ntwo"), map[string]any{"a": "tls: |\n  one\n  two\n"}},
		"nindent":                    {"  a: |- {{ .Params.x | nindent 4 }}\n", params("x", "one\ntwo"), map[string]any{"a": "one\ntwo"}},
		"indent cannot add a field":  {"  a: v\n{{ .Params.x | indent 2 }}: w\n", params("x", "b: c\n  d"), map[string]any{"a": "v", "b: c\n  d": "w"}},
		"key":                        {"  {{ .Params.x }}: v\n", params("x", "k: w"), map[string]any{"k: w": "v"}},
		"comment":                    {"  a: v # {{ .Params.x }}\n", params("x", "\n  b: c"), map[string]any{"a": "v"}},
		"integer":                    {"  a: {{ .Params.x }}\n", params("x", int64(3)), map[string]any{"a": int64(3)}},
		"integer as a float":         {"  a: {{ .Params.x }}\n", params("x", float64(1000000)), map[string]any{"a": int64(1000000)}},
		"integer past int64":         {"  a: {{ .Params.x }}\n", params("x", json.Number("18446744073709551615")), map[string]any{"a": uint64(18446744073709551615)}},
		"fraction":                   {"  a: {{ .Params.x }}\n", params("x", 0.5), map[string]any{"a": 0.5}},
		"boolean":                    {"  a: {{ .Params.x }}\n", params("x", true), map[string]any{"a": true}},
		"toYaml of a tree":           {"  {{- toYaml .Params.x | nindent 2 }}\n", params("x", map[string]any{"b": []any{"no", 1, map[string]any{"c": "d: e", "f": nil}}, "e": map[string]any{}, "n": []any{[]any{true}, []any{}}}), map[string]any{"b": []any{"no", int64(1), map[string]any{"c": "d: e", "f": nil}}, "e": map[string]any{}, "n": []any{[]any{true}, []any{}}}},
		"toYaml of an evil key":      {"  {{- toYaml .Params.x | nindent 2 }}\n", params("x", map[string]any{"a: b\n---": "c"}), map[string]any{"a: b\n---": "c"}},
		"toYaml of a string":         {"  a: {{ toYaml .Params.x }}\n", params("x", "yes"), map[string]any{"a": "yes"}},
		"toYaml in a block":          {"  a: |\n{{ toYaml .Params.x | indent 4 }}\n", params("x", map[string]any{"k": "no", "l": "plain", "m": "x: y\nz"}), map[string]any{"a": "k: \"no\"\nl: plain\nm: \"x: y\\nz\"\n"}},
		"toJson":                     {"  a: {{ toJson .Params.x }}\n", params("x", map[string]any{"k": `v"`, "l": []any{1, "2"}}), map[string]any{"a": map[string]any{"k": `v"`, "l": []any{int64(1), "2"}}}},
		"toJson in single quotes":    {"  a: '{{ toJson .Params.x }}'\n", params("x", map[string]any{"k": `v"w`}), map[string]any{"a": `{"k":"v\"w"}`}},
		"toJson quoted":              {"  a: {{ toJson .Params.x | quote }}\n", params("x", map[string]any{"k": `v"w`}), map[string]any{"a": `{"k":"v\"w"}`}},
		"toPrettyJson in a block":    {"  a: |\n{{ toPrettyJson .Params.x | indent 4 }}\n", params("x", map[string]any{"k": []any{1}}), map[string]any{"a": "{\n  \"k\": [\n    1\n  ]\n}\n"}},
		"string built by a function": {"  a: {{ printf \"%s: %s\" .Params.x .Params.x }}\n", params("x", "b"), map[string]any{"a": "b: b"}},
		"literal is the author's":    {"  a: {{ \"true\" }}\n", params(), map[string]any{"a": true}},
		"braces for other engines":   {"  a: \"{{ \"{{\" }} $labels.x }}\"\n", params(), map[string]any{"a": "{{ $labels.x }}"}},
		"marker runes in a value":    {"  a: {{ .Params.x }}\n", params("x", "\ue0f10\ue0f2"), map[string]any{"a": "\ue0f10\ue0f2"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := configMap(t, tc.data, tc.v)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIncludedTemplatesKeepLayoutAndHoles(t *testing.T) {
	set, err := Compile([]Source{
		{Name: "helpers", Content: `{{ define "labels" }}app: {{ .Name }}
tier: {{ .Params.tier }}{{ end }}{{ define "name" }}
  {{ .Name }}-{{ .Params.tier }}
{{ end }}`},
		{Name: "t", Content: `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "name" . | trim }}
  labels:
    {{- include "labels" . | nindent 4 }}
data:
  short: {{ include "name" . | trim | trunc 4 | trimSuffix "-" }}
  sum: {{ include "labels" . | sha256sum }}
  same: {{ eq (include "name" . | trim) "zk-a: b" | quote }}
  parsed: {{ (include "labels" . | fromYaml).tier }}
  length: {{ include "name" . | trim | len | quote }}
  text: |
    {{- include "name" . | trim | nindent 4 }}
  inline: {{ template "labels-inline" . }}
{{- define "labels-inline" }}{{ .Name }}{{ end }}
`},
	})
	if err != nil {
		t.Fatal(err)
	}
	objs, err := set.Render("t", params("tier", "a: b"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "zk-a: b", "labels": map[string]any{"app": "zk", "tier": "a: b"}},
		"data": map[string]any{
			"short": "zk-a", "sum": "30a8951bf1191b4ff1acdde5509eeb92cf39ae6607845770bb8b079e12b18a7a",
			"same": "true", "parsed": "a: b", "length": "7", "text": "zk-a: b\n", "inline": "zk",
		},
	}
	if diff := cmp.Diff(want, objs[0].Object); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
}

func TestRenderTextShowsValuesAsTheyAre(t *testing.T) {
	set, err := Compile([]Source{{Name: "notes", Content: "Hello {{ .Params.x }}\n{{ .Params.x | indent 2 }}\n{{ .Params.x | quote }} {{ toYaml .Params.m }}"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.RenderText("notes", params("x", "a\nb", "m", map[string]any{"k": "no"}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("Hello a\nb\n  a\n  b\n\"a\\nb\" k: \"no\"", got); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func TestNullListsAndMapsAreNotPrinted(t *testing.T) {
	cases := map[string]struct{ data, want string }{
		"null":        {"  a: {{ .Params.n }}\n", `template t:5:9: {{ .Params.n }} is null; give a default`},
		"missing key": {"  a: {{ get .Params \"zz\" }}\n", `is null`},
		"map":         {"  a: {{ .Params.m }}\n", `{{ .Params.m }} is a map; use toYaml or toJson`},
		"list":        {"  a: {{ .Params.l }}\n", `is a list; use toYaml or toJson`},
		"map to text": {"  a: {{ .Params.m | upper }}\n", `upper: a string is expected, not a map`},
		"range text":  {"{{ range .Params.s }}{{ end }}\n", `{{ range .Params.s }} is over a string`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := configMap(t, tc.data, params("n", nil, "m", map[string]any{"a": 1}, "l", []any{1}, "s", "topsecret"))
			wantError(t, err, ReasonExecution, tc.want)
			if strings.Contains(err.Error(), "topsecret") {
				t.Errorf("the error shows a value: %v", err)
			}
		})
	}
}

func TestRenderIsDeterministic(t *testing.T) {
	content := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n{{ range $k, $v := .Params.m }}  {{ $k }}: {{ $v | quote }}\n{{ end }}  keys: {{ keys .Params.m | join \",\" }}\n  json: {{ toJson .Params.m | quote }}\n  yaml: |\n{{ toYaml .Params.m | indent 4 }}\n"
	m := map[string]any{}
	for _, r := range "abcdefghijklmnopqrstuvwxyz" {
		m[string(r)] = strings.Repeat(string(r), 3)
	}
	set, err := Compile([]Source{{Name: "t", Content: content}})
	if err != nil {
		t.Fatal(err)
	}
	first := ""
	for range 100 {
		objs, err := set.Render("t", params("m", m))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(objs[0])
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(b)
		}
		if diff := cmp.Diff(first, string(b)); diff != "" {
			t.Fatalf("renders differ (-first +later):\n%s", diff)
		}
	}
}

func TestTemplatesDoNotChangeTheValuesTheyAreGiven(t *testing.T) {
	v := params("m", map[string]any{"a": "b"})
	if _, err := configMap(t, "  a: {{ (set .Params.m \"a\" \"changed\").a }}\n", v); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(params("m", map[string]any{"a": "b"}), v); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}
