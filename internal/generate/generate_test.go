// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/pack"
)

const template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

// source compiles a package of one template.
func source(t *testing.T, framework, parameters string) (*Source, error) {
	t.Helper()
	files := fstest.MapFS{"framework.yaml": {Data: []byte(framework)}, "templates/a.yaml": {Data: []byte(template)}}
	if parameters != "" {
		files["params.yaml"] = &fstest.MapFile{Data: []byte(parameters)}
	}
	p, err := pack.Load(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	return New(p)
}

const tiny = "framework: {name: tiny}\nversion: {version: 0.1.0}\n"

// A package with mistakes yields nothing, and every mistake is named.
func TestMistakesAreNamed(t *testing.T) {
	tests := map[string]struct {
		framework, parameters string
		words                 []string
	}{
		"two mistakes": {
			"framework: {name: tiny}\nversion: {version: 0.1.0, plans: [{name: deploy, phases: [{name: a, steps: [{name: b, tasks: [{task: nope}]}]}]}]}\n",
			"- {name: x, schema: {type: strin}}\n", []string{"there is no such task", "unknown type"},
		},
		"a kind that is a list": {"framework: {name: tiny, names: {kind: TinyList}}\nversion: {version: 0.1.0}\n", "", []string{"set spec.names.kind"}},
	}
	for name, tt := range tests {
		_, err := source(t, tt.framework, tt.parameters)
		for _, want := range tt.words {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", name, err, want)
			}
		}
	}
}

// Where nothing can be rendered the rights are not known: a Role that is too small would be
// found out in production.
func TestRightsThatCanNotBeFound(t *testing.T) {
	tests := map[string]struct {
		framework, parameters string
		known                 bool
	}{
		"no parameters":      {tiny, "", true},
		"a required one":     {tiny, "- {name: x, required: true, schema: {type: integer, minimum: 3}}\n", true},
		"no sample fits":     {tiny, "- {name: x, required: true, schema: {type: string, pattern: '^[a-z]+$', minLength: 9}}\n", false},
		"rules refuse it":    {strings.Replace(tiny, "0.1.0", "0.1.0, validations: [{rule: params.x > 5, message: more}]", 1), "- {name: x, schema: {type: integer, minimum: 1, maximum: 3}, default: 1}\n", false},
		"rules refuse a few": {strings.Replace(tiny, "0.1.0", "0.1.0, validations: [{rule: params.x > 2, message: more}]", 1), "- {name: x, schema: {type: integer, minimum: 1, maximum: 3}, default: 1}\n", true},
	}
	for name, tt := range tests {
		s, err := source(t, tt.framework, tt.parameters)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.Rights(); (err == nil) != tt.known {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTypesInWords(t *testing.T) {
	tests := map[string]string{
		"{type: string}":                                                                              "string",
		"{type: string, maxLength: 5}":                                                                "string, at most 5 characters",
		"{type: string, format: quantity}":                                                            "string (quantity)",
		"{type: string, nullable: true}":                                                              "string or null",
		"{type: string, enum: [a, b]}":                                                                `string, one of "a", "b"`,
		"{type: integer, minimum: 1, maximum: 9}":                                                     "integer, 1 to 9",
		"{type: integer, multipleOf: 5}":                                                              "integer, a multiple of 5",
		"{type: number, minimum: 0, exclusiveMinimum: true}":                                          "number, more than 0",
		"{type: number, minimum: 0, maximum: 1, exclusiveMaximum: true}":                              "number, at least 0, less than 1",
		"{type: number, minimum: 0, exclusiveMinimum: true, maximum: 1}":                              "number, more than 0, at most 1",
		"{x-kubernetes-int-or-string: true}":                                                          "integer or string",
		"{x-kubernetes-preserve-unknown-fields: true}":                                                "any value",
		"{type: array, minItems: 1, items: {type: array, items: {type: integer}}}":                    "list of list of integer, at least 1 items",
		"{type: object, maxProperties: 2, additionalProperties: {type: object, properties: {a: {}}}}": "map of object, at most 2 entries",
	}
	for text, want := range tests {
		var schema map[string]any
		if err := yaml.Unmarshal([]byte(text), &schema); err != nil {
			t.Fatal(err)
		}
		if got := Type(schema); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Parameters stand under their headings in the order of the version; those without one first.
func TestGroups(t *testing.T) {
	s, err := source(t, tiny, "- {name: a, group: Net}\n- {name: b}\n- {name: c, group: Disk}\n- {name: d, group: Net}\n- {name: e}\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range s.Groups() {
		names := []string{g.Name + ":"}
		for _, p := range g.Parameters {
			names = append(names, p.Name)
		}
		got = append(got, strings.Join(names, " "))
	}
	if diff := cmp.Diff([]string{": b e", "Net: a d", "Disk: c"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWordsInMarkdown(t *testing.T) {
	for text, want := range map[string]string{"a|b": "`a\\|b`", "`a`": "`` `a` ``", "a\nb": "`a b`", "": ""} {
		if got := Code(text); got != want {
			t.Errorf("Code(%q) is %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{"a_b *c* <d> [e](f) `g`|h\ni": "a\\_b \\*c\\* &lt;d> \\[e](f) \\`g\\`\\|h i"} {
		if got := Prose(text); got != want {
			t.Errorf("Prose(%q) is %s, want %s", text, got, want)
		}
	}
}

// Whole numbers keep their digits, and nothing of a status or of zero values is written.
func TestObjectsAreWrittenAsPeopleStoreThem(t *testing.T) {
	raw, err := Object(map[string]any{
		"kind": "X", "metadata": map[string]any{"name": "a", "creationTimestamp": nil}, "status": map[string]any{}, "spec": map[string]any{"n": uint64(1<<63 + 1)},
	})
	if err != nil || string(raw) != "kind: X\nmetadata:\n  name: a\nspec:\n  \"n\": 9223372036854775809\n" {
		t.Errorf("%v:\n%s", err, raw)
	}
}
