// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package scaffold

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/validation"
)

func TestAPackageIsValidAsItIs(t *testing.T) {
	for name, o := range map[string]Options{
		"a name":            {Name: "web"},
		"a name with parts": {Name: "message-queue"},
		"a kind":            {Name: "mq", Kind: "MessageQueue"},
		"the longest name":  {Name: strings.Repeat("a", longest)},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			fsys, err := pack.FS(files)
			if err != nil {
				t.Fatal(err)
			}
			p, err := pack.Load(fsys, ".")
			if err != nil {
				t.Fatal(err)
			}
			graph.Default(&p.Version.Spec, nil)
			errs := append(validation.Framework(p.Framework), validation.FrameworkVersion(p.Version, nil, graph.NewCache())...)
			if len(errs) > 0 {
				t.Error(errs.ToAggregate())
			}
		})
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	for name, words := range map[string]string{
		"":                             "is no name of a framework",
		"My-App":                       "is no name of a framework",
		"a.b":                          "is no name of a framework",
		strings.Repeat("a", longest+1): "use at most 30",
	} {
		if _, err := New(Options{Name: name}); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: error %v", name, err)
		}
	}
}

// What an author wrote stays, comments and order included.
func TestAppend(t *testing.T) {
	item := map[string]any{"name": "b", "value": 1}
	tests := map[string]struct {
		document string
		path     []string
		want     string
		words    string
	}{
		"to a list":       {"# head\n- name: a # why\n  value: 0\n", nil, "# head\n- name: a # why\n  value: 0\n- name: b\n  value: 1\n", ""},
		"to nothing":      {"", nil, "- name: b\n  value: 1\n", ""},
		"to a field":      {"x:\n  # these\n  items:\n  - name: a\n", []string{"x", "items"}, "x:\n  # these\n  items:\n  - name: a\n  - name: b\n    value: 1\n", ""},
		"to a new field":  {"x:\n  y: 1\n", []string{"x", "items"}, "x:\n  y: 1\n  items:\n  - name: b\n    value: 1\n", ""},
		"of a taken name": {"- name: b\n", nil, "", `there is already "b"`},
		"to no YAML":      {"{", nil, "", "reading the YAML"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Append([]byte(tt.document), item, tt.path...)
			if tt.words != "" {
				if err == nil || !strings.Contains(err.Error(), tt.words) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
		})
	}
}
