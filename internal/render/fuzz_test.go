// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FuzzRender: no template and no parameters panic, run on, or give an error of
// another type; and what is rendered passes through gate and JSON.
func FuzzRender(f *testing.F) {
	if raceFactor == 1 { // With the race detector they take a minute, and their own test runs them.
		for _, content := range bombs {
			f.Add(content, `{"x":"a"}`)
		}
	}
	f.Add(typical, `{"replicas":3,"tickTime":2000,"ports":[],"resources":{},"env":{"A":"---"}}`)
	f.Add("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: {{ .Params.x }}\n", `{"x":"a\n---\nb: c"}`)
	f.Add("a: |\n{{ .Params.x | indent 4 }}\n{{ toYaml .Params | nindent 2 }}", `{"x":"\ue0f10\ue0f2"}`)
	f.Fuzz(func(t *testing.T, content, raw string) {
		var p map[string]any
		if json.Unmarshal([]byte(raw), &p) != nil {
			return
		}
		set, err := Compile([]Source{{Name: "t", Content: content}})
		if err != nil {
			return
		}
		start := time.Now()
		objs, err := set.Render("t", Values{"Params": p, "Name": "n", "Namespace": "ns"})
		if took := time.Since(start); took > 5*raceFactor*time.Second {
			t.Fatalf("took %v", took)
		}
		var own *Error
		if err != nil && (!errors.As(err, &own) || own.Reason == "" || own.Msg == "") {
			t.Fatalf("the error is untyped: %#v", err)
		}
		if Gate(objs, Policy{Namespace: "ns"}) != nil {
			return
		}
		for _, obj := range objs {
			b, err := obj.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if err := new(unstructured.Unstructured).UnmarshalJSON(b); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzValuesAddNoStructure prints one string in every way that a scalar can
// stand, and finds exactly the keys of the template.
func FuzzValuesAddNoStructure(f *testing.F) {
	set, err := Compile([]Source{{Name: "t", Content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: {{ .Name }}\n  b: x{{ .Name }}y\n  c: \"{{ .Name }}\"\n  d: '{{ .Name }}'\n  e: {{ quote .Name }}\n  f: |\n    {{ .Name }}\n  g: {{ toYaml .Name }}\n  h: {{ toJson .Name }} # {{ .Name }}\n  i: {x: {{ .Name }}}\n  j: [{{ .Name }}]\n  k: |\n{{ .Name | indent 4 }}\n"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("x\n---\na: b")
	f.Add("', b: \"")
	f.Fuzz(func(t *testing.T, value string) {
		objs, err := set.Render("t", Values{"Name": value})
		if err != nil {
			return // Invalid UTF-8.
		}
		data, _ := objs[0].Object["data"].(map[string]any)
		if len(objs) != 1 || len(objs[0].Object) != 4 || len(data) != 11 {
			t.Fatalf("the structure changed for %q", value)
		}
		for _, key := range []string{"a", "c", "d", "e", "g", "h"} {
			if data[key] != value {
				t.Fatalf("%s is %q, want %q", key, data[key], value)
			}
		}
	})
}
