// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
)

const version = `
metadata: {name: app-2.0.0}
spec:
  framework: app
  version: 2.0.0
  upgradableFrom: [~1.9.0]
  parameters:
  - {name: size, schema: {type: integer, minimum: 1, maximum: 7}, default: 3}
  - {name: disk, default: ssd, immutable: true}
  - {name: zone, required: true, schema: {type: string, enum: [a, b]}}
  validations:
  - {rule: "params.size != 4", message: "four is no quorum"}
  - {rule: "old == null || params.size >= old.params.size", message: "it does not shrink"}
  templates:
  - {name: c.yaml, content: "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"}
`

func frameworkVersion(t *testing.T, changes ...func(*v1alpha1.FrameworkVersion)) *v1alpha1.FrameworkVersion {
	t.Helper()
	fwv := &v1alpha1.FrameworkVersion{}
	if err := yaml.UnmarshalStrict([]byte(version), fwv); err != nil {
		t.Fatal(err)
	}
	graph.Default(&fwv.Spec, nil)
	for _, change := range changes {
		change(fwv)
	}
	return fwv
}

func compiled(t *testing.T) *graph.Version {
	t.Helper()
	v, errs := graph.Compile(&frameworkVersion(t).Spec)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return v
}

// instance sets parameters from pairs of name and JSON; zone is set anyway.
func instance(pairs ...string) *v1alpha1.Instance {
	inst := &v1alpha1.Instance{}
	inst.Spec = v1alpha1.InstanceSpec{
		Framework: "app", Version: "2.0.0", ServiceAccountName: "sa",
		Parameters: map[string]apiextensionsv1.JSON{"zone": {Raw: []byte(`"a"`)}},
	}
	for i := 0; i < len(pairs); i += 2 {
		inst.Spec.Parameters[pairs[i]] = apiextensionsv1.JSON{Raw: []byte(pairs[i+1])}
	}
	return inst
}

func wantErrors(t *testing.T, errs field.ErrorList, want ...string) {
	t.Helper()
	if len(errs) != len(want) {
		t.Errorf("%d errors, want %d: %v", len(errs), len(want), errs)
		return
	}
	for i := range want {
		if !strings.Contains(errs[i].Error(), want[i]) {
			t.Errorf("error %q does not say %q", errs[i].Error(), want[i])
		}
	}
}
