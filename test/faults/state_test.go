// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// kinds are all that Kudo, its tenants' templates and the player write into a namespace.
var kinds = []schema.GroupVersionKind{
	v1alpha1.GroupVersion.WithKind("Instance"),
	v1alpha1.GroupVersion.WithKind("PlanExecution"),
	{Group: "apps", Version: "v1", Kind: "ControllerRevision"},
	{Group: "apps", Version: "v1", Kind: "StatefulSet"},
	{Group: "apps", Version: "v1", Kind: "Deployment"},
	{Group: "batch", Version: "v1", Kind: "Job"},
	{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
	{Version: "v1", Kind: "ConfigMap"},
	{Version: "v1", Kind: "PersistentVolumeClaim"},
	{Version: "v1", Kind: "Pod"},
	{Version: "v1", Kind: "Secret"},
	{Version: "v1", Kind: "Service"},
	{Version: "v1", Kind: "ServiceAccount"},
}

// objects lists everything of a namespace.
func (h *harness) objects(ctx context.Context, namespace string) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	for _, gvk := range kinds {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk)
		if err := h.cluster.Client.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("listing %s: %w", gvk.Kind, err)
		}
		out = append(out, list.Items...)
	}
	return out, nil
}

// orphans names what belongs to an Instance and would stay for ever: objects whose owner
// is gone, and objects without an owner that hold no data.
func orphans(objects []unstructured.Unstructured) []string {
	live := map[types.UID]bool{}
	for i := range objects {
		live[objects[i].GetUID()] = true
	}
	var out []string
	for i := range objects {
		o := &objects[i]
		if o.GetLabels()[v1alpha1.LabelInstance] == "" {
			continue
		}
		lost := slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return !live[r.UID] })
		if lost || (len(o.GetOwnerReferences()) == 0 && o.GetKind() != "Instance" && o.GetKind() != "PersistentVolumeClaim") {
			out = append(out, "orphan: "+title(o))
		}
	}
	return out
}

// state is what a namespace holds, as a line for every field. What differs from run to
// run by right is masked: UIDs, times, versions, and the hashes of UIDs in names.
type state map[string]string

func newState(namespace string, objects []unstructured.Unstructured) (state, error) {
	objects = slices.Clone(objects)
	slices.SortFunc(objects, func(a, b unstructured.Unstructured) int { return int(age(&a) - age(&b)) })
	m := &mask{namespace: namespace, titles: map[string]string{}}
	titles, times := map[types.UID]string{}, map[string]int{}
	for i := range objects {
		o := &objects[i]
		titles[o.GetUID()] = title(o)
		if times[title(o)]++; times[title(o)] > 1 {
			titles[o.GetUID()] += " no. " + strconv.Itoa(times[title(o)])
		}
		m.titles[string(o.GetUID())] = strings.Replace(titles[o.GetUID()], title(o), o.GetKind()+" "+stable(o.GetName()), 1)
	}
	out := state{}
	for i := range objects {
		o := objects[i].DeepCopy()
		if err := expand(o); err != nil {
			return nil, err
		}
		unstructured.RemoveNestedField(o.Object, "metadata", "resourceVersion")
		unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
		if o.GetKind() == "PersistentVolumeClaim" {
			unstructured.RemoveNestedField(o.Object, "status") // bound whenever the player gets there
		}
		m.flatten(out, titles[o.GetUID()], o.Object)
	}
	return out, nil
}

// age orders objects that have the same title: executions of one plan by their epoch, what
// never changes by its version.
func age(o *unstructured.Unstructured) int64 {
	if epoch, found, err := unstructured.NestedInt64(o.Object, "status", "epoch"); found && err == nil {
		return epoch
	}
	version, err := strconv.ParseInt(o.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return version
}

// title names an object, with the attempt that a Job is for: its name holds only a hash of it.
func title(o *unstructured.Unstructured) string {
	out := o.GetKind() + " " + stable(o.GetName())
	if o.GetKind() != "Job" {
		return out
	}
	raw, err := json.Marshal(o.Object)
	if found := attempt.FindSubmatch(raw); err == nil && found != nil {
		out += " attempt " + string(found[1])
	}
	return out
}

var attempt = regexp.MustCompile(`"name":"` + v1alpha1.EnvAttempt + `","value":"(\d+)"`)

// expand makes the compressed content of a revision comparable.
func expand(o *unstructured.Unstructured) error {
	if o.GetKind() != "ControllerRevision" {
		return nil
	}
	if o.GetLabels()[v1alpha1.LabelRevision] != revision.KindApplied {
		contents, _, err := unstructured.NestedSlice(o.Object, "data", "contents")
		for i := range contents {
			if content, ok := contents[i].(map[string]any); ok {
				delete(content, "resourceVersion")
			}
		}
		if err != nil || contents == nil {
			return err
		}
		return unstructured.SetNestedSlice(o.Object, contents, "data", "contents")
	}
	raw, err := json.Marshal(o.Object["data"])
	if err != nil {
		return fmt.Errorf("encoding revision %s: %w", o.GetName(), err)
	}
	applied, err := revision.DecodeApplied(raw)
	if err != nil {
		return fmt.Errorf("decoding revision %s: %w", o.GetName(), err)
	}
	content := map[string]any{}
	for _, object := range applied.Objects {
		object.Digest, object.ResourceVersion = "", "" // the digest covers the namespace's name
		raw, err := json.Marshal(object)
		if err != nil {
			return fmt.Errorf("encoding revision %s: %w", o.GetName(), err)
		}
		var decoded any
		if err := json.Unmarshal(raw, &decoded); err != nil {
			return fmt.Errorf("decoding revision %s: %w", o.GetName(), err)
		}
		content[strconv.Itoa(len(content))] = decoded
	}
	o.Object["data"] = content
	return nil
}

// mask replaces what differs by right.
type mask struct {
	namespace string
	titles    map[string]string
}

var (
	uuid   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	moment = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

func (m *mask) text(s string) string {
	s = uuid.ReplaceAllStringFunc(s, func(uid string) string {
		if title, known := m.titles[uid]; known {
			return "<UID of " + title + ">"
		}
		return "<UID of something gone>"
	})
	s = moment.ReplaceAllString(s, "<time>")
	return stable(strings.ReplaceAll(s, m.namespace, "<namespace>"))
}

// flatten writes one line for every leaf of a value.
func (m *mask) flatten(out state, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			m.flatten(out, path+" "+m.text(key), inner)
		}
	case []any:
		for i, inner := range v {
			m.flatten(out, path+" "+strconv.Itoa(i), inner)
		}
	case string:
		out[path] = m.text(v)
	default:
		out[path] = fmt.Sprint(v)
	}
}

// differences compares two states, or two counts of effects, line by line.
func differences[V comparable](want, got map[string]V) []string {
	all := maps.Clone(want)
	maps.Copy(all, got)
	var out []string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		w, wanted := want[path]
		g, there := got[path]
		switch {
		case !wanted:
			out = append(out, fmt.Sprintf("%s: %v, in the reference nothing", path, g))
		case !there:
			out = append(out, fmt.Sprintf("%s: nothing, in the reference %v", path, w))
		case w != g:
			out = append(out, fmt.Sprintf("%s: %v, in the reference %v", path, g, w))
		}
	}
	return out
}
