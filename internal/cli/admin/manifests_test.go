// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// What the plugin installs is what config/ says, with an image.
func TestManifestsAreThoseOfConfig(t *testing.T) {
	for overlay, dir := range map[string]string{"": "../../../config/default", "certmanager": "../../../config/overlays/certmanager"} {
		want, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := manifests(overlay, "kudo/manager:latest", nil)
		if err != nil {
			t.Fatal(err)
		}
		objects := map[string]any{}
		for _, r := range want.Resources() {
			var u unstructured.Unstructured
			raw, err := r.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if err := u.UnmarshalJSON(raw); err != nil {
				t.Fatal(err)
			}
			objects[u.GetKind()+"/"+u.GetName()] = u.Object
		}
		for _, o := range got {
			id := o.GetKind() + "/" + o.GetName()
			if o.GetKind() != "Deployment" {
				if diff := cmp.Diff(objects[id], any(o.Object)); diff != "" {
					t.Errorf("%s (-config +installed):\n%s", id, diff)
				}
			}
			delete(objects, id)
		}
		if len(objects) > 0 {
			t.Errorf("not installed: %v", objects)
		}
		if got[0].GetKind() != "Namespace" || got[1].GetKind() != "CustomResourceDefinition" {
			t.Errorf("what the rest needs does not come first: %s, %s", got[0].GetKind(), got[1].GetKind())
		}
	}
}

func TestImages(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for name, want := range map[string]string{
		"kudo/manager:v1":               "kudo/manager:v1",
		"localhost:5000/kudo":           "localhost:5000/kudo",
		"r.example.com:5000/k/m:1.0":    "r.example.com:5000/k/m:1.0",
		"r.example.com/m:1.0@" + digest: "r.example.com/m@" + digest,
	} {
		objects, err := manifests("", name, []string{"prometheus"})
		if err != nil {
			t.Fatal(err)
		}
		got, monitors := "", 0
		for _, o := range objects {
			switch o.GetKind() {
			case "Deployment":
				containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
				first, _ := containers[0].(map[string]any)
				got, _ = first["image"].(string)
			case "ServiceMonitor":
				monitors++
			}
		}
		if strings.TrimSuffix(got, ":latest") != want || monitors != 1 {
			t.Errorf("%s became %q; %d monitors", name, got, monitors)
		}
	}
	if _, err := manifests("", "a", []string{"nope"}); err == nil || !strings.Contains(err.Error(), "there are certmanager, legacy-impersonation, network-policy, prometheus") {
		t.Errorf("error %v", err)
	}
}
