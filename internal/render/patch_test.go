// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	deploymentHead = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  template:
    spec:
      containers:
`
	appContainer = `
      - {name: app, image: "app:1", env: [{name: A, value: "no"}, {name: B, value: "010"}]}
`
	sideContainer = `
      - {name: side, image: "side:1", args: ["1e3", "null", "", "2024-01-01", "a: b\nc"]}
`
	deployment = deploymentHead + appContainer + sideContainer
)

func TestPatchMergesAndEdits(t *testing.T) {
	cases := map[string]struct{ patch, want string }{
		"strategic merge by container name": {
			`{spec: {template: {spec: {containers: [{name: side, image: "side:2"}]}}}}`,
			// kustomize puts the merged items first.
			deploymentHead + strings.Replace(sideContainer, "side:1", "side:2", 1) + appContainer,
		},
		"strategic merge removes a field": {
			`{spec: {replicas: null}}`,
			strings.Replace(deployment, "  replicas: 3\n", "", 1),
		},
		"strategic merge removes a list item": {
			`{spec: {template: {spec: {containers: [{name: side, $patch: delete}]}}}}`,
			deploymentHead + appContainer,
		},
		"JSON patch": {
			`[{op: replace, path: /spec/replicas, value: 5}, {op: copy, from: /metadata/name, path: /metadata/labels, value: x}, {op: replace, path: /metadata/labels, value: {a: "no"}}]`,
			strings.Replace(strings.Replace(deployment, "replicas: 3", "replicas: 5", 1), "{name: web}", `{name: web, labels: {a: "no"}}`, 1),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := object1(t, deployment)
			kept := before.DeepCopy()
			got, err := Patch([]*unstructured.Unstructured{before}, []PatchSpec{{Target: &Selector{Kind: "Deployment"}, Content: tc.patch}})
			if err != nil {
				t.Fatal(err)
			}
			diffObject(t, tc.want, got[0])
			if diff := cmp.Diff(kept, before); diff != "" {
				t.Errorf("the given object changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestPatchSelectsItsObjects(t *testing.T) {
	objs := objects(t, deployment+"---\n"+strings.ReplaceAll(deployment, "name: web", "name: api"))
	got, err := Patch(objs, []PatchSpec{
		{Content: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: api}, spec: {replicas: 1}}"},
		{Target: &Selector{Group: "apps", Version: "v1", Kind: "Deployment", Name: "web"}, Content: "$patch: delete"},
	})
	if err != nil {
		t.Fatal(err)
	}
	replicas, _, err := unstructured.NestedInt64(got[0].Object, "spec", "replicas")
	if err != nil || len(got) != 1 || got[0].GetName() != "api" || replicas != 1 {
		t.Errorf("got %d objects, the first %s with %d replicas (%v); want api with 1", len(got), got[0].GetName(), replicas, err)
	}
}

func TestPatchRefusesMistakes(t *testing.T) {
	all := &Selector{Kind: "Deployment"}
	double := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "- {op: copy, from: /spec, path: /spec/c%d}\n", i)
		}
		return b.String()
	}
	cases := map[string]struct {
		spec PatchSpec
		want string
	}{
		"matches nothing":  {PatchSpec{Target: &Selector{Kind: "Pod"}, Content: "{spec: {}}"}, "patch 1: the patch matches no object of the task"},
		"no target":        {PatchSpec{Content: "{spec: {}}"}, "does not say which object it is for"},
		"JSON no target":   {PatchSpec{Content: "[]"}, "a JSON patch needs a target"},
		"not YAML":         {PatchSpec{Target: all, Content: "{"}, "the patch is not strict YAML"},
		"duplicate key":    {PatchSpec{Target: all, Content: "{a: 1, a: 2}"}, "the patch is not strict YAML"},
		"text":             {PatchSpec{Target: all, Content: "x"}, "neither a map nor a list"},
		"missing path":     {PatchSpec{Target: all, Content: "[{op: replace, path: /spec/nothing/x, value: 1}]"}, "Deployment/web: patch 1: the patch does not apply"},
		"failing test":     {PatchSpec{Target: all, Content: "[{op: test, path: /spec/replicas, value: 9}]"}, "the patch does not apply"},
		"renames":          {PatchSpec{Target: all, Content: "{metadata: {name: other}}"}, "a patch may not change apiVersion, kind, name or namespace"},
		"moves":            {PatchSpec{Target: all, Content: "[{op: add, path: /metadata/namespace, value: kube-system}]"}, "a patch may not change"},
		"changes the kind": {PatchSpec{Target: all, Content: "[{op: replace, path: /kind, value: ClusterRole}]"}, "a patch may not change"},
		"doubling copies":  {PatchSpec{Target: all, Content: double(16)}, "the patch does not apply"},
		"many copies":      {PatchSpec{Target: all, Content: double(17)}, "the patch has more than 16 copy operations"},
		"too large":        {PatchSpec{Target: all, Content: strings.Repeat("x", 300<<10)}, "the patch is larger than 256 kB"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Patch(objects(t, deployment), []PatchSpec{tc.spec})
			wantError(t, err, ReasonPatch, tc.want)
		})
	}
}
