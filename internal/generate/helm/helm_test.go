// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/rbac"
	"kudo.dev/kudo/internal/golden"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/testing/sample"
)

func sources(t *testing.T) map[string]*generate.Source {
	return map[string]*generate.Source{
		"zookeeper 3.9.3": sample.ZooKeeper(t, "3.9.3"), "zookeeper 3.8.4": sample.ZooKeeper(t, "3.8.4"), "wide": sample.Wide(t),
	}
}

func files(t *testing.T, s *generate.Source) generate.Files {
	t.Helper()
	out, err := Files(s, "")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// load reads a chart of a set as Helm does.
func load(t *testing.T, all generate.Files, name string) *chartv2.Chart {
	t.Helper()
	var list []*archive.BufferedFile
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if within, ok := strings.CutPrefix(path, name+"/"); ok {
			list = append(list, &archive.BufferedFile{Name: within, Data: all[path]})
		}
	}
	c, err := loader.LoadFiles(list)
	if err != nil {
		t.Fatalf("loading the chart %s: %v", name, err)
	}
	return c
}

// render renders a chart as `helm template` does, and gives the objects by kind and name.
func render(t *testing.T, c *chartv2.Chart, release string, values map[string]any) (map[string]map[string]any, error) {
	t.Helper()
	options := common.ReleaseOptions{Name: release, Namespace: "prod", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, options, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	rendered, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]any{}
	for path, text := range rendered {
		if !strings.HasSuffix(path, ".yaml") {
			continue
		}
		for document := range strings.SplitSeq("\n"+text, "\n---") {
			var o map[string]any
			if err := yaml.UnmarshalStrict([]byte(document), &o); err != nil {
				t.Fatalf("%s: %v\n%s", path, err, document)
			}
			if o != nil {
				meta := o["metadata"].(map[string]any)
				out[o["kind"].(string)+" "+meta["name"].(string)] = o
			}
		}
	}
	return out, nil
}

// asValues is a set of values as Helm reads it from a file.
func asValues(t *testing.T, v any) map[string]any {
	t.Helper()
	raw, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	values, err := loader.LoadValues(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// exact says whether Helm can hold a value: its numbers are floating point.
func exact(v any) bool {
	const most = 1 << 53
	switch v := v.(type) {
	case int64:
		return v <= most && v >= -most
	case uint64:
		return v <= most
	case []any:
		return !slices.ContainsFunc(v, func(x any) bool { return !exact(x) })
	case map[string]any:
		for _, x := range v {
			if !exact(x) {
				return false
			}
		}
	}
	return true
}

// given are the parameters of a set that are set, and that Helm can hold.
func given(values params.Values) map[string]any {
	out := map[string]any{}
	for name, v := range values {
		if v != nil && exact(v) {
			out[name] = v
		}
	}
	return out
}

func canonical(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// With default and with extreme values, a chart passes strict lint.
func TestChartsPassLint(t *testing.T) {
	for name, s := range sources(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			all := files(t, s)
			for path, content := range all {
				full := filepath.Join(dir, filepath.FromSlash(path))
				if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(full, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			check := func(chart string, values map[string]any) {
				t.Helper()
				for _, m := range lint.RunAll(filepath.Join(dir, chart), values, "prod").Messages {
					if m.Severity > support.InfoSev {
						t.Errorf("%s: %v", chart, m)
					}
				}
			}
			check(s.Framework.Name+"-framework", nil)
			check(s.Framework.Name, nil)
			for _, values := range s.Version.Params.Extremes() {
				check(s.Framework.Name, asValues(t, map[string]any{"parameters": given(values)}))
			}
		})
	}
}

// validator holds an object to the schema of the kind that Kudo generates.
func validator(t *testing.T, s *generate.Source) func(o map[string]any) field.ErrorList {
	t.Helper()
	crd, err := crdgen.Build(s.Framework, []*v1alpha1.FrameworkVersion{s.FrameworkVersion})
	if err != nil {
		t.Fatal(err)
	}
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(crd.Spec.Versions[0].Schema.OpenAPIV3Schema, internal, nil); err != nil {
		t.Fatal(err)
	}
	v, _, err := validation.NewSchemaValidator(internal)
	if err != nil {
		t.Fatal(err)
	}
	return func(o map[string]any) field.ErrorList { return validation.ValidateCustomResource(nil, o, v) }
}

// What the chart renders is the object that somebody would have written.
func TestTheObjectIsWhatTheParametersSay(t *testing.T) {
	for name, s := range sources(t) {
		t.Run(name, func(t *testing.T) {
			c, valid := load(t, files(t, s), s.Framework.Name), validator(t, s)
			sets := s.Version.Params.Extremes()
			if len(sets) < 3 {
				t.Fatalf("only %d sets of values", len(sets))
			}
			for _, values := range sets {
				set := given(values)
				objects, err := render(t, c, "one", asValues(t, map[string]any{
					"parameters": set, "labels": map[string]any{"team": "a"}, "spec": map[string]any{"suspend": true, "historyLimit": 3},
				}))
				if err != nil {
					t.Fatalf("with %v: %v", set, err)
				}
				got := objects[s.Kind.Kind+" one"]
				want := map[string]any{
					"apiVersion": s.Kind.APIVersion, "kind": s.Kind.Kind,
					"metadata": map[string]any{"name": "one", "namespace": "prod", "labels": map[string]any{"team": "a"}},
					"spec": map[string]any{
						"version": s.Version.Spec.Version, "serviceAccountName": "one-installer",
						"suspend": true, "historyLimit": 3, "parameters": set,
					},
				}
				if diff := cmp.Diff(canonical(t, want), canonical(t, got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if errs := valid(got); len(errs) > 0 {
					t.Errorf("the generated kind refuses it: %v", errs.ToAggregate())
				}
			}
		})
	}
}

// The rights in the chart are those that `generate rbac` prints, and so what the
// FrameworkVersion reports.
func TestTheRightsAreThoseOfTheVersion(t *testing.T) {
	for name, s := range sources(t) {
		t.Run(name, func(t *testing.T) {
			got, err := render(t, load(t, files(t, s), s.Framework.Name), "one", asValues(t, map[string]any{
				"parameters": given(s.Version.Params.Extremes()[0]),
			}))
			if err != nil {
				t.Fatal(err)
			}
			o := rbac.Make(s, "prod", "one-installer")
			want := slices.Concat([]any{o.Account}, o.Role, o.Impersonation, o.Cluster, o.Elsewhere)
			if len(got) != len(want)+1 {
				t.Errorf("%d objects beside the one of the kind, want %d: %v", len(got)-1, len(want), slices.Sorted(maps.Keys(got)))
			}
			for _, w := range want {
				expected := canonical(t, w).(map[string]any)
				meta := expected["metadata"].(map[string]any)
				key := expected["kind"].(string) + " " + meta["name"].(string)
				found := canonical(t, got[key])
				o, ok := found.(map[string]any)
				if !ok {
					t.Errorf("there is no %s", key)
					continue
				}
				m := o["metadata"].(map[string]any)
				if m["annotations"].(map[string]any)[keep] != "keep" {
					t.Errorf("%s goes with the release, before Kudo has cleaned up", key)
				}
				delete(m, "annotations")
				delete(m, "labels")
				if diff := cmp.Diff(any(expected), any(o)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
		})
	}
}

func TestRightsCanBeLeftToAnAdmin(t *testing.T) {
	s := sample.Wide(t)
	c := load(t, files(t, s), "wide")
	off := map[string]any{"create": false}
	set := map[string]any{"owner": "me"}
	got, err := render(t, c, "one", map[string]any{"parameters": set, "rbac": off, "serviceAccount": map[string]any{"create": false, "name": "theirs"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got["Wide one"]["spec"].(map[string]any)["serviceAccountName"] != "theirs" {
		t.Errorf("objects %v", got)
	}
	got, err = render(t, c, "one", map[string]any{"parameters": set, "otherNamespaces": []any{"x", "y"}})
	if err != nil {
		t.Fatal(err)
	}
	if got["RoleBinding prod-one-installer"] == nil || got["RoleBinding prod-one-installer-impersonation"] == nil {
		t.Errorf("no rights in other namespaces: %v", slices.Sorted(maps.Keys(got)))
	}
}

// What a chart can tell is wrong, it refuses before the API server is asked.
func TestWrongValuesAreRefused(t *testing.T) {
	ok := map[string]any{"owner": "me"}
	with := func(key string, v any) map[string]any { return map[string]any{"parameters": ok, key: v} }
	parameter := func(key string, v any) map[string]any {
		set := maps.Clone(ok)
		set[key] = v
		return map[string]any{"parameters": set}
	}
	tests := map[string]struct {
		release string
		values  map[string]any
		words   string
	}{
		"nothing wrong":           {"one", parameter("copies", 3), ""},
		"required":                {"one", nil, "parameters.owner is required"},
		"unknown parameter":       {"one", parameter("copise", 3), "additional properties 'copise' not allowed"},
		"unknown value":           {"one", with("parameter", 3), "additional properties 'parameter' not allowed"},
		"unknown field":           {"one", with("spec", map[string]any{"suspended": true}), "additional properties 'suspended' not allowed"},
		"version in spec":         {"one", with("spec", map[string]any{"version": "1"}), "additional properties 'version' not allowed"},
		"wrong drift policy":      {"one", with("spec", map[string]any{"driftPolicy": "No"}), "one of 'Correct', 'Report', 'Ignore'"},
		"too many":                {"one", parameter("copies", 101), "maximum: got 101, want 100"},
		"a string for a number":   {"one", parameter("copies", "3"), "got string, want integer"},
		"no quantity":             {"one", parameter("memory", "64 MB"), "does not match pattern"},
		"bound not included":      {"one", parameter("ratio", 1), "got 1, want 1"},
		"not in the list":         {"one", parameter("zone", "c"), "one of 'a', 'b', 'no', '1'"},
		"no name of a Secret":     {"one", parameter("tls", "My Secret"), "does not match pattern"},
		"a value for a secret":    {"one", parameter("password", "hunter2"), "got string, want object"},
		"nested":                  {"one", parameter("store", map[string]any{"size": 0}), "minimum: got 0, want 1"},
		"nested required":         {"one", parameter("store", map[string]any{"class": "x"}), "missing property 'size'"},
		"null":                    {"one", parameter("copies", nil), "got null, want integer"},
		"null where it may be":    {"one", parameter("note", nil), ""},
		"long name":               {"a-name-that-is-far-too-long-for-an-object", map[string]any{"parameters": ok}, "can not be named"},
		"no name for an object":   {"1one", map[string]any{"parameters": ok}, "can not be named"},
		"a name of its own":       {"1one", with("name", "one"), ""},
		"an account of no name":   {"one", with("serviceAccount", map[string]any{"name": "a\nb"}), "does not match pattern"},
		"global of another chart": {"one", with("global", map[string]any{"x": 1}), ""},
	}
	c := load(t, files(t, sample.Wide(t)), "wide")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, c, tt.release, asValues(t, tt.values))
			if tt.words == "" && err != nil || tt.words != "" && (err == nil || !strings.Contains(err.Error(), tt.words)) {
				t.Errorf("got %v, want the words %q", err, tt.words)
			}
		})
	}
}

// The chart that publishes has the package's own objects, template language and all.
func TestTheFrameworkIsPublishedAsItIs(t *testing.T) {
	for name, s := range sources(t) {
		t.Run(name, func(t *testing.T) {
			got, err := render(t, load(t, files(t, s), s.Framework.Name+"-framework"), "any", nil)
			if err != nil {
				t.Fatal(err)
			}
			fw, fwv := got["Framework "+s.Framework.Name], got["FrameworkVersion "+s.ID()]
			if diff := cmp.Diff(canonical(t, s.Framework.Spec), canonical(t, fw["spec"])); diff != "" {
				t.Errorf("Framework (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(canonical(t, s.FrameworkVersion.Spec), canonical(t, fwv["spec"])); diff != "" {
				t.Errorf("FrameworkVersion (-want +got):\n%s", diff)
			}
			for _, o := range got {
				if o["metadata"].(map[string]any)["annotations"].(map[string]any)[keep] != "keep" {
					t.Errorf("%v goes with the release", o["kind"])
				}
			}
		})
	}
}

func TestGoldenSchema(t *testing.T) {
	golden.Compare(t, "testdata/values.schema.json", string(files(t, sample.ZooKeeper(t, "3.9.3"))["zookeeper/values.schema.json"]))
	golden.Compare(t, "testdata/values.yaml", string(files(t, sample.Wide(t))["wide/values.yaml"]))
}
