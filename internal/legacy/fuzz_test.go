// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"kudo.dev/kudo/internal/graph"
)

// FuzzImport: whatever the files of an operator hold, the importer ends without a panic,
// gives the same twice, and what it calls publishable compiles.
func FuzzImport(f *testing.F) {
	dirs, err := filepath.Glob("testdata/operators/*/templates/*.yaml")
	if err != nil || len(dirs) == 0 {
		f.Fatalf("there are no fixtures: %v", err)
	}
	for _, name := range dirs {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plainOperator, plainParams+"  - {name: A, default: \"1\"}\n", string(raw))
	}
	f.Add("apiVersion: kudo.dev/v1beta1\nname: &a [*a]\n", bomb(), "{{ range .Params }}{{ end }}")
	f.Fuzz(func(t *testing.T, operator, params, template string) {
		fsys := fstest.MapFS{
			"operator.yaml": {Data: []byte(operator)}, "params.yaml": {Data: []byte(params)}, "templates/app.yaml": {Data: []byte(template)},
		}
		r, err := Import(fsys, ".")
		again, errAgain := Import(fsys, ".")
		if fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Fatalf("two imports differ: %v, %v", err, errAgain)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(listing(r), listing(again)) {
			t.Fatal("two imports differ")
		}
		p, err := load(r.Files)
		if err != nil {
			t.Fatalf("the package can not be loaded: %v", err)
		}
		if _, errs := graph.Compile(&p.Version.Spec); r.Publishable() && len(errs) > 0 {
			t.Fatalf("it is said to be publishable, but %v", errs)
		}
	})
}

// FuzzTemplate: edits never leave a template that does not parse where the old one did, and
// the places of actions lie within the text.
func FuzzTemplate(f *testing.F) {
	f.Add("a: {{ .Params.A }}\n")
	f.Add("a: |\n{{ .Params.A | indent 2 }}\n{{- /* b */ -}}\n- c: \"{{ .B }}\n  d\"\ne: [ {{ .F }}, {g: h}]\n")
	f.Add("{{ range $k, $v := .Params.A }}---\n'{{ $k }}': {{ index .Params \"A\" }} # {{ $v }}\n{{ else }}{{ template \"x\" $ }}{{ end }}{{ define \"x\" }}{{ end }}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSource("app.yaml", text)
		if err != nil {
			return
		}
		im := &importer{
			operator: &operator{}, sources: map[string]*source{"app.yaml": s}, byName: map[string]*parameter{}, build: newBuilder("a", "1.0.0"),
			paired: map[string]bool{}, listed: map[string]bool{}, counted: map[string]bool{}, labels: map[string]bool{instanceLabel: true},
			dropped: map[*entry]bool{}, limits: map[string]int{},
		}
		p := &parameter{old: "A", name: "a", text: "1", kind: asInteger, hasDefault: true}
		im.params, im.byName["A"] = []*parameter{p}, p
		im.collectUses()
		out, lines := apply(text, 0, len(text), im.edits(s, scope{plan: "deploy"}))
		for _, at := range lines {
			if at < 0 || at > len(text) {
				t.Fatalf("a line comes from offset %d of %d", at, len(text))
			}
		}
		if _, err := parseSource("app.yaml", out); err != nil {
			t.Fatalf("%v\nof\n%s\nfrom\n%s", err, out, text)
		}
	})
}
