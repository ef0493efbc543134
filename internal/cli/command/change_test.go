// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"kudo.dev/kudo/internal/forecast"
)

// An object whose difference can not be had leaves the lines after it where they belong.
func TestChangesWithoutADifference(t *testing.T) {
	object := func(kind string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"kind": kind, "metadata": map[string]any{"name": "a"}}}
	}
	var out bytes.Buffer
	PrintChanges(New(genericiooptions.IOStreams{Out: &out}), []forecast.Change{
		{Verb: forecast.Update, Object: object("Secret")},
		{Verb: forecast.Update, Object: object("ConfigMap"), Diff: "-a\n+b\n"},
		{Verb: forecast.Create, Object: object("Service")},
	})
	const want = "~ update secret/a\n~ update configmap/a\n    -a\n    +b\n+ create service/a\n1 to create, 2 to update, 0 to remove, 0 unchanged\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
