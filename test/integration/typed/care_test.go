// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package typed_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/install"
)

// unguarded does something while these webhooks are not called. Nothing runs beside it.
func (a *author) unguarded(do func(), names ...string) {
	a.Helper()
	validating := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "kudo-validating-webhook-configuration"}}
	mutating := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "kudo-mutating-webhook-configuration"}}
	ignore, fail := admissionregistrationv1.Ignore, admissionregistrationv1.Fail
	set := func(policy *admissionregistrationv1.FailurePolicyType, path string) {
		for _, o := range []client.Object{validating, mutating} {
			if err := a.w.Admin().Get(a.Context(), client.ObjectKeyFromObject(o), o); err != nil {
				a.Fatal(err)
			}
		}
		for i := range validating.Webhooks {
			if slices.Contains(names, validating.Webhooks[i].Name) {
				validating.Webhooks[i].FailurePolicy = policy
				turn(&validating.Webhooks[i].ClientConfig, path)
			}
		}
		for i := range mutating.Webhooks {
			if slices.Contains(names, mutating.Webhooks[i].Name) {
				mutating.Webhooks[i].FailurePolicy = policy
				turn(&mutating.Webhooks[i].ClientConfig, path)
			}
		}
		for _, o := range []client.Object{validating, mutating} {
			if err := a.w.Admin().Update(a.Context(), o); err != nil {
				a.Fatal(err)
			}
		}
	}
	set(&ignore, "-nowhere")
	defer set(&fail, "")
	do()
}

// turn leads a webhook to a path that nobody serves, and back.
func turn(c *admissionregistrationv1.WebhookClientConfig, suffix string) {
	url := *c.URL
	const nowhere = "-nowhere"
	if n := len(url) - len(nowhere); n > 0 && url[n:] == nowhere {
		url = url[:n]
	}
	url += suffix
	c.URL = &url
}

// A Framework that goes although objects of its kind exist is held, and lets go of them,
// also with another manager than the one that saw the deletion.
func TestAFrameworkThatGoesIsHeldUntilItsLastObject(t *testing.T) {
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	a.create("zk", "1.0.0", "{}")
	a.ready("zk")
	a.w.Await(t, "the Framework is being deleted", func(ctx context.Context) (bool, string) {
		var err error
		a.unguarded(func() { err = a.w.Admin().Delete(ctx, a.fw()) }, "vframework.kudo.dev")
		return err == nil, fmt.Sprint(err) // the API server needs a moment to see the change
	})
	if c := a.condition("Ready", metav1.ConditionFalse, "InUse"); c.Message != "is deleted once the last of 1 objects of kind "+a.kind+" is gone: "+a.name+"/zk" {
		t.Errorf("the Framework says: %s", c.Message)
	}
	if err := a.w.Process.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := a.w.Manage(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.change("zk", "{spec: {parameters: {x: late}}}"); err != nil {
		t.Fatal(err)
	}
	a.ready("zk")
	if err := a.objects().Delete(t.Context(), "zk", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	a.awaitFrameworkGone()
	if _, err := a.definition(t.Context()); !apierrors.IsNotFound(err) {
		t.Errorf("the definition stayed: %v", err)
	}
}

// What was made while no manager ran is all taken up by the next one, and held by a finalizer.
func TestObjectsThatWereMadeWithoutAManager(t *testing.T) {
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	if err := a.w.Process.Stop(); err != nil {
		t.Fatal(err)
	}
	const n = 30
	a.unguarded(func() {
		for i := range n {
			a.w.Await(t, "the object is made", func(ctx context.Context) (bool, string) {
				_, err := a.objects().Create(ctx, a.object(fmt.Sprintf("o%d", i), "1.0.0", "{}"), metav1.CreateOptions{})
				return err == nil, fmt.Sprint(err)
			})
		}
	}, "vtyped.kudo.dev", "mtyped.kudo.dev")
	if err := a.w.Manage(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		a.ready(fmt.Sprintf("o%d", i))
		o, err := a.objects().Get(t.Context(), fmt.Sprintf("o%d", i), metav1.GetOptions{})
		if err != nil || !slices.Contains(o.GetFinalizers(), "kudo.dev/instance") {
			t.Errorf("o%d has no finalizer: %v", i, err)
		}
	}
}

// A definition that somebody edits is put back; one that somebody deletes is made again.
func TestTheDefinitionIsPutBack(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	crd, err := a.definition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.patch(crd, map[string]any{"spec": map[string]any{"names": map[string]any{"shortNames": []any{a.name + "sn"}}}})
	a.awaitDefinition("the short name is gone", func(now *apiextensionsv1.CustomResourceDefinition) bool {
		return len(now.Spec.Names.ShortNames) == 0
	})
	if err := a.w.Admin().Delete(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	a.awaitDefinition("it is made again", func(now *apiextensionsv1.CustomResourceDefinition) bool {
		return now.UID != crd.UID && now.DeletionTimestamp == nil
	})
	a.established()
	a.create("zk", "1.0.0", "{}")
	a.ready("zk")
}

// Names under which objects exist stay.
func TestAKindIsNotRenamed(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	for _, name := range []string{"kind", "plural", "singular"} {
		value := map[string]string{"kind": "Other", "plural": "others", "singular": "other"}[name]
		err := a.tryPatch(a.fw(), map[string]any{"spec": map[string]any{"names": map[string]any{name: value}}})
		if !apierrors.IsInvalid(err) || !contains(err, "kind, plural and singular can not be changed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Orphaned, an Instance goes on as one of its own, and its objects keep their names. An
// object of the same name takes it up again.
func TestAnOrphanedInstanceGoesOn(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	a.create("zk", "1.0.0", "{x: a}")
	a.ready("zk")
	orphan := metav1.DeletePropagationOrphan
	if err := a.objects().Delete(t.Context(), "zk", metav1.DeleteOptions{PropagationPolicy: &orphan}); err != nil {
		t.Fatal(err)
	}
	a.w.Await(t, "the object is let go of", func(ctx context.Context) (bool, string) {
		o, err := a.objects().Get(ctx, "zk", metav1.GetOptions{})
		return err == nil && slices.Equal(o.GetFinalizers(), []string{"orphan"}), fmt.Sprint(o.GetFinalizers(), err)
	})
	a.collectOrphan("zk")
	inst := a.instance("zk")
	if err := a.w.Admin().Get(t.Context(), client.ObjectKeyFromObject(inst), inst); err != nil || inst.DeletionTimestamp != nil {
		t.Fatalf("the Instance went along: %v", err)
	}
	a.patch(inst, map[string]any{"spec": map[string]any{"parameters": map[string]any{"x": "b"}}})
	a.w.Await(t, "its objects have their names still", func(context.Context) (bool, string) {
		got := a.data("zk")
		return contains(fmt.Errorf("%s", got["params"]), `"x":"b"`), fmt.Sprint(got)
	})
	again := a.object("zk", "1.0.0", "{x: c}")
	if err := a.w.Admin().Create(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if err := a.change("zk", "{spec: {adopt: true}}"); err != nil {
		t.Fatal(err)
	}
	a.ready("zk")
	if err := a.change("zk", "{spec: {parameters: {x: d}}}"); err != nil {
		t.Fatal(err)
	}
	a.ready("zk")
	if got := a.data("zk")["params"]; !contains(fmt.Errorf("%s", got), `"x":"d"`) {
		t.Errorf("the object that took it up is not followed: %s", got)
	}
}

// collectOrphan does what the garbage collector does for an object that is orphaned.
func (a *author) collectOrphan(name string) {
	a.Helper()
	config := rest.CopyConfig(a.w.Cluster.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:kube-system:generic-garbage-collector", Groups: []string{"system:masters"}}
	collector, err := install.NewClient(config)
	if err != nil {
		a.Fatal(err)
	}
	inst := a.instance(name)
	for _, o := range []client.Object{inst, a.object(name, "1.0.0", "{}")} {
		patch := `{"metadata":{"ownerReferences":null}}`
		if o != client.Object(inst) {
			patch = `{"metadata":{"finalizers":null}}`
		}
		if err := collector.Patch(a.Context(), o, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
			a.Fatal(err)
		}
	}
}

// The owner reference and what Kudo notes on an Instance are not changed by others.
func TestTheTieToTheObjectIsKept(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	a.create("zk", "1.0.0", "{}")
	a.ready("zk")
	for name, change := range map[string]map[string]any{
		"no owner":           {"ownerReferences": nil},
		"another generation": {"annotations": map[string]any{"kudo.dev/typed-generation": "x/99999"}},
		"another name":       {"annotations": map[string]any{"kudo.dev/typed-name": nil}},
	} {
		if err := a.tryPatch(a.instance("zk"), map[string]any{"metadata": change}); err == nil || !contains(err, "of this Instance are Kudo's") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
