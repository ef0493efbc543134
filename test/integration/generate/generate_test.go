// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package generate_test uses what generate makes as people do: on a real API server, with the
// manager under its own roles and with no right but those that were generated.
package generate_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/authority"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/helm"
	"kudo.dev/kudo/internal/generate/kustomize"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/sample"
	"kudo.dev/kudo/internal/testing/scene"
)

func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }

// chart gives the objects of a chart as Helm renders it.
func chart(t *testing.T, s *generate.Source, name, namespace string) []*unstructured.Unstructured {
	t.Helper()
	files, err := helm.Files(s, namespace)
	if err != nil {
		t.Fatal(err)
	}
	var list []*archive.BufferedFile
	for path, content := range files {
		if within, ok := strings.CutPrefix(path, name+"/"); ok {
			list = append(list, &archive.BufferedFile{Name: within, Data: content})
		}
	}
	c, err := loader.LoadFiles(list)
	if err != nil {
		t.Fatal(err)
	}
	values, err := chartutil.ToRenderValues(c, nil, common.ReleaseOptions{Name: "zk", Namespace: namespace, IsInstall: true}, common.DefaultCapabilities)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := engine.Render(c, values)
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for _, path := range slices.Sorted(maps.Keys(rendered)) {
		if !strings.HasSuffix(path, ".yaml") {
			continue
		}
		for document := range strings.SplitSeq("\n"+rendered[path], "\n---") {
			u := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &u.Object); err != nil {
				t.Fatal(err)
			}
			if u.Object != nil {
				out = append(out, u)
			}
		}
	}
	return out
}

// kustomization gives the objects of a directory of the set of kustomize.
func kustomization(t *testing.T, s *generate.Source, dir, namespace string) []*unstructured.Unstructured {
	t.Helper()
	files, err := kustomize.Files(s, namespace)
	if err != nil {
		t.Fatal(err)
	}
	disk := filesys.MakeFsInMemory()
	for path, content := range files {
		if err := disk.WriteFile("/"+path, content); err != nil {
			t.Fatal(err)
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/"+dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for _, r := range built.Resources() {
		raw, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(raw); err != nil {
			t.Fatal(err)
		}
		out = append(out, u)
	}
	return out
}

func apply(t *testing.T, w *scene.World, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, o := range objects {
		if err := install.Apply(t.Context(), w.Admin(), o); err != nil {
			t.Fatalf("applying %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// ready waits until an object of the generated kind is rolled out.
func ready(t *testing.T, w *scene.World, o *unstructured.Unstructured) {
	t.Helper()
	w.Await(t, o.GetKind()+" "+o.GetName()+" is Ready", func(ctx context.Context) (bool, string) {
		now := &unstructured.Unstructured{}
		now.SetGroupVersionKind(o.GroupVersionKind())
		if err := w.Admin().Get(ctx, client.ObjectKeyFromObject(o), now); err != nil {
			return false, err.Error()
		}
		list, _, _ := unstructured.NestedSlice(now.Object, "status", "conditions")
		for _, c := range list {
			if c, ok := c.(map[string]any); ok && c["type"] == v1alpha1.ConditionReady {
				message, _ := c["message"].(string)
				return c["status"] == "True" && c["observedGeneration"] == now.GetGeneration(), message
			}
		}
		return false, "no condition"
	})
}

// published waits until a version can be used and its kind is served, and gives its rules.
func published(t *testing.T, w *scene.World, s *generate.Source) []rbacv1.PolicyRule {
	t.Helper()
	fw, fwv := &v1alpha1.Framework{}, &v1alpha1.FrameworkVersion{}
	w.Await(t, s.ID()+" is published", func(ctx context.Context) (bool, string) {
		if err := w.Admin().Get(ctx, client.ObjectKey{Name: s.ID()}, fwv); err != nil {
			return false, err.Error()
		}
		if err := w.Admin().Get(ctx, client.ObjectKey{Name: s.Framework.Name}, fw); err != nil {
			return false, err.Error()
		}
		served := meta.IsStatusConditionTrue(fw.Status.Conditions, v1alpha1.ConditionEstablished)
		return served && meta.IsStatusConditionTrue(fwv.Status.Conditions, v1alpha1.ConditionReady), "not yet"
	})
	return fwv.Status.Rules
}

// remove deletes an object of the generated kind, and waits until its plan cleanup has
// succeeded and it is gone.
func remove(t *testing.T, w *scene.World, o *unstructured.Unstructured) {
	t.Helper()
	runs, err := w.Admin().Watch(t.Context(), &v1alpha1.PlanExecutionList{}, client.InNamespace(o.GetNamespace()))
	if err != nil {
		t.Fatal(err)
	}
	defer runs.Stop()
	if err := w.Admin().Delete(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	w.Await(t, o.GetName()+" is gone", func(ctx context.Context) (bool, string) {
		err := w.Admin().Get(ctx, client.ObjectKeyFromObject(o), o.DeepCopy())
		return apierrors.IsNotFound(err), "it is there"
	})
	last := v1alpha1.RunState("never seen")
	for timeout := time.After(scene.Patience); last != v1alpha1.RunSucceeded; {
		select {
		case e := <-runs.ResultChan():
			if pe, ok := e.Object.(*v1alpha1.PlanExecution); ok && pe.Spec.Plan == v1alpha1.PlanCleanup {
				last = pe.Status.State
			}
		case <-timeout:
			t.Fatalf("the plan cleanup is %s", last)
		}
	}
}

// With what was generated and nothing else, ZooKeeper is published, deployed, and cleaned up
// after the object is removed: the rights are enough, and they are those that the
// FrameworkVersion reports.
func TestGeneratedArtefactsRunZooKeeper(t *testing.T) {
	w, s := scene.Get(t, nil), sample.ZooKeeper(t, "3.9.3")
	apply(t, w, chart(t, s, "zookeeper-framework", "any"))
	if diff := cmp.Diff(published(t, w, s), authority.Rules(s.Version, authority.Offline{})); diff != "" {
		t.Errorf("rules (-reported +generated):\n%s", diff)
	}
	for name, objects := range map[string]func(namespace string) []*unstructured.Unstructured{
		"helm": func(namespace string) []*unstructured.Unstructured { return chart(t, s, "zookeeper", namespace) },
		"kustomize": func(namespace string) []*unstructured.Unstructured {
			return kustomization(t, s, kustomize.OverlayDir, namespace)
		},
	} {
		t.Run(name, func(t *testing.T) {
			namespace := scene.Unique(name)
			if err := w.Admin().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
				t.Fatal(err)
			}
			all := objects(namespace)
			at := slices.IndexFunc(all, func(o *unstructured.Unstructured) bool { return o.GetKind() == "ZooKeeper" })
			object := all[at]
			apply(t, w, slices.Delete(all, at, at+1)) // Helm and kustomize put unknown kinds last
			apply(t, w, []*unstructured.Unstructured{object})
			ready(t, w, object)
			remove(t, w, object)
			var sets unstructured.UnstructuredList
			sets.SetAPIVersion("apps/v1")
			sets.SetKind("StatefulSet")
			if err := w.Admin().List(t.Context(), &sets, client.InNamespace(namespace)); err != nil || len(sets.Items) > 0 {
				t.Errorf("the clean-up left %d StatefulSets (%v)", len(sets.Items), err)
			}
		})
	}
}

// The framework can be published by kustomize over what Helm published: both are the package.
func TestPublishedTwiceIsTheSame(t *testing.T) {
	w, s := scene.Get(t, nil), sample.ZooKeeper(t, "3.8.4")
	apply(t, w, kustomization(t, s, kustomize.FrameworkDir, ""))
	published(t, w, s)
	fwv := &v1alpha1.FrameworkVersion{}
	if err := w.Admin().Get(t.Context(), client.ObjectKey{Name: s.ID()}, fwv); err != nil {
		t.Fatal(err)
	}
	apply(t, w, chart(t, s, "zookeeper-framework", "any"))
	again := &v1alpha1.FrameworkVersion{}
	if err := w.Admin().Get(t.Context(), client.ObjectKey{Name: s.ID()}, again); err != nil {
		t.Fatal(err)
	}
	if fwv.Generation != again.Generation {
		t.Errorf("generation %d, then %d", fwv.Generation, again.Generation)
	}
}
