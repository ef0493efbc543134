// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
)

// atRest is the class f: at rest, someone alters or deletes what is ours. What is only a
// cache comes back by itself, and so does what plans applied; then an update goes on from
// there. What has lost its owner is nobody's.
func atRest() []*class {
	return []*class{
		{letter: "f", name: "status", title: "fields of Instance.status removed or altered at rest", workloads: []string{"update"}, faults: wipes},
		{letter: "f", name: "objects", title: "objects of ours deleted or stripped at rest: they come back, then an update", workloads: []string{"update"}, faults: damages},
		{letter: "f", name: "disowned", title: "owner references removed at rest, then an update", workloads: []string{"update"}, faults: disowns},
		{letter: "f", name: "job-removed", title: "a Job removed before its result is known, then a retry", workloads: []string{"deploy"}, faults: losesJob},
		{letter: "f", name: "history", title: "records of runs deleted at rest, then an update", workloads: []string{"update"}, faults: forgets},
	}
}

// wipes change fields of the Instance that Kudo writes. All of them come back.
func wipes(*workloadCase, []write) []*fault {
	patches := []string{
		`{"status":null}`, `{"status":{"conditions":[]}}`, `{"status":{"observedGeneration":null}}`, `{"status":{"observedGeneration":77}}`,
		`{"status":{"version":null}}`, `{"status":{"version":"9.9.9"}}`, `{"status":{"plan":null}}`, `{"status":{"epoch":null}}`,
		`{"status":{"lastCompleted":null}}`, `{"status":{"active":{"name":"nobody","uid":"nobody","plan":"deploy","epoch":9}}}`,
		`{"metadata":{"finalizers":[]}}`,
	}
	var out []*fault
	for _, patch := range patches {
		out = append(out, &fault{detail: patch, begin: func(ctx context.Context, h *harness, r *run) error {
			return h.wipe(ctx, r, patch)
		}})
	}
	return out
}

func (h *harness) wipe(ctx context.Context, r *run, patch string) error {
	inst := newInstance(r.namespace)
	key := client.ObjectKeyFromObject(inst)
	if err := h.cluster.Client.Get(ctx, key, inst); err != nil {
		return fmt.Errorf("reading the Instance: %w", err)
	}
	before := inst.DeepCopy()
	var fields map[string]any
	if err := json.Unmarshal([]byte(patch), &fields); err != nil {
		return fmt.Errorf("decoding %s: %w", patch, err)
	}
	body := client.RawPatch(types.MergePatchType, []byte(patch))
	write := h.cluster.Client.Patch
	if _, status := fields["status"]; status {
		// A policy lets nobody else write it.
		as, err := h.asManager(ctx)
		if err != nil {
			return err
		}
		write = func(ctx context.Context, o client.Object, p client.Patch, _ ...client.PatchOption) error {
			return as.Status().Patch(ctx, o, p)
		}
	}
	if err := write(ctx, inst, body); err != nil {
		return fmt.Errorf("altering the Instance: %w", err)
	}
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 5*time.Second, true, func(ctx context.Context) (bool, error) {
		if err := h.cluster.Client.Get(ctx, key, inst); err != nil {
			return false, err
		}
		for i := range inst.Status.Conditions {
			for j := range before.Status.Conditions {
				inst.Status.Conditions[i].LastTransitionTime = before.Status.Conditions[j].LastTransitionTime
			}
		}
		return reflect.DeepEqual(inst.Status, before.Status) && reflect.DeepEqual(inst.Finalizers, before.Finalizers), nil
	})
	if err != nil {
		return fmt.Errorf("after %s the Instance does not come back: %w; its status is %s", patch, err, show(inst))
	}
	return nil
}

// asManager writes with the manager's rights, past the proxy.
func (h *harness) asManager(ctx context.Context) (client.Client, error) {
	config, err := install.ManagerConfig(ctx, h.cluster.Config)
	if err != nil {
		return nil, err
	}
	return install.NewClient(config)
}

// child is an object that a run applied.
type child struct {
	gvk  schema.GroupVersionKind
	name string
}

var children = []child{
	{schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, "one-config"},
	{schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, "one-legacy"},
	{schema.GroupVersionKind{Version: "v1", Kind: "Service"}, "one"},
	{schema.GroupVersionKind{Version: "v1", Kind: "Service"}, "one-legacy"},
	{schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"}, "one"},
}

func (c child) String() string { return c.gvk.Kind + " " + c.name }

func (c child) in(namespace string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(c.gvk)
	u.SetNamespace(namespace)
	u.SetName(c.name)
	return u
}

// again is what an object keeps of having been made or altered once more.
const again = `(metadata generation|status observedGeneration| uid)$|`

// damages delete each child, and remove each of its labels and what it holds. Drift
// correction puts it back before the update begins. A Job is no state: it stays away.
func damages(*workloadCase, []write) []*fault {
	var out []*fault
	for _, c := range children {
		out = append(out, &fault{
			detail: "delete " + c.String(), differs: regexp.MustCompile(again + `^times that \w+ ` + c.name + ` was made`),
			begin: c.comesBack(func(ctx context.Context, h *harness, r *run) error {
				return h.cluster.Client.Delete(ctx, c.in(r.namespace))
			}),
		})
		for _, label := range []string{v1alpha1.LabelInstance, v1alpha1.LabelManagedBy, "app.kubernetes.io/name", "app.kubernetes.io/instance"} {
			patch := fmt.Sprintf(`{"metadata":{"labels":{%q:null}}}`, label)
			out = append(out, &fault{detail: c.String() + " " + patch, begin: c.comesBack(c.patch(patch))})
		}
		if c.gvk.Kind == "ConfigMap" {
			out = append(out, &fault{detail: c.String() + " without data", begin: c.comesBack(c.patch(`{"data":null}`))})
		}
	}
	return append(out, &fault{
		detail: "delete the Job", differs: regexp.MustCompile(again + `^Job `),
		begin: func(ctx context.Context, h *harness, r *run) error {
			job := child{gvk: schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}}
			return h.cluster.Client.DeleteAllOf(ctx, job.in(""), client.InNamespace(r.namespace), client.PropagationPolicy("Background"))
		},
	})
}

// comesBack damages a child and waits until it is as it was.
func (c child) comesBack(damage func(context.Context, *harness, *run) error) func(context.Context, *harness, *run) error {
	return func(ctx context.Context, h *harness, r *run) error {
		before, err := c.content(ctx, h, r)
		if err != nil {
			return fmt.Errorf("reading %s: %w", c, err)
		}
		if err := damage(ctx, h, r); err != nil {
			return err
		}
		var now map[string]any
		err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 5*time.Second, true, func(ctx context.Context) (bool, error) {
			now, err = c.content(ctx, h, r)
			return reflect.DeepEqual(before, now), client.IgnoreNotFound(err)
		})
		if err != nil {
			return fmt.Errorf("%s does not come back: %w; it was %v and is %v", c, err, before, now)
		}
		return h.awaitCalm(ctx, 300*time.Millisecond)
	}
}

// content is a child without its status, and without what tells it from one made anew.
func (c child) content(ctx context.Context, h *harness, r *run) (map[string]any, error) {
	u := c.in(r.namespace)
	if err := h.cluster.Client.Get(ctx, client.ObjectKeyFromObject(u), u); err != nil {
		return nil, err
	}
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"} {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
	delete(u.Object, "status")
	return u.Object, nil
}

// patch alters a child, as someone who forces it.
func (c child) patch(patch string) func(context.Context, *harness, *run) error {
	return func(ctx context.Context, h *harness, r *run) error {
		err := h.cluster.Client.Patch(ctx, c.in(r.namespace), client.RawPatch(types.MergePatchType, []byte(patch)), client.FieldOwner(v1alpha1.FieldManager))
		if err != nil {
			return fmt.Errorf("altering %s: %w", c, err)
		}
		return nil
	}
}

// disowns remove the owner of each child: then it is nobody's, and the update says so
// until it is put back.
func disowns(*workloadCase, []write) []*fault {
	var out []*fault
	for _, c := range children {
		var owners []any
		out = append(out, &fault{
			detail: c.String(), differs: retried, slack: patience,
			begin: func(ctx context.Context, h *harness, r *run) error {
				u := c.in(r.namespace)
				if err := h.cluster.Client.Get(ctx, client.ObjectKeyFromObject(u), u); err != nil {
					return fmt.Errorf("reading %s: %w", c, err)
				}
				owners, _, _ = unstructured.NestedSlice(u.Object, "metadata", "ownerReferences")
				return c.patch(`{"metadata":{"ownerReferences":null}}`)(ctx, h, r)
			},
			heal: func(ctx context.Context, h *harness, r *run) error {
				words := c.name + " exists and does not belong to this Instance"
				if err := h.awaitWords(ctx, r, words); err != nil {
					return err
				}
				raw, err := json.Marshal(map[string]any{"metadata": map[string]any{"ownerReferences": owners}})
				if err != nil {
					return fmt.Errorf("encoding the owners: %w", err)
				}
				if err := c.patch(string(raw))(ctx, h, r); err != nil {
					return err
				}
				return h.askAgain(ctx, r, words)
			},
		})
	}
	return out
}

// forgets delete what is only history. The objects of the software end the same.
func forgets(*workloadCase, []write) []*fault {
	records := regexp.MustCompile(`^(PlanExecution|ControllerRevision|Instance one (spec|status|metadata)|times that|Job) ?`)
	remove := func(o client.Object) func(context.Context, *harness, *run) error {
		return func(ctx context.Context, h *harness, r *run) error {
			fresh, ok := o.DeepCopyObject().(client.Object)
			if !ok {
				return fmt.Errorf("a copy of %T is no object", o)
			}
			return h.cluster.Client.DeleteAllOf(ctx, fresh, client.InNamespace(r.namespace))
		}
	}
	revisions := child{gvk: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ControllerRevision"}}.in("")
	return []*fault{
		{detail: "PlanExecutions", differs: records, slack: patience, begin: remove(&v1alpha1.PlanExecution{})},
		{detail: "ControllerRevisions", differs: records, slack: patience, begin: remove(revisions)},
	}
}

// losesJob takes a Job away once its UID is on record: it may have run, so it is not made
// again before a person says so.
func losesJob(_ *workloadCase, trace []write) []*fault {
	job := slices.IndexFunc(trace, func(w write) bool { return w.key == "POST jobs" })
	note := slices.IndexFunc(trace[job:], func(w write) bool { return strings.HasPrefix(w.key, "PUT planexecutions/") })
	return []*fault{{
		write: trace[job+note], slack: patience, differs: regexp.MustCompile(retried.String() + `|^times that jobs`),
		begin: func(_ context.Context, h *harness, r *run) error {
			h.held.Store(r.namespace, true)
			return nil
		},
		strike: func(h *harness, x *exchange) {
			x.pass(x.answer)
			job := child{gvk: schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}}
			_ = h.cluster.Client.DeleteAllOf(x.request.Context(), job.in(""), client.InNamespace(namespaceOf(x.request.URL.Path)), client.PropagationPolicy("Background"))
		},
		heal: func(ctx context.Context, h *harness, r *run) error {
			h.held.Delete(r.namespace)
			const words = "removed before its result was known"
			if err := h.awaitWords(ctx, r, words); err != nil {
				return err
			}
			return h.askAgain(ctx, r, words)
		},
	}}
}
