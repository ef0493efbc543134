// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/rbac"
	"kudo.dev/kudo/internal/testing/sample"
)

// build builds a directory of a set, with files beside it, and gives the objects by kind
// and name.
func build(t *testing.T, s *generate.Source, dir string, beside map[string]string) map[string]map[string]any {
	t.Helper()
	files, err := Files(s, "prod")
	if err != nil {
		t.Fatal(err)
	}
	disk := filesys.MakeFsInMemory()
	for name, raw := range files {
		if err := disk.WriteFile("/set/"+name, raw); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range beside {
		if err := disk.WriteFile("/set/"+name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/set/"+dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]any{}
	for _, r := range built.Resources() {
		content, err := r.Map()
		if err != nil {
			t.Fatal(err)
		}
		out[r.GetKind()+" "+r.GetName()] = content
	}
	return out
}

func canonical(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func sources(t *testing.T) map[string]*generate.Source {
	return map[string]*generate.Source{"zookeeper": sample.ZooKeeper(t, "3.9.3"), "wide": sample.Wide(t)}
}

// What is published is the package, and only that.
func TestTheFrameworkIsPublishedAsItIs(t *testing.T) {
	for name, s := range sources(t) {
		got := build(t, s, FrameworkDir, nil)
		if len(got) != 2 {
			t.Errorf("%s: objects %v", name, slices.Sorted(maps.Keys(got)))
		}
		if diff := cmp.Diff(canonical(t, s.Framework.Spec), canonical(t, got["Framework "+s.Framework.Name]["spec"])); diff != "" {
			t.Errorf("%s: Framework (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(canonical(t, s.FrameworkVersion.Spec), canonical(t, got["FrameworkVersion "+s.ID()]["spec"])); diff != "" {
			t.Errorf("%s: FrameworkVersion (-want +got):\n%s", name, diff)
		}
	}
}

// The overlay is the base in another namespace, account and bindings included, with the
// parameters that it names.
func TestTheOverlayMovesTheBase(t *testing.T) {
	for name, s := range sources(t) {
		t.Run(name, func(t *testing.T) {
			base, over := build(t, s, BaseDir, nil), build(t, s, OverlayDir, nil)
			o := rbac.Make(s, "prod", s.Account())
			for _, want := range slices.Concat([]any{o.Account}, o.Role, o.Impersonation) {
				expected, ok := canonical(t, want).(map[string]any)
				if !ok {
					t.Fatal("not an object")
				}
				meta, _ := expected["metadata"].(map[string]any)
				key := expected["kind"].(string) + " " + meta["name"].(string)
				if diff := cmp.Diff(any(expected), canonical(t, over[key])); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
			key := s.Kind.Kind + " " + s.ExampleName()
			want := s.Example()
			want["metadata"] = map[string]any{"name": s.ExampleName(), "namespace": s.Framework.Name}
			if diff := cmp.Diff(canonical(t, want), canonical(t, base[key])); diff != "" {
				t.Errorf("the object of the base (-want +got):\n%s", diff)
			}
			want["metadata"] = map[string]any{"name": s.ExampleName(), "namespace": "prod"}
			set := map[string]any{}
			if required, ok := want["spec"].(map[string]any)["parameters"].(map[string]any); ok {
				maps.Copy(set, required)
			}
			for k, v := range defaults(s) {
				set[k] = v
			}
			want["spec"].(map[string]any)["parameters"] = set
			if diff := cmp.Diff(canonical(t, want), canonical(t, over[key])); diff != "" {
				t.Errorf("the object of the overlay (-want +got):\n%s", diff)
			}
		})
	}
}

// Two copies in one namespace, told apart by a prefix, have an account each.
func TestPrefixesReachTheAccount(t *testing.T) {
	got := build(t, sample.ZooKeeper(t, "3.9.3"), "overlays/two", map[string]string{
		"overlays/two/kustomization.yaml": "resources: [../../base]\nnamePrefix: b-\n",
	})
	object := got["ZooKeeper b-zk"]
	if object == nil || object["spec"].(map[string]any)["serviceAccountName"] != "b-zookeeper-installer" || got["ServiceAccount b-zookeeper-installer"] == nil {
		t.Errorf("objects %v: %v", slices.Sorted(maps.Keys(got)), object)
	}
}

// The objects of the cluster come out of an overlay as they are.
func TestNothingWideIsLost(t *testing.T) {
	over := build(t, sample.Wide(t), OverlayDir, nil)
	for _, want := range []string{"ClusterRole wide:wide-installer", "ClusterRoleBinding wide:wide-installer", "ClusterRole wide:wide-installer-elsewhere-impersonation"} {
		if over[want] == nil {
			t.Errorf("there is no %s in %v", want, slices.Sorted(maps.Keys(over)))
		}
	}
}
