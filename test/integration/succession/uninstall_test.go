// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package succession_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/scene"
)

// Nothing follows the last manager: with the Instances, and then with all of Kudo in the
// order of "make undeploy", everything goes that is ours, but for the data; and nothing is
// left that would hold a namespace up.
func TestNothingIsLeftAfterUninstall(t *testing.T) {
	w := taken(t)
	if *update {
		t.Skip("what was recorded goes on for ever")
	}
	for _, ns := range namespaces(t, w) {
		if err := w.Admin().DeleteAllOf(t.Context(), &v1alpha1.Instance{}, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
	}
	w.Await(t, "the Instances are gone", func(ctx context.Context) (bool, string) {
		var list v1alpha1.InstanceList
		err := w.Admin().List(ctx, &list)
		return err == nil && len(list.Items) == 0, fmt.Sprintf("%d Instances, %v", len(list.Items), err)
	})
	// Only a manager that still runs lets go of them.
	for _, o := range []client.Object{&v1alpha1.FrameworkVersion{}, &v1alpha1.Framework{}} {
		if err := w.Admin().DeleteAllOf(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	w.Await(t, "the versions and the generated kinds are gone", func(ctx context.Context) (bool, string) {
		var versions v1alpha1.FrameworkVersionList
		var frameworks v1alpha1.FrameworkList
		err := errors.Join(w.Admin().List(ctx, &versions), w.Admin().List(ctx, &frameworks))
		left := len(versions.Items) + len(frameworks.Items)
		return err == nil && left == 0, fmt.Sprintf("%d versions and Frameworks, %v", left, err)
	})
	if err := w.Process.Stop(); err != nil {
		t.Fatal(err)
	}
	w.Process = nil
	objects, err := install.Manifests(w.Options.WebhookPort)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		err := w.Admin().Delete(t.Context(), o, client.PropagationPolicy(metav1.DeletePropagationBackground))
		if client.IgnoreNotFound(err) != nil {
			t.Fatalf("deleting %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
	w.Await(t, "only data is left", func(ctx context.Context) (bool, string) {
		left, err := leftovers(ctx, w)
		if err != nil {
			return false, err.Error()
		}
		return !slices.ContainsFunc(left, func(l string) bool { return !strings.HasPrefix(l, "PersistentVolumeClaim ") }), strings.Join(left, "\n")
	})
}

func namespaces(t *testing.T, w *scene.World) []string {
	t.Helper()
	var list v1alpha1.InstanceList
	if err := w.Admin().List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range list.Items {
		out = append(out, list.Items[i].Namespace)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// leftovers are the objects of all kinds that are labelled as ours, of our API group, of
// our name, or held by a finalizer of ours.
func leftovers(ctx context.Context, w *scene.World) ([]string, error) {
	d, err := discovery.NewDiscoveryClientForConfig(w.Cluster.Config)
	if err != nil {
		return nil, err
	}
	kinds, err := discovery.ServerPreferredResources(d)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, group := range kinds {
		gv, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, kind := range group.APIResources {
			if !slices.Contains(kind.Verbs, "list") || kind.Kind == "Event" {
				continue
			}
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(gv.WithKind(kind.Kind + "List"))
			if err := w.Admin().List(ctx, list); err != nil {
				return nil, err
			}
			for i := range list.Items {
				if o := &list.Items[i]; ours(o) {
					out = append(out, o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName())
				}
			}
		}
	}
	return out, nil
}

func ours(o *unstructured.Unstructured) bool {
	held := slices.ContainsFunc(o.GetFinalizers(), func(f string) bool { return strings.Contains(f, "kudo.dev") })
	if o.GetKind() == "Namespace" || o.GetNamespace() == install.Namespace {
		return held // that namespace goes as a whole, but no controller that does it runs here
	}
	owned := slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return strings.Contains(r.APIVersion, "kudo.dev") })
	labels := o.GetLabels()
	return held || owned || labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy || labels[v1alpha1.LabelInstance] != "" ||
		strings.HasSuffix(o.GroupVersionKind().Group, "kudo.dev") ||
		strings.HasPrefix(o.GetName(), "kudo-") && o.GetNamespace() == "" || strings.HasSuffix(o.GetName(), ".kudo.dev")
}
