// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package frameworks_test checks the packages of the catalogue the way that
// Kudo uses them: read, rendered and decoded as the API server would.
package frameworks_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/render"
)

// longName is as long as the name of an Instance may be.
const longName = "zookeeper-with-the-longest-name-of-them1"

var (
	versions = []string{"3.8.4", "3.9.3"}
	sizes    = []int64{1, 3, 5, 7}
	applied  = []string{"services.yaml", "service-client.yaml", "pdb.yaml", "config.yaml", "statefulset.yaml", "halfway.yaml"}
	jobs     = []string{"preflight.yaml", "verify.yaml"}
)

// zookeeper is one version, ready to render.
type zookeeper struct {
	*pack.Package
	schema *params.Schema
	set    *render.Set
}

func load(t *testing.T, version string) *zookeeper {
	t.Helper()
	p, err := pack.Load(os.DirFS("."), "zookeeper/"+version)
	if err != nil {
		t.Fatal(err)
	}
	schema, errs := params.Compile(p.Version.Spec.Parameters, nil)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	sources := make([]render.Source, 0, len(p.Version.Spec.Templates))
	for _, tpl := range p.Version.Spec.Templates {
		sources = append(sources, render.Source{Name: tpl.Name, Content: tpl.Content})
	}
	set, err := render.Compile(sources)
	if err != nil {
		t.Fatal(err)
	}
	return &zookeeper{p, schema, set}
}

// eachVersion runs a test for every version.
func eachVersion(t *testing.T, test func(t *testing.T, zk *zookeeper)) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) { test(t, load(t, version)) })
	}
}

// defaults are the defaults with some values changed.
func (zk *zookeeper) defaults(t *testing.T, edits map[string]any) map[string]any {
	t.Helper()
	values, err := zk.schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := maps.Clone(map[string]any(values))
	maps.Copy(out, edits)
	return out
}

// objects are the rendered objects by kind and name.
type objects struct {
	raw       []byte
	services  map[string]*corev1.Service
	config    *corev1.ConfigMap
	pdb       *policyv1.PodDisruptionBudget
	set       *appsv1.StatefulSet
	job       *batchv1.Job
	rawPod    []byte
	allNames  []string
	namespace []string
}

func (zk *zookeeper) render(t *testing.T, template string, values render.Values) *objects {
	t.Helper()
	v := render.Values{
		"Name": longName, "Namespace": "tenant", "Labels": map[string]any{},
		"Version": map[string]any{"name": zk.Version.Spec.Version, "app": zk.Version.Spec.AppVersion},
	}
	maps.Copy(v, values)
	rendered, err := zk.set.Render(template, v)
	if err != nil {
		t.Fatalf("rendering %s: %v", template, err)
	}
	out := &objects{services: map[string]*corev1.Service{}}
	for _, o := range rendered {
		raw, err := json.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		out.raw = append(append(out.raw, raw...), '\n')
		out.allNames = append(out.allNames, o.GetName())
		out.namespace = append(out.namespace, o.GetNamespace())
		switch o.GetKind() {
		case "Service":
			service := &corev1.Service{}
			strict(t, raw, service)
			out.services[service.Name] = service
		case "ConfigMap":
			out.config = &corev1.ConfigMap{}
			strict(t, raw, out.config)
		case "PodDisruptionBudget":
			out.pdb = &policyv1.PodDisruptionBudget{}
			strict(t, raw, out.pdb)
		case "StatefulSet":
			out.set = &appsv1.StatefulSet{}
			strict(t, raw, out.set)
			out.rawPod = mustJSON(t, out.set.Spec.Template)
		case "Job":
			out.job = &batchv1.Job{}
			strict(t, raw, out.job)
		default:
			t.Fatalf("%s renders the kind %s, which this test does not know", template, o.GetKind())
		}
	}
	return out
}

func strict(t *testing.T, raw []byte, into any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("decoding %s: %v", raw, err)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// podSpec is that of the servers or of the job.
func (o *objects) podSpec() *corev1.PodSpec {
	switch {
	case o.set != nil:
		return &o.set.Spec.Template.Spec
	case o.job != nil:
		return &o.job.Spec.Template.Spec
	}
	return nil
}

func TestVersionsAgreeOnTheFramework(t *testing.T) {
	first := load(t, versions[0])
	for _, version := range versions {
		zk := load(t, version)
		if zk.Version.Spec.Version != version || zk.Version.Name != "zookeeper-"+version {
			t.Errorf("the directory %s holds %s", version, zk.Version.Name)
		}
		if !bytes.Equal(mustJSON(t, zk.Framework), mustJSON(t, first.Framework)) {
			t.Errorf("%s has another framework than %s; the one that is installed last would win", version, versions[0])
		}
		if zk.Readme == "" {
			t.Errorf("%s has no README.md", version)
		}
	}
}

func TestEveryParameterIsDescribedAndBounded(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for _, p := range zk.Version.Spec.Parameters {
			if p.DisplayName == "" || p.Group == "" || p.Description == "" || p.Default == nil {
				t.Errorf("%s lacks a displayName, group, description or default", p.Name)
			}
			var schema map[string]any
			if err := json.Unmarshal(p.Schema.Raw, &schema); err != nil {
				t.Fatal(err)
			}
			bound := map[string][]string{"integer": {"minimum", "maximum"}, "string": {"maxLength"}, "array": {"maxItems"}, "object": {"maxProperties"}}
			for _, keyword := range bound[schema["type"].(string)] {
				if schema[keyword] == nil && schema["enum"] == nil {
					t.Errorf("%s has no %s", p.Name, keyword)
				}
			}
		}
	})
}

// TestEveryTemplateRenders renders all sizes with extreme parameters.
func TestEveryTemplateRenders(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		extremes := zk.schema.Extremes()
		if len(extremes) < 3 {
			t.Fatalf("only %d sets of parameters", len(extremes))
		}
		for _, size := range sizes {
			for _, values := range extremes {
				p := maps.Clone(map[string]any(values))
				p["nodeCount"] = size
				for _, template := range slices.Concat(applied, jobs) {
					for _, old := range []any{nil, map[string]any{"nodeCount": max(1, size-2)}} {
						checkNames(t, zk.render(t, template, render.Values{"Params": p, "Old": old}))
					}
				}
			}
		}
	})
}

func checkNames(t *testing.T, o *objects) {
	t.Helper()
	for i, name := range o.allNames {
		if len(name) > 63 || o.namespace[i] != "tenant" {
			t.Errorf("object %q (%d characters) in namespace %q", name, len(name), o.namespace[i])
		}
	}
	if o.set != nil {
		// Pods carry <set>-<hash of 10> as a label.
		if n := len(o.set.Name) + 11; n > 63 {
			t.Errorf("the revision label has %d characters", n)
		}
	}
}
