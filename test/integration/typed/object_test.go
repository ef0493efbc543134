// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package typed_test

import (
	"strings"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const parameters = `
  - {name: nodeCount, schema: {type: integer, enum: [1, 3, 5]}, default: 3, description: How many servers run}
  - {name: memory, schema: {type: string, format: quantity}, default: 1Gi}
  - {name: tags, schema: {type: array, items: {type: string}}}
  - {name: limits, schema: {type: object, properties: {cpu: {type: integer}, burst: {type: boolean}}}}
`

// A person applies an object of the generated kind, and does with it what they would do
// with any other.
func TestATypedObjectFromDeployToDelete(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{replicasParameter: nodeCount}", parameters)
	a.version("1.1.0", parameters)
	a.established()
	a.create("zk", "1.0.0", `{tags: [a, b], limits: {cpu: 2, burst: true}}`)
	s := a.ready("zk")
	if s.Version != "1.0.0" || s.Plan != "deploy: Succeeded" || s.Instance != a.instance("zk").Name || s.Execution != nil {
		t.Errorf("status %+v", s)
	}
	if got := string(s.Outputs["endpoint"].Raw); !strings.Contains(got, "zk."+a.name) || !strings.Contains(got, "1.0.0") {
		t.Errorf("outputs %s", got)
	}
	name := a.instance("zk").Name
	want := `{"limits":{"burst":true,"cpu":2},"memory":"1Gi","nodeCount":3,"tags":["a","b"]}`
	if got := a.data("zk"); got["params"] != want || got["version"] != "1.0.0" {
		t.Errorf("objects and lists do not come through: %v", got)
	}

	// kubectl scale, and an autoscaler.
	if s.Replicas == nil || *s.Replicas != 3 {
		t.Errorf("replicas %v, want 3", s.Replicas)
	}
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 5}}
	o := a.object("zk", "1.0.0", "{}")
	if err := a.w.Admin().SubResource("scale").Update(t.Context(), o, client.WithSubResourceBody(scale)); err != nil {
		t.Fatal(err)
	}
	if s = a.ready("zk"); *s.Replicas != 5 || !strings.Contains(a.data("zk")["params"], `"nodeCount":5`) {
		t.Errorf("after scaling: %d replicas, %v", *s.Replicas, a.data("zk"))
	}

	// kubectl patch to upgrade.
	if err := a.change("zk", `{spec: {version: 1.1.0}}`); err != nil {
		t.Fatal(err)
	}
	if s = a.ready("zk"); s.Version != "1.1.0" || a.data("zk")["version"] != "1.1.0" {
		t.Errorf("after the upgrade: %+v", s)
	}

	a.remove("zk")
	inst := a.instance("zk")
	if err := a.w.Admin().Get(t.Context(), types.NamespacedName{Namespace: a.name, Name: name}, inst); !apierrors.IsNotFound(err) {
		t.Errorf("the object went before its Instance: %v", err)
	}
}
