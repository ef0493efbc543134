// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Objects that are being deleted are never blocked: whatever is wrong with them, their
// finalizers can be taken off.
func TestWhatGoesIsNeverBlocked(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	fw, ns := w.publish(t, "going", object(t, versionYAML)), w.tenant(t)
	hold := set{"metadata.finalizers": "[example.com/hold]", "spec.suspend": "true"}
	held := set{"metadata.finalizers": "[example.com/hold]"}
	objects := []*unstructured.Unstructured{
		create(t, w.admin(), instanceOf(t, ns, "one", fw, "1.0.0", hold)),
		create(t, w.admin(), executionOf(t, ns, "run", "nobody", "deploy", held)),
		create(t, w.admin(), versionOf(t, fw, "2.0.0", held, set{"spec.development": "true"})),
		create(t, w.admin(), object(t, frameworkYAML, held, set{"metadata.name": unique("going")})),
	}
	for _, o := range objects {
		t.Run(o.GetKind(), func(t *testing.T) {
			if err := w.admin().Delete(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			// Once more, and with content that would be refused otherwise.
			if err := client.IgnoreNotFound(w.admin().Delete(t.Context(), o)); err != nil {
				t.Errorf("deleting it again: %v", err)
			}
			for _, patch := range []string{
				`{"metadata":{"labels":{"a":"b"}}}`,
				`{"spec":` + map[string]string{
					"Instance": `{"parameters":{"nobody":1}}`, "PlanExecution": `{"parameters":{"a":1}}`,
					"FrameworkVersion": `{"templates":[{"name":"config.yaml","content":"{{"}]}`, "Framework": `{"replicasParameter":"a"}`,
				}[o.GetKind()] + `}`,
				`{"metadata":{"finalizers":null}}`,
			} {
				if err := client.IgnoreNotFound(w.admin().Patch(t.Context(), o.DeepCopy(), merge(patch))); err != nil {
					t.Errorf("%s: %v", patch, err)
				}
			}
		})
	}
}
