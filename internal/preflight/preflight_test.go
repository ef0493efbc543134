// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// versions answers with CRDs that have one version each.
type versions map[string]string

func (v versions) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	version, ok := v[key.Name]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return apierrors.NewBadRequest("not unstructured")
	}
	return unstructured.SetNestedSlice(u.Object, []any{map[string]any{"name": version}}, "spec", "versions")
}

func (versions) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

func TestCheckSaysWhatStandsInTheWay(t *testing.T) {
	ours := versions{
		"frameworks.kudo.dev": "v1alpha1", "frameworkversions.kudo.dev": "v1alpha1",
		"instances.kudo.dev": "v1alpha1", "planexecutions.kudo.dev": "v1alpha1",
	}
	old := versions{"frameworks.kudo.dev": "v1alpha1", "frameworkversions.kudo.dev": "v1alpha1", "instances.kudo.dev": "v1beta1"}
	tests := map[string]struct {
		cluster versions
		want    string
	}{
		"installed":     {ours, ""},
		"not installed": {versions{}, "frameworks.kudo.dev is not installed"},
		"old KUDO":      {old, "instances.kudo.dev is that of KUDO 0.x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := Check(t.Context(), test.cluster)
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
