// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package succession_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	syaml "sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/scene"
)

// recorded is what an older manager once left: its objects stand in testdata, with their
// UIDs, because names and revisions derive from these.
const recorded cast = "recorded"

func recording(name string) string { return filepath.Join("testdata", "recorded", name+".yaml") }

// record writes what the cast has left to testdata.
func (c cast) record(ctx context.Context, w *scene.World) error {
	cluster := []client.ObjectList{&v1alpha1.FrameworkList{}, &v1alpha1.FrameworkVersionList{}}
	if err := write(ctx, w, "cluster", cluster); err != nil {
		return err
	}
	for name := range scenarios {
		lists := []client.ObjectList{
			&v1alpha1.InstanceList{}, &v1alpha1.PlanExecutionList{}, &appsv1.ControllerRevisionList{},
			&corev1.ConfigMapList{}, &corev1.ServiceList{}, &corev1.PersistentVolumeClaimList{}, &appsv1.StatefulSetList{}, &batchv1.JobList{},
		}
		if err := write(ctx, w, name, lists, client.InNamespace(c.namespace(name))); err != nil {
			return err
		}
	}
	return nil
}

func write(ctx context.Context, w *scene.World, name string, lists []client.ObjectList, options ...client.ListOption) error {
	var out bytes.Buffer
	for _, typed := range lists {
		gvk, err := apiutil.GVKForObject(typed, w.Admin().Scheme())
		if err != nil {
			return err
		}
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk)
		if err := w.Admin().List(ctx, list, options...); err != nil {
			return err
		}
		slices.SortFunc(list.Items, func(a, b unstructured.Unstructured) int { return strings.Compare(a.GetName(), b.GetName()) })
		for _, o := range list.Items {
			if o.GetName() == "kube-root-ca.crt" {
				continue
			}
			o.SetResourceVersion("")
			raw, err := syaml.Marshal(o.Object)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, "---\n%s", raw)
		}
	}
	return os.WriteFile(recording(name), out.Bytes(), 0o600)
}

// restore puts a recording back as if it had been made just now.
func restore(ctx context.Context, w *scene.World, name string) error {
	raw, err := os.ReadFile(recording(name))
	if err != nil {
		return err
	}
	var objects []*unstructured.Unstructured
	newest := time.Time{}
	for d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096); ; {
		o := &unstructured.Unstructured{}
		err := d.Decode(o)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("decoding %s: %w", recording(name), err)
		}
		if len(o.Object) == 0 {
			continue
		}
		objects = append(objects, o)
		times(o.Object, func(t time.Time) time.Time {
			if t.After(newest) {
				newest = t
			}
			return t
		})
	}
	since := time.Since(newest)
	for _, o := range objects {
		times(o.Object, func(t time.Time) time.Time { return t.Add(since) })
		if err := w.Cluster.Restore(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// times replaces every time in a value: time-outs count from the times that stand there.
func times(value any, by func(time.Time) time.Time) any {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			v[key] = times(child, by)
		}
	case []any:
		for i, child := range v {
			v[i] = times(child, by)
		}
	case string:
		for _, layout := range []string{"2006-01-02T15:04:05Z", "2006-01-02T15:04:05.000000Z"} {
			if t, err := time.Parse(layout, v); err == nil && len(v) == len(layout) {
				return by(t).UTC().Format(layout)
			}
		}
	}
	return value
}

// restoreAll puts all recordings back, and waits until the API server serves them.
func restoreAll(ctx context.Context, w *scene.World) error {
	if err := recorded.admit(ctx, w); err != nil {
		return err
	}
	if err := restore(ctx, w, "cluster"); err != nil {
		return err
	}
	for name, s := range scenarios {
		if s.kind != "" {
			if err := w.Act(ctx, recorded.namespace(name), s.kind, s.act); err != nil {
				return err
			}
		}
		if err := restore(ctx, w, name); err != nil {
			return err
		}
		if err := eventually(ctx, func(ctx context.Context) (bool, error) {
			inst, err := instance(ctx, w, recorded.namespace(name))
			if err != nil {
				return false, client.IgnoreNotFound(err)
			}
			return meta.FindStatusCondition(inst.Status.Conditions, v1alpha1.ConditionReady) != nil, nil
		}); err != nil {
			return fmt.Errorf("restoring %s: %w", name, err)
		}
	}
	return nil
}
