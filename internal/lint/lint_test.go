// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// edit replaces a text in a file of the base package, or makes a file where old is empty.
type edit struct{ file, old, new string }

// base is the package in testdata, which is clean, with edits.
func base(t testing.TB, edits ...edit) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	root := os.DirFS("testdata/base")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(root, name)
		out[name] = &fstest.MapFile{Data: raw, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		if e.old == "" {
			out[e.file] = &fstest.MapFile{Data: []byte(e.new), Mode: 0o644}
			continue
		}
		text := string(out[e.file].Data)
		if !strings.Contains(text, e.old) {
			t.Fatalf("%s does not contain %q", e.file, e.old)
		}
		out[e.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, e.old, e.new, 1)), Mode: 0o644}
	}
	return out
}

// remove takes a file away.
func remove(fsys fstest.MapFS, name string) fstest.MapFS {
	delete(fsys, name)
	return fsys
}

func line(fsys fs.FS, f Finding) string {
	raw, err := fs.ReadFile(fsys, f.File)
	lines := strings.Split(string(raw), "\n")
	if err != nil || f.Line < 1 || f.Line > len(lines) {
		return ""
	}
	return lines[f.Line-1]
}

func TestCleanPackageHasNoFindings(t *testing.T) {
	for _, f := range Check(base(t), Options{}) {
		t.Errorf("%+v", f)
	}
}

// TestCatalogueHasNoErrors holds our own packages to the rules.
func TestCatalogueHasNoErrors(t *testing.T) {
	catalogue := os.DirFS("../../frameworks/zookeeper")
	entries, err := fs.ReadDir(catalogue, ".")
	if err != nil {
		t.Fatal(err)
	}
	var older fs.FS
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		fsys, err := fs.Sub(catalogue, e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Check(fsys, Options{Older: older}) {
			if f.Severity != Info {
				t.Errorf("%s: %+v", e.Name(), f)
			}
		}
		older = fsys
	}
	if older == nil {
		t.Fatal("the catalogue is empty")
	}
}

// TestEveryRuleFindsSomething: a rule that finds nothing in a package made for it is dead.
func TestEveryRuleFindsSomething(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range slices.Concat(packageCases, templateCases, planCases, podCases, clusterCases, upgradeCases) {
		tested[c.rule] = true
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			fsys := base(t, c.edits...)
			for _, name := range c.removed {
				remove(fsys, name)
			}
			options := Options{}
			if c.older != nil {
				options.Older = base(t, append(slices.Clone(older), c.older...)...)
			}
			findings := Check(fsys, options)
			for _, f := range findings {
				if strings.Contains(f.Message, sample.Name) {
					t.Errorf("the name of the sample is in %q", f.Message)
				}
			}
			if !slices.ContainsFunc(findings, func(f Finding) bool {
				return f.ID == c.rule && strings.Contains(line(fsys, f), c.on) && strings.Contains(f.Message, c.says)
			}) {
				t.Errorf("no finding on a line with %q that says %q:", c.on, c.says)
				for _, f := range findings {
					t.Logf("%s:%d: %s %s: %s [%s]", f.File, f.Line, f.Severity, f.ID, f.Message, line(fsys, f))
				}
			}
		})
	}
	for _, rule := range Rules() {
		if !tested[rule.ID] {
			t.Errorf("%s (%s) has no case", rule.ID, rule.Title)
		}
	}
}

func TestRulesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range Rules() {
		if seen[rule.ID] || rule.Title == "" || rule.Why == "" || rule.Fix == "" || rule.Family == "" || rule.check == nil || !slices.Contains(severities, rule.Severity) {
			t.Errorf("%s stands twice or is not complete: %+v", rule.ID, rule)
		}
		if strings.HasSuffix(rule.Fix, ".") || strings.HasSuffix(rule.Title, ".") || !strings.HasSuffix(rule.Why, ".") {
			t.Errorf("%s: title and fix are no sentences, why is", rule.ID)
		}
		seen[rule.ID] = true
	}
	if len(seen) < 40 {
		t.Errorf("there are %d rules", len(seen))
	}
}

// TestWhatIsNotAFinding: a rule that cries wolf is switched off, with all others.
func TestWhatIsNotAFinding(t *testing.T) {
	for name, edits := range map[string][]edit{
		"a block whose name is computed":   {{tpl, "{{- define \"store.secure\" -}}", "{{- define \"store.idle\" -}}x{{ end }}\n{{- define \"store.secure\" -}}"}, {cfg, "    policy =", "    x = {{ include (printf \"store.%s\" \"idle\") . }}\n    policy ="}},
		"a block whose name is handed on":  {{tpl, "{{- define \"store.secure\" -}}", "{{- define \"store.idle\" -}}x{{ end }}\n{{- define \"store.any\" -}}{{ include .name . }}{{ end }}\n{{- define \"store.secure\" -}}"}, {cfg, "    policy =", "    x = {{ include \"store.any\" (dict \"name\" \"store.idle\") }}\n    policy ="}},
		"a parameter that get reads":       {{prm, "- name: members\n", "- {name: extra, description: A., default: a}\n- name: members\n"}, {cfg, "    policy =", "    x = {{ get .Params \"extra\" }}\n    policy ="}},
		"a parameter behind a block":       {{prm, "- name: members\n", "- {name: extra, description: A., default: a}\n- name: members\n"}, {cfg, "    policy =", "    x = {{ include \"store.extra\" (dict \"root\" .) }}\n    policy ="}, {tpl, "{{- define \"store.secure\" -}}", "{{- define \"store.extra\" -}}{{ .root.Params.extra }}{{ end }}\n{{- define \"store.secure\" -}}"}},
		"an image that the user must name": {{prm, "- name: members\n", "- {name: image, description: A., required: true}\n- name: members\n"}, {front, "registry.example.com/front:{{ .Version.app }}", "{{ .Params.image }}"}},
		"a port that is bounded":           {{prm, "- name: members\n", "- {name: port, description: A., schema: {type: integer, minimum: 1, maximum: 65535}, default: 80}\n- name: members\n"}, {front, "containerPort: 8080", "containerPort: {{ .Params.port }}"}},
		"a kind of others":                 {{front, "apiVersion: apps/v1\nkind: Deployment", "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: {{ .Name }}-x}\nspec: {imagePullPolicy: any}\n---\napiVersion: apps/v1\nkind: Deployment"}},
		"words in the data of a ConfigMap": {{cfg, "\ndata:\n", "\ndata:\n  protocol: amqp\n"}},
		"a secret's name":                  {{prm, "- name: members\n", "- {name: tlsSecretName, description: A., schema: {type: string, format: k8s-short-name}, default: a}\n- name: members\n"}, {cfg, "    policy =", "    x = {{ .Params.tlsSecretName }}\n    policy ="}},
		"an immutable parameter":           {{set, "serviceName: {{ .Name }}-headless", "serviceName: {{ .Name }}-headless # {{ .Params.storage }}"}},
		"a digest":                         {{front, "front:{{ .Version.app }}", "front@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range Check(base(t, edits...), Options{}) {
				if f.ID != "KUDO162" { // a kind of others does need a role of its own
					t.Errorf("%+v", f)
				}
			}
		})
	}
}
