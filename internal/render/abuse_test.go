// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The names of these tests are the numbers of the abuse cases.

func TestCase01SyntaxErrorsNameTemplateLineAndColumn(t *testing.T) {
	_, err := Compile([]Source{
		{Name: "a.yaml", Content: "x: 1\ny: {{ .Params.x | nope }}\n"},
		{Name: "b.yaml", Content: "{{ if .x }}\n"},
		{Name: "c.yaml", Content: "fine: true"},
		{Name: "d.yaml", Content: "\n  {{ template \"missing\" . }}"},
	})
	for _, want := range []string{`template a.yaml:2:19: function "nope" not defined`, "template b.yaml:2:1: unexpected EOF"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	_, err = Compile([]Source{{Name: "d.yaml", Content: "\n  {{ template \"missing\" . }}{{ include \"gone\" . }}"}})
	for _, want := range []string{"template d.yaml:2:15: there is no template missing", "template d.yaml:2:40: there is no template gone"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestCase02UndefinedParametersAreErrors(t *testing.T) {
	cases := map[string]struct{ expr, want string }{
		"parameter":      {"{{ .Params.typo }}", `template t:5:16: .Params.typo: "typo" is not defined; declare the parameter or correct its name`},
		"in include":     {"{{ define \"h\" }}{{ .Params.typo }}{{ end }}{{ include \"h\" . }}", `.Params.typo: "typo" is not defined`},
		"top level":      {"{{ .Parms }}", `.Parms: "Parms" is not defined`},
		"null":           {"{{ .Old.Params.x }}", `.Old.Params.x: is read from a value that is null; guard it with if or with`},
		"field of text":  {"{{ .Name.x }}", `.Name.x: is read from a value that has no fields`},
		"method of text": {"{{ .Name.Len }}", `.Name.Len: is read from a value that has no fields`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := configMap(t, "  a: "+tc.expr+"\n", params())
			wantError(t, err, ReasonExecution, tc.want)
		})
	}
}

func TestCase03InvalidYAMLNamesTheSourceLine(t *testing.T) {
	_, err := configMap(t, "{{ if true }}\n  a: b\n  {{ .Params.x }}\n\tc: d\n{{ end }}", params("x", "secret"))
	own := wantError(t, err, ReasonYAML, "the rendered text is not YAML")
	if own.Line < 7 || own.Line > 8 || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want line 7 or 8 and no value", err)
	}
}

func TestCase04DuplicateKeysAreErrors(t *testing.T) {
	_, err := configMap(t, "  a: b\n  a: c\n", params())
	wantError(t, err, ReasonYAML, `template t:6: the key "a" stands twice in a map`)
	_, err = configMap(t, "  k: b\n  {{ .Params.x }}: c\n", params("x", "k"))
	wantError(t, err, ReasonYAML, `the key that a value gives stands twice in a map`)
}

func TestCase05AmbiguousLiteralsAreRefusedAndNumbersKept(t *testing.T) {
	for _, word := range []string{"yes", "No", "ON", "off"} {
		_, err := configMap(t, "  a: "+word+"\n", params())
		wantError(t, err, ReasonYAML, "is a boolean to some readers of YAML and a string to others")
	}
	got, err := configMap(t, "  a: 0644\n  b: 1e3\n  c: 18446744073709551615\n  d: \"no\"\n  e: 2024-01-01\n  8080: f\n", params())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": int64(420), "b": int64(1000), "c": uint64(18446744073709551615), "d": "no", "e": "2024-01-01", "8080": "f"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	for _, literal := range []string{".nan", ".inf", "!!binary aGk=", "!custom x"} {
		_, err = configMap(t, "  a: "+literal+"\n", params())
		wantError(t, err, ReasonYAML, "template t:5:")
	}
	_, err = configMap(t, "  true: x\n", params())
	wantError(t, err, ReasonYAML, `the key "true" is no string`)
}

func TestCase06BillionLaughsEndQuickly(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := range 40 {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9))
	}
	bounded(t, func() {
		_, err := renderOne(t, b.String(), params())
		wantError(t, err, ReasonLimit, "too many nodes, aliases expanded")
	})
	_, err := renderOne(t, "a: &a [*a]\n", params())
	if err == nil {
		t.Error("an alias of itself was accepted")
	}
}

func TestCase07DeepNestingIsAnError(t *testing.T) {
	bounded(t, func() {
		for _, content := range []string{strings.Repeat("[", 20000), strings.Repeat("- ", 20000), strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat("{a: ", 20000)} {
			if _, err := renderOne(t, content, params()); err == nil {
				t.Errorf("%d bytes of nesting were accepted", len(content))
			}
		}
	})
}

func TestCase08DocumentMarkerInABlockScalarIsText(t *testing.T) {
	got, err := configMap(t, "  a: |\n    x\n    ---\n    y\n", params())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"a": "x\n---\ny\n"}, got); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

func TestCase09OnlyNamedObjectsAreAccepted(t *testing.T) {
	cases := map[string]struct{ content, want string }{
		"no map":        {"just text", "the document is a string and no Kubernetes object"},
		"no kind":       {"apiVersion: v1\nmetadata: {name: a}", "kind: is missing"},
		"no apiVersion": {"kind: Pod\nmetadata: {name: a}", "Pod: apiVersion: is missing"},
		"bad version":   {"apiVersion: a/b/c\nkind: Pod\nmetadata: {name: a}", "is not of the form group/version"},
		"no name":       {"apiVersion: v1\nkind: Pod\nmetadata: {}", "Pod: metadata.name: is missing"},
		"no metadata":   {"apiVersion: v1\nkind: Pod\n", "Pod: metadata: is missing"},
		"generateName":  {"apiVersion: v1\nkind: Pod\nmetadata: {generateName: a}", "metadata.generateName: is not accepted"},
		"list":          {"apiVersion: v1\nkind: List\nitems: []", "List: lists of objects are not accepted"},
		"typed list":    {"apiVersion: v1\nkind: ConfigMapList\nitems: []", "lists of objects are not accepted"},
		"twice":         {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\napiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}", "template t:5: Deployment/a: stands twice"},
		"label":         {"apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {a: 1}}", "Pod/a: metadata.labels: has a value that is no string"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := renderOne(t, tc.content, params())
			wantError(t, err, ReasonObject, tc.want)
		})
	}
	objs, err := renderOne(t, "---\n# nothing\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n{{ if false }}x{{ end }}\n---\n", params())
	if err != nil || len(objs) != 1 {
		t.Errorf("got %d objects and %v, want 1 and empty documents skipped", len(objs), err)
	}
}

func TestCase11to13TemplatesAreHermetic(t *testing.T) {
	forbidden := []string{
		"env", "expandenv", "getHostByName", "now", "date", "ago", "dateInZone", "htmlDate", "unixEpoch", "toDate",
		"randAlpha", "randAlphaNum", "randNumeric", "randAscii", "randInt", "randBytes", "shuffle", "uuidv4",
		"genPrivateKey", "genCA", "genSelfSignedCert", "genSignedCert", "buildCustomCert", "derivePassword", "htpasswd", "bcrypt",
		"encryptAES", "decryptAES", "osBase", "osDir", "osClean", "osExt", "osIsAbs", "tpl", "lookup", "call", "html", "js", "urlquery",
		fnStep, fnEmit, fnAt, fnRange, fnEnter, fnLeave,
	}
	for _, name := range forbidden {
		if slices.Contains(FunctionNames(), name) {
			t.Errorf("%s is available", name)
		}
		if _, err := Compile([]Source{{Name: "t", Content: "{{ " + name + " }}"}}); err == nil {
			t.Errorf("a template that calls %s compiles", name)
		}
	}
}

func TestCase16RecursionStopsAtAHundred(t *testing.T) {
	_, err := renderOne(t, bombs["self recursion"], params())
	wantError(t, err, ReasonLimit, "template t:1:17: templates include each other more than 100 levels deep")
	count := `{{ define "r" }}{{ if gt . 0 }}{{ template "r" sub . 1 }}{{ end }}{{ end }}{{ template "r" 90 }}`
	if _, err := renderOne(t, count, params()); err != nil {
		t.Errorf("90 levels: %v", err)
	}
}

func TestCase17RegularExpressionsReportMistakes(t *testing.T) {
	cases := map[string]string{
		`{{ regexMatch "(" "x" }}`:                    "the pattern does not compile",
		`{{ regexMatch (repeat 2000 "a") "x" }}`:      "the pattern is longer than 1 kB",
		`{{ regexMatch "a" (repeat 1048577 "a") }}`:   "",
		`{{ regexFindAll "a" (repeat 70000 "a") 1 }}`: "the input is longer than 64 kB",
	}
	for expr, want := range cases {
		_, err := renderOne(t, expr, params())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", expr, err, want)
		}
	}
}

func TestCase18OutputAndObjectsAreCapped(t *testing.T) {
	_, err := renderOne(t, `{{ range 3 }}`+strings.Repeat("x", 400_000)+`{{ end }}`, params())
	wantError(t, err, ReasonLimit, "renders more than 1 MiB")
	_, err = renderOne(t, `{{ range 3 }}{{ $.Params.x }}{{ end }}`, params("x", strings.Repeat("x", 400_000)))
	wantError(t, err, ReasonLimit, "renders more than 1 MiB")
	object := "{{ range $i := until %d }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p{{ $i }}}\n{{ end }}"
	_, err = renderOne(t, fmt.Sprintf(object, 1001), params())
	wantError(t, err, ReasonLimit, "renders 1001 objects, more than 1000")
	if _, err := renderOne(t, fmt.Sprintf(object, 1000), params()); err != nil {
		t.Errorf("1000 objects: %v", err)
	}
}

func TestCase19ParametersCannotInjectObjects(t *testing.T) {
	evil := "x\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: evil}\n"
	for _, expr := range []string{
		"{{ .Params.x }}", "{{ .Params.x | trim }}", "{{ .Params.x | indent 0 }}", "{{ .Params.x | nindent 4 }}", "{{ print .Params.x }}",
		"{{ printf \"%s\" .Params.x }}", "{{ list .Params.x | join \"\" }}", "{{ .Params.x | quote }}", "'{{ .Params.x }}'", "{{ toYaml .Params.x }}",
		"{{ .Params.x | replace \"x\" \"y\" }}", "{{ default \"a\" .Params.x }}", "{{ toJson .Params.x }}", "v{{ toJson .Params.x }}", "# {{ .Params.x }}",
		"{{ define \"h\" }}{{ .Params.x }}{{ end }}{{ include \"h\" . }}", "{{ dict \"a\" .Params.x | toYaml | nindent 4 }}",
		"{{ .Params.x | b64enc | b64dec }}", "{{ coalesce .Params.x }}", "{{ cat .Params.x }}", "{{ with .Params }}{{ .x }}{{ end }}",
		"{{ toYaml (fromYaml (toYaml .Params.x)) }}", "{{ get .Params \"x\" }}", "{{ index .Params \"x\" }}", "{{ squote .Params.x }}",
	} {
		objs, err := renderOne(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: "+expr+"\n", params("x", evil))
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if len(objs) != 1 || objs[0].GetKind() != "ConfigMap" {
			t.Errorf("%s: got %d objects", expr, len(objs))
		}
		for _, key := range []string{"kind", "metadata", "apiVersion"} {
			if data, _ := objs[0].Object["data"].(map[string]any); data[key] != nil {
				t.Errorf("%s: the value became the field %s", expr, key)
			}
		}
	}
}

func TestCase56ErrorsShowNoValues(t *testing.T) {
	secret := "topsecret"
	for _, expr := range []string{
		"{{ int .Params.x }}", "{{ range .Params.x }}{{ end }}", "{{ .Params.x.y }}", "{{ index .Params.x 0 }}", "{{ first .Params.x }}",
		"{{ fromJson .Params.x }}", "{{ fromYaml (print \"[\" .Params.x) }}", "{{ b64dec .Params.x }}", "{{ quantityMi .Params.x }}", "{{ add 1 .Params.x }}",
		"{{ regexMatch (print \"(\" .Params.x) \"\" }}", "{{ semver .Params.x }}", "{{ printf \"%d\" .Params.x }}", "{{ eq .Params.x 1 }}", "{{ .Params.x | urlParse | upper }}",
		"{{ include .Params.m . }}", "{{ ternary 1 2 .Params.x }}", "{{ template \"h\" .Params.x }}{{ define \"h\" }}{{ .y }}{{ end }}",
		"{{ .Params.m }}", "{{ merge .Params.x }}", "*{{ .Params.x }}", "&{{ .Params.x }} a", "!{{ .Params.x }} a", "\"{{ .Params.x }}", "{ {{ .Params.x }}",
		"{{ semverCompare .Params.x \"1\" }}", "{{ dict .Params.x }}", "{{ float64 .Params.x }}", "{{ round .Params.x 1 }}", "{{ indent 500 .Params.x }}",
	} {
		_, err := configMap(t, "  a: "+expr+"\n", params("x", secret, "m", map[string]any{secret: secret}))
		if err == nil {
			t.Errorf("%s: no error", expr)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the value: %v", expr, err)
		}
	}
}
