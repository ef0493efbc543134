// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return o
}

const typed = `
apiVersion: packages.kudo.dev/v1alpha1
kind: Store
metadata: {name: one, namespace: ns}
spec: {version: 1.0.0, serviceAccountName: sa, suspend: true, parameters: {size: 3, labels: {a: b}, big: 9007199254740993}}
`

// What is asked for is changed in the object that people write, and nothing else of it.
func TestEdit(t *testing.T) {
	for name, tt := range map[string]struct {
		version string
		changes map[string]string
		want    string
	}{
		"nothing":                {"", nil, `{version: 1.0.0, serviceAccountName: sa, suspend: true, parameters: {size: 3, labels: {a: b}, big: 9007199254740993}}`},
		"a version":              {"2.0.0", nil, `{version: 2.0.0, serviceAccountName: sa, suspend: true, parameters: {size: 3, labels: {a: b}, big: 9007199254740993}}`},
		"a number":               {"", map[string]string{"size": "5"}, `{version: 1.0.0, serviceAccountName: sa, suspend: true, parameters: {size: 5, labels: {a: b}, big: 9007199254740993}}`},
		"a fraction":             {"", map[string]string{"size": "1.5"}, `{version: 1.0.0, serviceAccountName: sa, suspend: true, parameters: {size: 1.5, labels: {a: b}, big: 9007199254740993}}`},
		"a map, as a whole":      {"", map[string]string{"labels": `{"c":[1]}`}, `{version: 1.0.0, serviceAccountName: sa, suspend: true, parameters: {size: 3, labels: {c: [1]}, big: 9007199254740993}}`},
		"back to the default":    {"", map[string]string{"size": "null"}, `{version: 1.0.0, serviceAccountName: sa, suspend: true, parameters: {labels: {a: b}, big: 9007199254740993}}`},
		"all back to defaults":   {"", map[string]string{"size": "null", "labels": "null", "big": "null"}, `{version: 1.0.0, serviceAccountName: sa, suspend: true}`},
		"one that was not there": {"", map[string]string{"tag": `"x"`}, `{version: 1.0.0, serviceAccountName: sa, suspend: true, parameters: {size: 3, labels: {a: b}, big: 9007199254740993, tag: x}}`},
	} {
		t.Run(name, func(t *testing.T) {
			changes := map[string]apiextensionsv1.JSON{}
			for k, v := range tt.changes {
				changes[k] = apiextensionsv1.JSON{Raw: []byte(v)}
			}
			u := object(t, typed)
			if err := edit(u, tt.version, changes); err != nil {
				t.Fatal(err)
			}
			want := object(t, "{apiVersion: v1, kind: X, spec: "+tt.want+"}")
			if diff := cmp.Diff(want.Object["spec"], u.Object["spec"]); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

// The object may be ahead of its Instance: what it says counts, with all its fields.
func TestSpecIsThatOfTheObject(t *testing.T) {
	got, err := specOf(object(t, typed), "store")
	if err != nil {
		t.Fatal(err)
	}
	if got.Framework != "store" || got.Version != "1.0.0" || !got.Suspend || string(got.Parameters["big"].Raw) != "9007199254740993" || got.DriftPolicy != v1alpha1.DriftCorrect {
		t.Errorf("%+v", got)
	}
}

func TestHandedOver(t *testing.T) {
	for name, tt := range map[string]struct {
		labels, annotations map[string]string
		want                string
	}{
		"nobody":             {nil, nil, ""},
		"a common label":     {map[string]string{"app.kubernetes.io/instance": "x"}, nil, ""},
		"Flux":               {map[string]string{"kustomize.toolkit.fluxcd.io/name": "x"}, nil, "Flux"},
		"a release of Flux":  {map[string]string{"helm.toolkit.fluxcd.io/name": "x", "app.kubernetes.io/managed-by": "Helm"}, nil, "Flux"},
		"Argo CD":            {map[string]string{"argocd.argoproj.io/instance": "x"}, nil, "Argo CD"},
		"Argo CD, by a note": {nil, map[string]string{"argocd.argoproj.io/tracking-id": "x"}, "Argo CD"},
		"Helm":               {map[string]string{"app.kubernetes.io/managed-by": "Helm"}, nil, "Helm"},
		"a release":          {nil, map[string]string{"meta.helm.sh/release-name": "x"}, "Helm"},
	} {
		if got := handedOver(&metav1.ObjectMeta{Labels: tt.labels, Annotations: tt.annotations}); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A status about an older spec says nothing about the one that was written.
func TestStanding(t *testing.T) {
	for name, tt := range map[string]struct {
		status        string
		ready, stalls bool
	}{
		"none":     {"{}", false, false},
		"an older": {"{observedGeneration: 2, conditions: [{type: Ready, status: 'True'}, {type: Stalled, status: 'True'}]}", false, false},
		"this":     {"{observedGeneration: 3, conditions: [{type: Ready, status: 'True'}]}", true, false},
		"a newer":  {"{observedGeneration: 4, conditions: [{type: Ready, status: 'False'}, {type: Stalled, status: 'True'}]}", true, true},
		"broken":   {"{observedGeneration: x}", false, false},
	} {
		ready, stalled := standing(object(t, "{apiVersion: v1, kind: X, status: "+tt.status+"}"), 3)
		if (ready != nil) != tt.ready || stalled != tt.stalls {
			t.Errorf("%s: %v, %v", name, ready, stalled)
		}
	}
}
