// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/golden"
)

func objects(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile("testdata/v1.in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for _, doc := range strings.Split(string(raw), "---\n") {
		j, err := yaml.YAMLToJSON([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(j); err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

func text(t *testing.T, all []*unstructured.Unstructured) string {
	t.Helper()
	var out []string
	for _, o := range all {
		raw, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(raw))
	}
	return strings.Join(out, "---\n")
}

// What a released profile does is never changed: pods of everybody who pinned it would restart.
func TestAProfileNeverChanges(t *testing.T) {
	all := objects(t)
	Apply(V1, all)
	got := text(t, all)
	golden.Compare(t, "testdata/v1.out.yaml", got) // -update is for a profile that is not released yet
	Apply(V1, all)
	if diff := cmp.Diff(got, text(t, all)); diff != "" {
		t.Errorf("applied twice (-once +twice):\n%s", diff)
	}
}

func TestNoProfileFillsNothingIn(t *testing.T) {
	want := text(t, objects(t))
	for _, profile := range []string{"", None} {
		all := objects(t)
		Apply(profile, all)
		if diff := cmp.Diff(want, text(t, all)); diff != "" {
			t.Errorf("profile %q (-want +got):\n%s", profile, diff)
		}
	}
}

// A change of the number of pods must not change their template.
func TestScalingChangesNoTemplate(t *testing.T) {
	pods := func(replicas int64) any {
		o := objects(t)[0]
		if err := unstructured.SetNestedField(o.Object, replicas, "spec", "replicas"); err != nil {
			t.Fatal(err)
		}
		Apply(V1, []*unstructured.Unstructured{o})
		template, _, _ := unstructured.NestedMap(o.Object, "spec", "template")
		return template
	}
	if diff := cmp.Diff(pods(1), pods(3)); diff != "" {
		t.Errorf("the template of 1 and of 3 pods:\n%s", diff)
	}
}

func TestKnown(t *testing.T) {
	for name, want := range map[string]bool{"": true, None: true, V1: true, "v0": false, "V1": false} {
		if Known(name) != want {
			t.Errorf("Known(%q) is not %v", name, want)
		}
	}
}
