// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package values

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/params"
)

func schema(t *testing.T) *params.Schema {
	t.Helper()
	var specs []v1alpha1.Parameter
	err := yaml.Unmarshal([]byte(`
- {name: nodes, schema: {type: integer}, default: 3}
- {name: tag, schema: {type: string}, default: a}
- {name: labels, schema: {type: object, additionalProperties: {type: string}}, default: {}}
`), &specs)
	if err != nil {
		t.Fatal(err)
	}
	s, errs := params.Compile(specs, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return s
}

func TestParse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte("nodes: 5\nlabels: {a: b}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args  []string
		want  map[string]string
		words string
	}{
		"nothing":                       {nil, map[string]string{}, ""},
		"a number":                      {[]string{"--set", "nodes=5"}, map[string]string{"nodes": "5"}, ""},
		"text that looks like a number": {[]string{"--set", "tag=5"}, map[string]string{"tag": `"5"`}, ""},
		"text with signs":               {[]string{"--set", "tag=a=b: {c"}, map[string]string{"tag": `"a=b: {c"`}, ""},
		"a map":                         {[]string{"--set", "labels={a: b}"}, map[string]string{"labels": `{"a":"b"}`}, ""},
		"back to the default":           {[]string{"--set", "tag=null"}, map[string]string{"tag": "null"}, ""},
		"a file, and a flag that wins":  {[]string{"--set", "nodes=7", "--values", file}, map[string]string{"nodes": "7", "labels": `{"a":"b"}`}, ""},
		"the standard input":            {[]string{"--values", "-"}, map[string]string{"nodes": "9"}, ""},
		"no value":                      {[]string{"--set", "nodes"}, nil, "--set nodes: write NAME=VALUE"},
		"a misspelt name":               {[]string{"--set", "node=5"}, nil, `there is no parameter "node"; did you mean "nodes"?`},
		"an empty text":                 {[]string{"--set", "tag="}, map[string]string{"tag": `""`}, ""},
		"an empty number":               {[]string{"--set", "nodes="}, nil, "--set nodes: the value is empty; null takes"},
		"broken YAML":                   {[]string{"--set", "nodes={"}, nil, "--set nodes: the value is no YAML"},
		"a file that is not there":      {[]string{"--values", "nowhere.yaml"}, nil, "reading parameters: open nowhere.yaml"},
		"a file that is read as no map": {[]string{"--values", "/dev/null", "--set", "x=1"}, nil, "no parameter"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var f Flags
			cmd := &cobra.Command{}
			f.AddFlags(cmd, "", "of a test")
			if err := cmd.ParseFlags(tt.args); err != nil {
				t.Fatal(err)
			}
			got, err := f.Parse(strings.NewReader("nodes: 9\n"), schema(t))
			if tt.words != "" {
				if err == nil || !strings.Contains(err.Error(), tt.words) {
					t.Errorf("error %v, want the words %q", err, tt.words)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			texts := map[string]string{}
			for k, v := range got {
				texts[k] = string(v.Raw)
			}
			if diff := cmp.Diff(tt.want, texts); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

// A command that looks at many Instances asks once for each.
func TestTheStandardInputCountsForEveryCall(t *testing.T) {
	var f Flags
	cmd := &cobra.Command{}
	f.AddFlags(cmd, "", "of a test")
	if err := cmd.ParseFlags([]string{"--values", "-", "--set", "tag=b"}); err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader("nodes: 9\n")
	for range 2 {
		got, err := f.Parse(in, schema(t))
		if err != nil || string(got["nodes"].Raw) != "9" || string(got["tag"].Raw) != `"b"` {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// What is not named stays, and null takes a value back.
func TestMerge(t *testing.T) {
	j := func(s string) apiextensionsv1.JSON { return apiextensionsv1.JSON{Raw: []byte(s)} }
	set := map[string]apiextensionsv1.JSON{"a": j("1"), "b": j("2")}
	got := Merge(set, map[string]apiextensionsv1.JSON{"b": j("null"), "c": j("3")})
	if diff := cmp.Diff(map[string]apiextensionsv1.JSON{"a": j("1"), "c": j("3")}, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if len(set) != 2 {
		t.Error("what was set is changed in place")
	}
}
