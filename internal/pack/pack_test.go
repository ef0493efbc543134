// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

const goodFramework = `framework:
  name: redis
  displayName: Redis
version:
  version: 7.2.0
  tasks:
    - name: main
      apply: {templates: [main.yaml]}
  plans:
    - name: deploy
      phases:
        - name: main
          steps:
            - name: main
              timeout: 90s
              retry: {limit: 2, backoff: 5s}
              tasks: [{task: main}]
`

const goodParams = `- name: nodes
  schema: {type: integer, minimum: 1, x: {b: 1, a: 2}}
  default: 3
- name: flag
  schema: {type: boolean}
  default: false
`

func file(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }

// pkg is a good package at pkg/, changed by what edits says; "" removes a file.
func pkg(edits map[string]string) fstest.MapFS {
	out := fstest.MapFS{
		"pkg/framework.yaml":           file(goodFramework),
		"pkg/params.yaml":              file(goodParams),
		"pkg/README.md":                file("# Redis\n"),
		"pkg/templates/main.yaml":      file("kind: ConfigMap\n"),
		"pkg/templates/lib/blocks.tpl": file(`{{ define "x" }}{{ end }}`),
		"pkg/tests/deploy.yaml":        file("anything: {"),
	}
	for name, content := range edits {
		if content == "" {
			delete(out, name)
			continue
		}
		out[name] = file(content)
	}
	return out
}

func TestLoad(t *testing.T) {
	p, err := Load(pkg(nil), "pkg")
	if err != nil {
		t.Fatal(err)
	}
	if p.Framework.Name != "redis" || p.Framework.Kind != "Framework" || p.Framework.APIVersion != "kudo.dev/v1alpha1" || p.Framework.Spec.DisplayName != "Redis" {
		t.Errorf("framework is %+v", p.Framework)
	}
	v := p.Version
	if v.Name != "redis-7.2.0" || v.Kind != "FrameworkVersion" || v.Spec.Framework != "redis" {
		t.Errorf("version is %q, kind %q, of %q", v.Name, v.Kind, v.Spec.Framework)
	}
	want := []v1alpha1.Template{
		{Name: "lib/blocks.tpl", Content: `{{ define "x" }}{{ end }}`},
		{Name: "main.yaml", Content: "kind: ConfigMap\n"},
	}
	if !reflect.DeepEqual(v.Spec.Templates, want) {
		t.Errorf("templates are %+v", v.Spec.Templates)
	}
	if len(v.Spec.Parameters) != 2 || v.Spec.Parameters[0].Name != "nodes" || string(v.Spec.Parameters[0].Default.Raw) != "3" {
		t.Errorf("parameters are %+v", v.Spec.Parameters)
	}
	if got := string(v.Spec.Parameters[0].Schema.Raw); got != `{"minimum":1,"type":"integer","x":{"a":2,"b":1}}` {
		t.Errorf("the schema is %s", got)
	}
	step := v.Spec.Plans[0].Phases[0].Steps[0]
	if step.Timeout.Duration.String() != "1m30s" || *step.Retry.Limit != 2 || step.Tasks[0].Task != "main" {
		t.Errorf("the step is %+v", step)
	}
	if v.Spec.Tasks[0].Apply.Templates[0] != "main.yaml" || p.Readme != "# Redis\n" {
		t.Errorf("the task is %+v, the readme %q", v.Spec.Tasks[0], p.Readme)
	}
}

func TestLoadWithoutTheOptionalFiles(t *testing.T) {
	fsys := fstest.MapFS{"framework.yaml": file("framework: {name: a}\nversion: {version: 1.0.0}\n")}
	p, err := Load(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	if p.Version.Name != "a-1.0.0" || p.Version.Spec.Parameters != nil || p.Version.Spec.Templates != nil || p.Readme != "" {
		t.Errorf("the package is %+v", p)
	}
}

func TestLoadRefuses(t *testing.T) {
	head := "framework: {name: a}\nversion:\n  version: 1.0.0\n"
	tests := map[string]struct {
		edits map[string]string
		want  string
	}{
		"no framework.yaml":            {map[string]string{"pkg/framework.yaml": ""}, "pkg: holds no framework.yaml"},
		"unknown field":                {map[string]string{"pkg/framework.yaml": head + "  plan: []\n"}, `pkg/framework.yaml:4: unknown field "plan"`},
		"unknown field, deep":          {map[string]string{"pkg/framework.yaml": head + "  tasks:\n    - name: x\n      apply:\n        templates: [a]\n        when: b\n"}, `pkg/framework.yaml:8: unknown field "when"`},
		"field in other case":          {map[string]string{"pkg/framework.yaml": head + "  appversion: x\n"}, `unknown field "appversion"; it is written "appVersion"`},
		"duplicate key":                {map[string]string{"pkg/framework.yaml": head + "  version: 1.0.1\n"}, `pkg/framework.yaml:4: the key "version" stands twice; the first is on line 3`},
		"duplicate in schema":          {map[string]string{"pkg/params.yaml": "- name: a\n  schema:\n    type: string\n    type: integer\n"}, `pkg/params.yaml:4: the key "type" stands twice`},
		"a number for text":            {map[string]string{"pkg/framework.yaml": "framework: {name: a}\nversion:\n  version: 1.0\n"}, "pkg/framework.yaml:3: must be a string, not a number; put it in quotes"},
		"text for a number":            {map[string]string{"pkg/framework.yaml": head + "  plans: [{name: p, phases: [{name: q, maxParallel: many}]}]\n"}, "pkg/framework.yaml:4: must be an integer, not a string"},
		"a number too large":           {map[string]string{"pkg/framework.yaml": head + "  plans: [{name: p, phases: [{name: q, maxParallel: 3000000000}]}]\n"}, "pkg/framework.yaml:4: 3000000000 does not fit; the value must lie within ±2147483647"},
		"20 digits":                    {map[string]string{"pkg/params.yaml": "- name: a\n  default: 99999999999999999999\n"}, "pkg/params.yaml:2: \"99999999999999999999\" (!!float) is no value that JSON can hold"},
		"infinity":                     {map[string]string{"pkg/params.yaml": "- name: a\n  default: .inf\n"}, "pkg/params.yaml:2:"},
		"text for a list":              {map[string]string{"pkg/framework.yaml": head + "  tasks: none\n"}, "pkg/framework.yaml:4: must be a list, not a string"},
		"list for a map":               {map[string]string{"pkg/framework.yaml": "framework: [a]\nversion: {version: 1.0.0}\n"}, "pkg/framework.yaml:1: must be a map, not a list"},
		"map for text":                 {map[string]string{"pkg/framework.yaml": "framework: {name: {a: b}}\nversion: {version: 1.0.0}\n"}, "pkg/framework.yaml:1: must be a string, not a map"},
		"text for a boolean":           {map[string]string{"pkg/framework.yaml": head + "  development: maybe\n"}, "pkg/framework.yaml:4: must be true or false, not a string"},
		"yes":                          {map[string]string{"pkg/framework.yaml": head + "  development: yes\n"}, `pkg/framework.yaml:4: "yes" means different things to different YAML readers`},
		"octal":                        {map[string]string{"pkg/params.yaml": "- name: a\n  default: 010\n"}, `pkg/params.yaml:2: "010" means different things`},
		"underscores":                  {map[string]string{"pkg/params.yaml": "- name: a\n  default: 1_000\n"}, `pkg/params.yaml:2: "1_000" means different things`},
		"on as a key":                  {map[string]string{"pkg/params.yaml": "- name: a\n  default: {on: 1}\n"}, "pkg/params.yaml:2: a key must be a string"},
		"an empty value":               {map[string]string{"pkg/framework.yaml": head + "  tasks:\n"}, "pkg/framework.yaml:4: the value is empty"},
		"a bad duration":               {map[string]string{"pkg/framework.yaml": head + "  tasks:\n    - name: a\n      wait: {for: soon}\n"}, `pkg/framework.yaml:6: time: invalid duration "soon"`},
		"a merge key":                  {map[string]string{"pkg/params.yaml": "- &a {name: a}\n- {<<: *a, default: 1}\n"}, "pkg/params.yaml:2: merge keys (<<) are not supported"},
		"two documents":                {map[string]string{"pkg/params.yaml": goodParams + "---\n[]\n"}, "a second YAML document starts here"},
		"empty":                        {map[string]string{"pkg/params.yaml": "# nothing\n"}, "pkg/params.yaml: the file is empty"},
		"no YAML":                      {map[string]string{"pkg/params.yaml": "- name: a\n  schema: {\n"}, "pkg/params.yaml:"},
		"no UTF-8":                     {map[string]string{"pkg/templates/main.yaml": "a\xff"}, "pkg/templates/main.yaml: is no UTF-8 text"},
		"a NUL":                        {map[string]string{"pkg/README.md": "a\x00"}, "pkg/README.md: is no UTF-8 text"},
		"no name":                      {map[string]string{"pkg/framework.yaml": "framework: {}\nversion: {version: 1.0.0}\n"}, "framework.name is missing"},
		"no version":                   {map[string]string{"pkg/framework.yaml": "framework: {name: a}\n"}, "version.version is missing"},
		"another framework":            {map[string]string{"pkg/framework.yaml": head + "  framework: b\n"}, `version.framework is "b", but framework.name is "a"`},
		"parameters in place":          {map[string]string{"pkg/framework.yaml": head + "  parameters: [{name: a}]\n"}, "version.parameters must stand in params.yaml"},
		"templates in place":           {map[string]string{"pkg/framework.yaml": head + "  templates: [{name: a, content: b}]\n"}, `version.templates: "a" has content; that is the file templates/a`},
		"a template that is not there": {map[string]string{"pkg/framework.yaml": head + "  templates: [{name: a.yaml, restartOnChange: true}]\n"}, `version.templates: "a.yaml" is no file below templates/`},
		"a template twice":             {map[string]string{"pkg/framework.yaml": head + "  templates: [{name: main.yaml}, {name: main.yaml}]\n"}, `version.templates: "main.yaml" stands there twice`},
		"a misspelt file":              {map[string]string{"pkg/parameters.yaml": "[]"}, "pkg/parameters.yaml: is no file of a package; these are: framework.yaml, params.yaml"},
		"a foreign directory":          {map[string]string{"pkg/template/a.yaml": "a"}, "pkg/template: is no directory of a package"},
		"a hidden template":            {map[string]string{"pkg/templates/.a.yaml": "a"}, "pkg/templates/.a.yaml: the name of a template starts with a letter or digit"},
		"an editor's backup":           {map[string]string{"pkg/templates/a.yaml~": "a"}, "pkg/templates/a.yaml~: is no template: the names of templates end in .yaml, or in .tpl"},
		"a long name":                  {map[string]string{"pkg/templates/" + strings.Repeat("a", 130) + ".yaml": "a"}, "at most 128 characters"},
		"a deep directory":             {map[string]string{"pkg/templates/1/2/3/4/5/6/7/8/a.yaml": "a"}, "lies more than 8 directories deep"},
		"a large template":             {map[string]string{"pkg/templates/main.yaml": strings.Repeat("a", 400_001)}, "the template is 400 kB, more than 400 kB"},
		"a large package":              {map[string]string{"pkg/templates/main.yaml": strings.Repeat("a", 399_000), "pkg/templates/b.yaml": strings.Repeat("b", 398_000), "pkg/README.md": strings.Repeat("c", 200_000)}, "pkg: the package is 997.5 kB, more than 900 kB; the largest files: templates/main.yaml 399 kB, templates/b.yaml 398 kB, README.md 200 kB"},
		"a large object":               {map[string]string{"pkg/templates/main.yaml": strings.Repeat("\"", 399_000), "pkg/templates/b.yaml": strings.Repeat("\"", 399_000)}, "pkg: the FrameworkVersion is 1596."},
		"aliases without end":          {map[string]string{"pkg/params.yaml": bomb()}, "aliases expanded"},
		"an alias of itself":           {map[string]string{"pkg/params.yaml": "- name: a\n  default: &a [*a]\n"}, "pkg/params.yaml:"},
		"deep nesting":                 {map[string]string{"pkg/params.yaml": "- name: a\n  default: " + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "\n"}, "nested more than 60 levels deep"},
		"all mistakes at once":         {map[string]string{"pkg/framework.yaml": head + "  a: 1\n  b: 2\n"}, "unknown field \"a\"\npkg/framework.yaml:5: unknown field \"b\""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := Load(pkg(test.edits), "pkg")
			if err == nil {
				t.Fatalf("accepted: %+v", p)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is\n%v\nand does not contain\n%s", err, test.want)
			}
		})
	}
}

// bomb is a few lines that expand to a billion values.
func bomb() string {
	var b strings.Builder
	b.WriteString("- name: a\n  default:\n    x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "    x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i-1), 10), ","))
	}
	return b.String()
}

func TestLoadStaysInThePackage(t *testing.T) {
	for _, dir := range []string{"../pkg", "/pkg", "pkg/..", "pkg/", "", "./pkg"} {
		var own *Error
		if _, err := Load(pkg(nil), dir); !errors.As(err, &own) || !strings.Contains(err.Error(), "is not a path within the file system") {
			t.Errorf("directory %q: the error is %v", dir, err)
		}
	}
	if _, err := Load(pkg(nil), "pkg/params.yaml"); err == nil || !strings.Contains(err.Error(), "is no directory") {
		t.Errorf("a file as the directory: the error is %v", err)
	}
	if _, err := Load(pkg(nil), "other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing directory: the error is %v", err)
	}
	for name, mode := range map[string]fs.FileMode{
		"pkg/README.md":         fs.ModeSymlink,
		"pkg/templates/a.yaml":  fs.ModeSymlink,
		"pkg/tests/secret.yaml": fs.ModeSymlink,
		"pkg/params.yaml":       fs.ModeNamedPipe,
	} {
		fsys := pkg(nil)
		fsys[name] = &fstest.MapFile{Data: []byte("main.yaml"), Mode: mode | 0o644}
		_, err := Load(fsys, "pkg")
		if err == nil || !strings.HasPrefix(err.Error(), name+": is ") {
			t.Errorf("%s with mode %v: the error is %v", name, mode, err)
		}
	}
}

func TestLoadBoundsTheNumberOfFiles(t *testing.T) {
	fsys := pkg(nil)
	for i := range maxEntries {
		fsys[fmt.Sprintf("pkg/tests/%04d.yaml", i)] = file("a")
	}
	if _, err := Load(fsys, "pkg"); err == nil || !strings.Contains(err.Error(), "more than 1000 files") {
		t.Errorf("the error is %v", err)
	}
}

func TestEmptyTemplateIsATemplate(t *testing.T) {
	fsys := pkg(nil)
	fsys["pkg/templates/main.yaml"] = &fstest.MapFile{}
	p, err := Load(fsys, "pkg")
	if err != nil || len(p.Version.Spec.Templates) != 2 {
		t.Errorf("the package is %+v, the error %v", p, err)
	}
}

// FuzzLoad: whatever the files hold, Load ends without a panic, gives the same
// twice, and what it accepts can be stored and read back.
func FuzzLoad(f *testing.F) {
	f.Add(goodFramework, goodParams, "main.yaml", "kind: ConfigMap\n")
	f.Add("framework: {name: a}\nversion: {version: 1.0.0}\n", bomb(), "a/b.tpl", "")
	f.Add("framework: &a {name: *a}\n", "- name: a\n  default: [1e3, 0x10, ~, 2001-01-01, !!binary aGk=]\n", "../x.yaml", "\x00")
	f.Add("? [a]\n: b\n", "--- |\n---\n...\n", ".", "---")
	f.Fuzz(func(t *testing.T, framework, params, name, content string) {
		fsys := fstest.MapFS{"p/framework.yaml": file(framework), "p/params.yaml": file(params)}
		if full := "p/templates/" + name; fs.ValidPath(full) {
			fsys[full] = file(content)
		}
		p, err := Load(fsys, "p")
		again, errAgain := Load(fsys, "p")
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || (err == nil && !reflect.DeepEqual(p, again)) {
			t.Fatalf("two loads differ: %v, %v", err, errAgain)
		}
		if err != nil {
			return
		}
		raw, err := json.Marshal(p.Version)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) > maxTotal {
			t.Fatalf("accepted %d bytes", len(raw))
		}
		var back v1alpha1.FrameworkVersion
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatalf("what was accepted cannot be read back: %v", err)
		}
	})
}

// What is said of a template beside its content stands in framework.yaml.
func TestWhatIsSaidOfATemplate(t *testing.T) {
	text := strings.Replace(goodFramework, "version: 7.2.0\n", "version: 7.2.0\n  templates: [{name: main.yaml, restartOnChange: true}]\n", 1)
	p, err := Load(pkg(map[string]string{"pkg/framework.yaml": text}), "pkg")
	if err != nil {
		t.Fatal(err)
	}
	for _, tmpl := range p.Version.Spec.Templates {
		if on := tmpl.RestartOnChange; (tmpl.Name == "main.yaml") != (on != nil && *on) || tmpl.Content == "" {
			t.Errorf("%s: restartOnChange %v, content %q", tmpl.Name, on, tmpl.Content)
		}
	}
}
