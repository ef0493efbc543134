// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"bufio"
	"errors"
	"go/ast"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/render"
	"kudo.dev/kudo/internal/validation"
)

// pagesOf gives the Markdown files of a directory of the repository by their path.
func pagesOf(t *testing.T, parts ...string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path(t, parts...), "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.Join(parts, "/")+"/"+filepath.Base(f)] = string(raw)
	}
	return out
}

// specification is the text of docs/spec.
func specification(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, text := range pagesOf(t, "docs", "spec") {
		all.WriteString(text)
	}
	if all.Len() == 0 {
		t.Fatal("docs/spec is empty")
	}
	return all.String()
}

// example is a YAML document of a page.
type example struct {
	page string
	raw  []byte
	metav1.TypeMeta
}

// blocks gives the YAML blocks of a page.
func blocks(text string) []string {
	var out []string
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case inside && strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			out[len(out)-1] += line
		case strings.TrimSpace(line) == "```yaml":
			inside, out = true, append(out, "")
		}
	}
	return out
}

// examples finds the documents of Kudo's kinds in all pages with examples.
func examples(t *testing.T) []example {
	t.Helper()
	pages := pagesOf(t, "docs", "spec")
	pages["README.md"] = read(t, "README.md")
	var out []example
	for page, text := range pages {
		for _, block := range blocks(text) {
			for r := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(block))); ; {
				raw, err := r.Read()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", page, err)
				}
				e := example{page: page, raw: raw}
				var content any
				if err := yaml.UnmarshalStrict(raw, &content); err != nil {
					t.Errorf("%s: an example is not strict YAML: %v\n%s", page, err, raw)
					continue
				}
				if err := yaml.Unmarshal(raw, &e.TypeMeta); err == nil && e.APIVersion == v1alpha1.GroupVersion.String() {
					out = append(out, e)
				}
			}
		}
	}
	return out
}

// decode reads an example as the API server does with strict field validation.
func (e example) decode(t *testing.T, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict(e.raw, into); err != nil {
		t.Errorf("%s: the %s is not valid: %v\n%s", e.page, e.Kind, err, e.raw)
	}
}

func TestExamplesAreValid(t *testing.T) {
	versions := map[string]*graph.Version{}
	instances := map[string]*v1alpha1.Instance{}
	count := map[string]int{}
	all := examples(t)
	for _, e := range all {
		count[e.Kind]++
		switch e.Kind {
		case "Framework":
			var fw v1alpha1.Framework
			e.decode(t, &fw)
			if errs := validation.Framework(&fw); len(errs) > 0 {
				t.Errorf("%s: Framework %s: %v", e.page, fw.Name, errs.ToAggregate())
			}
		case "FrameworkVersion":
			var fwv v1alpha1.FrameworkVersion
			e.decode(t, &fwv)
			if fwv.Name != fwv.Spec.Framework+"-"+fwv.Spec.Version {
				t.Errorf("%s: FrameworkVersion %s is misnamed", e.page, fwv.Name)
			}
			version, errs := graph.Compile(&fwv.Spec)
			if len(errs) > 0 {
				t.Errorf("%s: FrameworkVersion %s: %v", e.page, fwv.Name, errs.ToAggregate())
				continue
			}
			if versions[fwv.Name] != nil {
				t.Errorf("%s: FrameworkVersion %s stands twice in the examples", e.page, fwv.Name)
			}
			versions[fwv.Name] = version
		case "Instance":
			var inst v1alpha1.Instance
			e.decode(t, &inst)
			instances[inst.Name] = &inst
		case "PlanExecution":
		default:
			t.Errorf("%s: there is no kind %s", e.page, e.Kind)
		}
	}
	for _, kind := range []string{"Framework", "FrameworkVersion", "Instance", "PlanExecution"} {
		if count[kind] == 0 {
			t.Errorf("there is no example of a %s", kind)
		}
	}
	for name, inst := range instances {
		version := versions[inst.Spec.Framework+"-"+inst.Spec.Version]
		if errs := validation.Instance(inst, nil, version); len(errs) > 0 {
			t.Errorf("Instance %s: %v", name, errs.ToAggregate())
		}
	}
	checkExecutions(t, all, instances, versions)
}

func checkExecutions(t *testing.T, all []example, instances map[string]*v1alpha1.Instance, versions map[string]*graph.Version) {
	t.Helper()
	for _, e := range all {
		if e.Kind != "PlanExecution" {
			continue
		}
		var pe v1alpha1.PlanExecution
		e.decode(t, &pe)
		var version *graph.Version
		if inst := instances[pe.Spec.Instance]; inst != nil {
			version = versions[inst.Spec.Framework+"-"+inst.Spec.Version]
		}
		if errs := validation.PlanExecution(&pe, false, version); len(errs) > 0 {
			t.Errorf("%s: PlanExecution %s: %v", e.page, pe.Name, errs.ToAggregate())
		}
	}
}

// TestUnsupportedFieldsAreDocumented: what the API has and this build refuses stands in docs/spec.
func TestUnsupportedFieldsAreDocumented(t *testing.T) {
	pages := specification(t)
	seen := 0
	for _, s := range sources(t) {
		if s.dir() != "apis/kudo/v1alpha1" || s.isTest() {
			continue
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if !ok || f.Tag == nil || !strings.Contains(strings.ToLower(f.Doc.Text()), "not yet supported") {
				return true
			}
			tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
			name, _, _ := strings.Cut(tag, ",")
			seen++
			if !regexp.MustCompile("`[^`]*\\b" + regexp.QuoteMeta(name) + "\\b[^`]*`").MatchString(pages) {
				t.Errorf("%s: docs/spec does not say that %s is not yet supported", s.position(f), name)
			}
			return true
		})
	}
	if seen == 0 {
		t.Fatal("no field says that it is not yet supported: the test looks for other words")
	}
}

// TestTemplateFunctionsAreDocumented: the page lists what templates may call, by name.
func TestTemplateFunctionsAreDocumented(t *testing.T) {
	page := read(t, "docs", "spec", "templates.md")
	for _, name := range render.FunctionNames() {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/spec/templates.md does not list the function %s", name)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)

// TestLinksLeadSomewhere checks the relative links of the pages.
func TestLinksLeadSomewhere(t *testing.T) {
	pages := map[string]string{}
	for _, dir := range [][]string{{"docs", "spec"}, {"docs", "design"}} {
		for name, text := range pagesOf(t, dir...) {
			pages[name] = text
		}
	}
	for _, name := range []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md"} {
		pages[name] = read(t, name)
	}
	for page, text := range pages {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], ":") {
				continue
			}
			if _, err := os.Stat(filepath.Join(path(t), filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, m[1])
			}
		}
	}
}
