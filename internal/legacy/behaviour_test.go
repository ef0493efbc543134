// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/internal/graph"
)

const (
	plainOperator = `apiVersion: kudo.dev/v1beta1
name: one
operatorVersion: 1.0.0
tasks:
  - {name: app, kind: Apply, spec: {resources: [app.yaml]}}
plans:
  deploy:
    phases:
      - {name: app, steps: [{name: app, tasks: [app]}]}
`
	plainParams = "apiVersion: kudo.dev/v1beta1\nparameters:\n"
	configMap   = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Name }}\n"
	deployment  = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Name }}
spec:
  selector: {matchLabels: {app: one}}
  template:
    metadata:
      labels: {app: one}
    spec:
      containers:
        - name: one
          image: registry.example.com/one:1
`
)

// operatorFS is an operator with these parameters and this template.
func operatorFS(params, template string) fstest.MapFS {
	return fstest.MapFS{
		"operator.yaml":      {Data: []byte(plainOperator)},
		"params.yaml":        {Data: []byte(plainParams + params)},
		"templates/app.yaml": {Data: []byte(template)},
	}
}

func mustImport(t *testing.T, fsys fs.FS) *Result {
	t.Helper()
	r, err := Import(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestImportRefuses: what is no operator is an error that names file and line.
func TestImportRefuses(t *testing.T) {
	tests := map[string]struct {
		edits map[string]string
		want  string
	}{
		"no operator":            {map[string]string{"operator.yaml": ""}, "operator.yaml: is empty"},
		"another API version":    {map[string]string{"operator.yaml": "apiVersion: kudo.dev/v1\nname: a\n"}, `operator.yaml:1: apiVersion is "kudo.dev/v1", not kudo.dev/v1beta1`},
		"no name":                {map[string]string{"operator.yaml": "apiVersion: kudo.dev/v1beta1\n"}, "operator.yaml:1: name is missing"},
		"a list":                 {map[string]string{"operator.yaml": "- a\n"}, "operator.yaml:1: must be a map"},
		"two documents":          {map[string]string{"operator.yaml": plainOperator + "---\na: b\n"}, "holds more than one YAML document"},
		"broken YAML":            {map[string]string{"params.yaml": "parameters:\n  - name: [\n"}, "params.yaml:"},
		"an unknown type":        {map[string]string{"params.yaml": plainParams + "  - {name: a, type: money}\n"}, `params.yaml:3: the type of the parameter a is "money"`},
		"an unknown strategy":    {map[string]string{"operator.yaml": strings.Replace(plainOperator, "    phases:", "    strategy: random\n    phases:", 1)}, `operator.yaml:8: the strategy is "random"`},
		"a parameter nameless":   {map[string]string{"params.yaml": plainParams + "  - {default: a}\n"}, "params.yaml:3: the parameter has no name"},
		"no template":            {map[string]string{"templates/app.yaml": "a: {{ if }}\n"}, "templates/app.yaml:1: is no template: missing value for if"},
		"an open action":         {map[string]string{"templates/app.yaml": "a: {{ .Name\n"}, "templates/app.yaml: an action is not closed"},
		"an open string":         {map[string]string{"templates/app.yaml": "a: {{ \"b }}\n"}, "templates/app.yaml: a string is not closed"},
		"parentheses past sense": {map[string]string{"templates/app.yaml": "a: {{ " + strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300) + " }}\n"}, "nested more than 200 levels deep"},
		"blocks past sense":      {map[string]string{"templates/app.yaml": strings.Repeat("{{ if .Name }}", 300) + strings.Repeat("{{ end }}", 300)}, "nested more than 200 levels deep"},
		"no text":                {map[string]string{"templates/app.yaml": "a: \xff\n"}, "templates/app.yaml: is no UTF-8 text"},
		"more than fits":         {map[string]string{"templates/app.yaml": strings.Repeat("a: b\n", maxTotal/4)}, "the package is larger than 2048 kB"},
		"all mistakes at once":   {map[string]string{"params.yaml": plainParams + "  - {name: a, type: b}\n  - {name: c, type: d}\n"}, "params.yaml:4:"},
		"aliases without end":    {map[string]string{"params.yaml": bomb()}, "aliases expanded"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fsys := operatorFS("  []\n", configMap)
			for file, text := range test.edits {
				fsys[file] = &fstest.MapFile{Data: []byte(text)}
			}
			_, err := Import(fsys, ".")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is\n%v\nand does not contain\n%s", err, test.want)
			}
		})
	}
	for _, dir := range []string{"../a", "nowhere", "operator.yaml"} {
		if _, err := Import(operatorFS("  []\n", configMap), dir); err == nil {
			t.Errorf("the directory %q was accepted", dir)
		}
	}
}

// bomb is a few lines that expand to a billion values.
func bomb() string {
	var b strings.Builder
	b.WriteString("parameters:\n- name: a\n  default:\n    x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "    x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i-1), 10), ","))
	}
	return b.String()
}

// TestEncodingsGiveTheSame: line ends of Windows and byte order marks change nothing but a note.
func TestEncodingsGiveTheSame(t *testing.T) {
	want := mustImport(t, os.DirFS("testdata/operators/shapes"))
	fsys := fstest.MapFS{}
	source := os.DirFS("testdata/operators/shapes")
	err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(source, name)
		fsys[name] = &fstest.MapFile{Data: append([]byte("\ufeff"), bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))...)}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := mustImport(t, fsys)
	for name, raw := range want.Files {
		if name == readmeFile {
			continue // it tells the notes
		}
		if diff := cmp.Diff(string(raw), string(got.Files[name])); diff != "" {
			t.Errorf("%s differs:\n%s", name, diff)
		}
	}
	if more := len(got.Notes) - len(want.Notes); more != len(fsys) {
		t.Errorf("%d notes more, want one for each of %d files", more, len(fsys))
	}
}

// TestManyParameters: a package as large as those of the largest operators.
func TestManyParameters(t *testing.T) {
	const n = 247
	var params, template strings.Builder
	template.WriteString(configMap + "data:\n  settings.conf: |\n")
	for i := range n {
		fmt.Fprintf(&params, "  - {name: SETTING_%d, default: \"%d\", description: %q}\n", i, i, strings.Repeat("What it does. ", 5))
		fmt.Fprintf(&template, "    {{ if .Params.SETTING_%d }}\n    setting.%d = {{ .Params.SETTING_%d }} # %s\n    {{ end }}\n", i, i, i, strings.Repeat("why ", 300))
	}
	r := mustImport(t, operatorFS(params.String(), template.String()))
	if !r.Publishable() {
		t.Errorf("it can not be published: %v", r.Notes)
	}
	p, err := load(r.Files)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.Version.Spec.Parameters); got != n {
		t.Errorf("%d parameters, want %d", got, n)
	}
	if diff := cmp.Diff(template.String(), string(r.Files["templates/app.yaml"])); diff != "" {
		t.Errorf("the template changed:\n%s", diff)
	}
}

// TestTypesFollowUse: a parameter gets another type than string where that changes nothing
// that is rendered, and only there.
func TestTypesFollowUse(t *testing.T) {
	const either = `{"x-kubernetes-int-or-string":true}`
	tests := map[string]struct {
		param, body   string
		schema, value string
	}{
		"a number where one is needed":           {`{name: A, default: "3"}`, "spec:\n  replicas: {{ .Params.A }}\n", `{"type":"integer"}`, "3"},
		"a number in a text":                     {`{name: A, default: "3"}`, "metadata:\n  annotations:\n    a: \"{{ .Params.A }}\"\n", "", `"3"`},
		"a number that is counted with":          {`{name: A, default: "3"}`, "metadata:\n  annotations:\n    a: \"{{ add .Params.A 1 }}\"\n", `{"type":"integer"}`, "3"},
		"an octal number":                        {`{name: A, default: "0644"}`, "spec:\n  replicas: {{ .Params.A }}\n", "", `"0644"`},
		"a quantity":                             {`{name: A, default: 1Gi}`, "spec:\n  template:\n    spec:\n      containers:\n        - name: a\n          resources:\n            limits:\n              memory: {{ .Params.A }}\n", `{"format":"quantity","type":"string"}`, `"1Gi"`},
		"a quantity that is a number":            {`{name: A, default: "1"}`, "spec:\n  template:\n    spec:\n      containers:\n        - name: a\n          resources:\n            limits:\n              cpu: {{ .Params.A }}\n", either, "1"},
		"a number, a text or a share":            {`{name: A, default: 25%}`, "spec:\n  strategy:\n    rollingUpdate:\n      maxSurge: {{ .Params.A }}\n", either, `"25%"`},
		"true where a boolean is needed":         {`{name: A, default: "true"}`, "spec:\n  paused: {{ .Params.A }}\n", `{"type":"boolean"}`, "true"},
		"true in a text":                         {`{name: A, default: "true"}`, "metadata:\n  annotations:\n    a: {{ .Params.A | quote }}\n", "", `"true"`},
		"a declared integer":                     {`{name: A, type: integer, default: 3}`, "metadata: {}\n", `{"type":"integer"}`, "3"},
		"a declared integer without a value":     {`{name: A, type: integer, required: false}`, "metadata: {}\n", `{"pattern":"^(-?[0-9]+)?$","type":"string"}`, `""`},
		"an enumeration":                         {`{name: A, default: a, enum: [a, b]}`, "metadata: {}\n", `{"enum":["a","b"],"type":"string"}`, `"a"`},
		"a list":                                 {`{name: A, type: array, default: [a]}`, "metadata: {}\n", `{"items":{"x-kubernetes-preserve-unknown-fields":true},"type":"array"}`, `["a"]`},
		"a map as a text":                        {`{name: A, type: map, default: "a: 1"}`, "metadata: {}\n", `{"type":"object","x-kubernetes-preserve-unknown-fields":true}`, `{"a":1}`},
		"nothing, which KUDO took for nothing":   {`{name: A, required: false}`, "metadata: {}\n", "", `""`},
		"nothing, which KUDO asked for":          {`{name: A}`, "metadata: {}\n", "", ""},
		"a number that a custom kind is told":    {`{name: A, default: "3"}`, "spec:\n  strategy:\n    unheardOf: 1\n", "", `"3"`},
		"a text of several lines":                {"{name: A, default: \"a\\nb\"}", "metadata:\n  annotations:\n    a: {{ .Params.A | quote }}\n", "", `"a\nb"`},
		"read by a computed name, so nobody can": {`{name: A, default: "3"}`, "metadata:\n  annotations:\n    a: {{ index .Params (print \"A\") | quote }}\nspec:\n  replicas: {{ .Params.A }}\n", "", `"3"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := mustImport(t, operatorFS("  - "+test.param+"\n", "apiVersion: apps/v1\nkind: Deployment\n"+test.body))
			p, err := load(r.Files)
			if err != nil {
				t.Fatal(err)
			}
			got := p.Version.Spec.Parameters[0]
			schema, value := "", ""
			if got.Schema != nil {
				schema = string(got.Schema.Raw)
			}
			if got.Default != nil {
				value = string(got.Default.Raw)
			}
			if schema != test.schema || value != test.value {
				t.Errorf("the schema is %s and the default %s, want %s and %s", schema, value, test.schema, test.value)
			}
		})
	}
}

// TestRendersWhatKudoRendered: objects are what the old engine would have made of the text.
func TestRendersWhatKudoRendered(t *testing.T) {
	tests := map[string]struct {
		params, lines string
		want          map[string]any
	}{
		"an empty value is no value": {
			"  - {name: A, default: \"\"}\n", "  revisionHistoryLimit: {{ .Params.A }}\n",
			map[string]any{"revisionHistoryLimit": nil},
		},
		"a default of a template is a number": {
			"  - {name: A, default: \"\"}\n", "  replicas: {{ default \"2\" .Params.A }}\n", map[string]any{"replicas": int64(2)},
		},
		"a text that is not empty is true": {
			"  - {name: A, default: \"false\"}\n", "  paused: {{ .Params.A }}\n  {{ if .Params.A }}\n  replicas: 4\n  {{ end }}\n",
			map[string]any{"paused": false, "replicas": int64(4)},
		},
		"a number compares as a text": {
			"  - {name: A, default: \"3\"}\n", "  replicas: {{ .Params.A }}\n  {{ if eq .Params.A \"3\" }}\n  paused: true\n  {{ end }}\n",
			map[string]any{"replicas": int64(3), "paused": true},
		},
		"an empty text counts as zero": {
			"  - {name: A, default: \"\"}\n", "  replicas: {{ add (int .Params.A) 1 }}\n", map[string]any{"replicas": int64(1)},
		},
		"a variable is a number": {
			"  - {name: A, default: \"3\"}\n", "  {{ $n := .Params.A }}\n  replicas: {{ $n }}\n", map[string]any{"replicas": int64(3)},
		},
		"yes is true": {"  []\n", "  paused: yes\n", map[string]any{"paused": true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := mustImport(t, operatorFS(test.params, deployment+test.lines))
			p, err := load(r.Files)
			if err != nil {
				t.Fatal(err)
			}
			v, errs := graph.Compile(&p.Version.Spec)
			if len(errs) > 0 {
				t.Fatalf("%v\n%s", errs, r.Files["templates/app.yaml"])
			}
			in := v.SampleInputs(v.Params.Extremes()[0])
			rendered, err := v.RenderTask(v.Plans["deploy"].Tasks["app/app/app"], in, graph.Identity{Name: "one", Namespace: "ns"}, graph.Run{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			spec, _ := rendered[0].Object.Object["spec"].(map[string]any)
			for field, want := range test.want {
				got, found := spec[field]
				if diff := cmp.Diff(want, got); diff != "" || !found {
					t.Errorf("%s (-want +got):\n%s\n%s", field, diff, r.Files["templates/app.yaml"])
				}
			}
		})
	}
}
