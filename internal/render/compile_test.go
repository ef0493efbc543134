// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReferencesFollowDotVariablesAndIncludes(t *testing.T) {
	cases := map[string]struct {
		content string
		want    []string
	}{
		"fields":          {"{{ .Params.a.b }}{{ .Name }}", []string{".Params.a.b", ".Name"}},
		"conditions":      {"{{ if and .Params.a (eq .Params.b 1) }}{{ else }}{{ .Params.c }}{{ end }}", []string{".Params.a", ".Params.b", ".Params.c"}},
		"with":            {"{{ with .Params.a }}{{ .b }}{{ $.Params.c }}{{ end }}", []string{".Params.a", ".Params.a.b", ".Params.c"}},
		"range":           {"{{ range $i, $e := .Params.l }}{{ .x }}{{ $e.y }}{{ $i }}{{ end }}", []string{".Params.l", ".Params.l.[].x", ".Params.l.[].y"}},
		"variables":       {"{{ $p := .Params }}{{ $p.a | quote }}", []string{".Params", ".Params.a"}},
		"index and get":   {`{{ index .Params "a-b" 0 }}{{ get .Params "c" }}{{ index .Params .Name }}`, []string{".Params", ".Params.a-b.[]", ".Params", ".Params.c", ".Params", ".Name"}},
		"parenthesised":   {`{{ (index .Params "a").b }}`, []string{".Params", ".Params.a", ".Params.a.b"}},
		"template":        {`{{ define "h" }}{{ .b }}{{ end }}{{ template "h" .Params.a }}`, []string{".Params.a.b", ".Params.a"}},
		"include":         {`{{ define "h" }}{{ .Params.z }}{{ end }}{{ include "h" . }}`, []string{".Params.z"}},
		"recursion":       {`{{ define "h" }}{{ .a }}{{ template "h" .a }}{{ end }}{{ template "h" .Params }}`, nil},
		"unknown origins": {`{{ (fromYaml .Name).x }}{{ with dict }}{{ .y }}{{ end }}`, []string{".Name"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			set, err := Compile([]Source{{Name: "t", Content: tc.content}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, ref := range set.References("t") {
				got = append(got, ref.String())
			}
			slices.Sort(got)
			slices.Sort(tc.want)
			if tc.want == nil {
				return // Only the end of it is of interest.
			}
			if diff := cmp.Diff(slices.Compact(tc.want), slices.Compact(got)); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReferencesHavePositions(t *testing.T) {
	set, err := Compile([]Source{{Name: "t", Content: "a\n  {{ .Params.x }}"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Reference{{Path: []string{"Params", "x"}, Template: "t", Line: 2, Column: 13}}
	if diff := cmp.Diff(want, set.References("t")); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestNamesAreThoseOfTheSources(t *testing.T) {
	set, err := Compile([]Source{{Name: "b", Content: `{{ define "h" }}{{ end }}`}, {Name: "a", Content: ""}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, set.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, name := range []string{"h", "nope"} {
		_, err := set.Render(name, nil)
		wantError(t, err, ReasonExecution, "there is no such template")
	}
	objs, err := set.Render("a", nil)
	if err != nil || len(objs) != 0 {
		t.Errorf("the empty template gives %d objects and %v", len(objs), err)
	}
	again, err := Compile([]Source{{Name: "a"}, {Name: "a"}})
	if err == nil || again != nil {
		t.Error("two sources of one name compile")
	}
}

func TestASetIsSafeForConcurrentUse(t *testing.T) {
	set, err := Compile([]Source{{Name: "t", Content: typical}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 20 {
				v := typicalValues()
				v["Name"] = fmt.Sprintf("zk-%d", i)
				objs, err := set.Render("t", v)
				if err != nil || objs[0].GetName() != fmt.Sprintf("zk-%d-hs", i) {
					t.Errorf("got %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

const typical = `{{- define "labels" }}
app: {{ .Name }}
component: server
{{- end }}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Name }}-hs
  labels: {{- include "labels" . | nindent 4 }}
spec:
  ports:
  {{- range .Params.ports }}
  - {name: {{ .name }}, port: {{ .port }}}
  {{- end }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Name }}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Params.replicas }}
  template:
    spec:
      containers:
      - name: server
        image: registry.example/zookeeper:{{ .Version.app }}
        resources: {{- toYaml .Params.resources | nindent 10 }}
        env:
        {{- range $name, $value := .Params.env }}
        - name: {{ $name }}
          value: {{ $value | quote }}
        {{- end }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Name }}-config}
data:
  zoo.cfg: |
    tickTime={{ .Params.tickTime }}
    {{- range $i := until (int .Params.replicas) }}
    server.{{ $i }}={{ $.Name }}-{{ $i }}.{{ $.Name }}-hs:2888:3888
    {{- end }}
`

func typicalValues() Values {
	return Values{
		"Name": "zk", "Namespace": "prod", "Version": map[string]any{"app": "3.9.3"},
		"Params": map[string]any{
			"replicas": 3, "tickTime": 2000, "ports": []any{map[string]any{"name": "client", "port": 2181}, map[string]any{"name": "peer", "port": 2888}},
			"resources": map[string]any{"requests": map[string]any{"cpu": "500m", "memory": "1Gi"}}, "env": map[string]any{"A": "1", "B": "no", "C": "x"},
		},
	}
}

func BenchmarkRender(b *testing.B) {
	set, err := Compile([]Source{{Name: "t", Content: typical}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := set.Render("t", typicalValues()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPrepare is what one execution costs before it does anything.
func BenchmarkPrepare(b *testing.B) {
	set, err := Compile([]Source{{Name: "t", Content: typical}, {Name: "empty", Content: ""}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := set.RenderText("empty", nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile([]Source{{Name: "t", Content: typical}}); err != nil {
			b.Fatal(err)
		}
	}
}
