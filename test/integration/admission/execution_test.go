// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Cases 10, 24 and 40 of the abuse table for executions, and who may say what in them.
func TestExecutions(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	fw, ns := w.publish(t, "exec", object(t, versionYAML)), w.tenant(t)
	create(t, w.admin(), instanceOf(t, ns, "one", fw, "1.0.0", set{"spec.suspend": "true"}))
	w.awaitInstance(t, ns, "one", func(i *v1alpha1.Instance) bool { return i.Status.ObservedGeneration > 0 })
	tests := map[string]struct {
		change set
		want   refusal
	}{
		"10 field":         {set{"spec.instanse": "one"}, badRequest(server, `unknown field "spec.instanse"`)},
		"24 long name":     {set{"metadata.name": strings.Repeat("a", 64)}, invalid(schema, "metadata.name must be at most 63 characters")},
		"24 plan":          {set{"spec.plan": "Deploy"}, invalid(schema, "spec.plan", "should match")},
		"39 no plan":       {set{"spec.plan": "-"}, invalid(schema, "spec.plan")},
		"40 unknown":       {set{"spec.plan": "deplyo"}, invalid(webhook, "spec.plan", "has no such plan", `did you mean "deploy"?`)},
		"40 cleanup":       {set{"spec.plan": "cleanup"}, invalid(webhook, "cleanup runs when the Instance is deleted: delete the Instance")},
		"parameters":       {set{"spec.parameters": "{a: 1}"}, invalid(webhook, "spec.parameters: Forbidden: not yet supported")},
		"a part cancelled": {set{"spec.requests": "[{id: '1', action: cancel, path: main}]"}, invalid(schema, "cancel ends the whole run: leave path empty")},
		"a pause by force": {set{"spec.requests": "[{id: '1', action: pause, mode: Force}]"}, invalid(schema, "mode is only for the action cancel")},
		"no action":        {set{"spec.requests": "[{id: '1', action: dance}]"}, invalid(schema, `Unsupported value: "dance"`)},
		"25 requests":      {set{"spec.requests": "[{id: '1', action: retry}, {id: '1', action: retry}]"}, invalid(schema, "spec.requests[1]: Duplicate value")},
		"53 trigger":       {set{"spec.trigger": "spec/1/x"}, forbidden(policy, "only Kudo sets spec.trigger: leave it empty")},
		"53 other name":    {set{"spec.requests": "[{id: '1', action: retry, by: eve}]"}, forbidden(policy, "must carry by:", "the name of the user who adds it")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.check(t, try(t, w.admin(), executionOf(t, ns, "run", "one", "deploy", tc.change)))
		})
	}
}

// awaitInstance waits until an Instance is as wanted.
func (w *world) awaitInstance(t *testing.T, ns, name string, is func(*v1alpha1.Instance) bool) *v1alpha1.Instance {
	t.Helper()
	inst := &v1alpha1.Instance{}
	eventually(t, "Instance "+ns+"/"+name+" is as wanted", func(ctx context.Context) (bool, error) {
		err := w.admin().Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, inst)
		return err == nil && is(inst), err
	})
	return inst
}

// What people ask of a run is a record: entries are added with the name of who adds
// them, never changed or removed.
func TestRequestsAreARecord(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	ns := w.tenant(t)
	alice, _ := w.as(t, "alice", "system:masters")
	bob, _ := w.as(t, "bob", "system:masters")
	pe := create(t, alice, executionOf(t, ns, "run", "nobody", "deploy", set{"spec.requests": "[{id: '1', action: retry, reason: why}]"}))
	if by := byOf(t, pe); by != "alice" {
		t.Errorf("stamped %q", by)
	}
	update := func(c client.Client, requests string) (*unstructured.Unstructured, error) {
		o := pe.DeepCopy()
		o.SetResourceVersion("")
		put(t, o, "spec.requests", requests)
		patch := client.RawPatch("application/merge-patch+json", mustJSON(t, map[string]any{"spec": o.Object["spec"]}))
		return o, c.Patch(t.Context(), o, patch)
	}
	append1 := "{id: '1', action: retry, reason: why, by: alice}"
	for name, tc := range map[string]struct {
		requests string
		want     refusal
	}{
		"removed":       {"[]", forbidden(policy, "append-only")},
		"changed":       {"[{id: '1', action: retry, reason: other, by: alice}]", forbidden(policy, "append-only")},
		"another's":     {"[{id: '1', action: retry, reason: why, by: bob}]", forbidden(policy, "append-only")},
		"in their name": {"[" + append1 + ", {id: '2', action: retry, by: alice}]", forbidden(policy, `must carry by: "bob"`)},
	} {
		_, err := update(bob, tc.requests)
		t.Run(name, func(t *testing.T) { tc.want.check(t, err) })
	}
	added, err := update(bob, "["+append1+", {id: '2', action: retry}]")
	if err != nil {
		t.Fatal(err)
	}
	if by := byOf(t, added); by != "alice bob" {
		t.Errorf("stamped %q", by)
	}
	again, err := update(alice, "[{id: '1', action: retry, reason: why}, {id: '2', action: retry}]")
	if err != nil || again.GetResourceVersion() != added.GetResourceVersion() {
		t.Errorf("the same YAML again, as its authors wrote it: %v, changed: %v", err, again.GetResourceVersion() != added.GetResourceVersion())
	}
	for name, text := range map[string]string{"plan": `{"spec":{"plan":"update"}}`, "instance": `{"spec":{"instance":"two"}}`} {
		err := alice.Patch(t.Context(), added.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(text)))
		t.Run(name, func(t *testing.T) {
			invalid(schema, "instance, plan and trigger can not be changed: create another PlanExecution").check(t, err)
		})
	}
}

// byOf lists who asked.
func byOf(t *testing.T, pe *unstructured.Unstructured) string {
	t.Helper()
	requests, _, err := unstructured.NestedSlice(pe.Object, "spec", "requests")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range requests {
		by, _ := r.(map[string]any)["by"].(string)
		out = append(out, by)
	}
	return strings.Join(out, " ")
}

// Case 31: an Instance within one of its own framework would never end; nor would a
// chain that is too deep.
func TestNesting(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	ns := w.tenant(t)
	child := func(name, framework string, parent *unstructured.Unstructured) *unstructured.Unstructured {
		o := instanceOf(t, ns, name, framework, "1.0.0", set{"spec.suspend": "true"})
		if parent != nil {
			owner := map[string]any{"apiVersion": "kudo.dev/v1alpha1", "kind": "Instance", "name": parent.GetName(), "uid": string(parent.GetUID()), "controller": true}
			if err := unstructured.SetNestedSlice(o.Object, []any{owner}, "metadata", "ownerReferences"); err != nil {
				t.Fatal(err)
			}
		}
		return o
	}
	parent := create(t, w.admin(), child("a", "deep-a", nil))
	w.awaitInstance(t, ns, "a", func(i *v1alpha1.Instance) bool { return i.Status.ObservedGeneration > 0 })
	invalid(webhook, "spec.framework", "a framework can not make Instances of itself: deep-a/b within deep-a/a").check(t, try(t, w.admin(), child("b", "deep-a", parent)))
	for _, n := range []string{"b", "c", "d", "e"} {
		parent = create(t, w.admin(), child(n, "deep-"+n, parent))
		w.awaitInstance(t, ns, n, func(i *v1alpha1.Instance) bool { return i.Status.ObservedGeneration > 0 })
	}
	invalid(webhook, "Instances are nested more than 5 deep").check(t, try(t, w.admin(), child("f", "deep-f", parent)))
}
