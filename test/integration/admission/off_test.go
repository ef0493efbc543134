// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
)

// Without the webhooks comfort is lost, never correctness: what the schema does not
// refuse ends in a condition, with the same words. Not parallel: it takes the webhooks
// from everyone.
func TestWithoutWebhooks(t *testing.T) {
	w := theWorld(t)
	fw, ns := w.publish(t, "off", object(t, versionYAML)), w.tenant(t)
	w.switchOff(t)
	for name, change := range changes() {
		t.Run("a sealed version keeps "+name, func(t *testing.T) {
			_, err := edited(t, w.admin(), fw+"-1.0.0", change)
			refusedAsSealed(name).check(t, err)
		})
	}
	t.Run("the schema still refuses", func(t *testing.T) {
		_, err := edited(t, w.admin(), fw+"-1.0.0", func(s map[string]any) { s["development"] = true })
		invalid(schema, "a sealed version can not become a development version again").check(t, err)
		invalid(schema, "metadata.name must be <spec.framework>-<spec.version>").check(t, try(t, w.admin(), object(t, versionYAML, set{"metadata.name": "x"})))
	})
	t.Run("a version that does not compile", func(t *testing.T) {
		broken := versionOf(t, fw, "2.0.0", set{"spec.templates": "[{name: config.yaml, content: '{{'}]"})
		create(t, w.admin(), broken)
		eventually(t, "it is reported", func(ctx context.Context) (bool, error) {
			return w.versionSays(ctx, broken.GetName(), v1alpha1.ReasonInvalid, "template config.yaml:1")
		})
	})
	t.Run("wrong parameters", func(t *testing.T) {
		create(t, w.admin(), instanceOf(t, ns, "wrong", fw, "1.0.0", set{"spec.parameters": "{zone: a, size: 9}"}))
		w.awaitVerdict(t, ns, "wrong", v1alpha1.ReasonParametersInvalid, "must be at most 7")
	})
	t.Run("an unsupported field", func(t *testing.T) {
		create(t, w.admin(), instanceOf(t, ns, "policy", fw, "1.0.0", set{"spec.deletionPolicy": "Delete"}))
		w.awaitVerdict(t, ns, "policy", "", "spec.deletionPolicy: Forbidden: not yet supported")
	})
	t.Run("the finalizer is set all the same", func(t *testing.T) {
		create(t, w.admin(), instanceOf(t, ns, "held", fw, "1.0.0", set{"spec.suspend": "true"}))
		w.awaitInstance(t, ns, "held", func(i *v1alpha1.Instance) bool { return len(i.Finalizers) == 1 })
	})
	t.Run("an unknown plan", func(t *testing.T) {
		create(t, w.admin(), instanceOf(t, ns, "good", fw, "1.0.0"))
		create(t, w.admin(), executionOf(t, ns, "run", "good", "deplyo"))
		eventually(t, "it failed", func(ctx context.Context) (bool, error) {
			pe := &v1alpha1.PlanExecution{}
			err := w.admin().Get(ctx, client.ObjectKey{Namespace: ns, Name: "run"}, pe)
			return pe.Status.State == v1alpha1.RunFailed && pe.Status.Reason == v1alpha1.ReasonPlanMissing, err
		})
	})
}

// switchOff removes the webhooks and puts them back with the end of the test.
func (w *world) switchOff(t *testing.T) {
	t.Helper()
	for _, o := range []client.Object{&admissionregistrationv1.MutatingWebhookConfiguration{}, &admissionregistrationv1.ValidatingWebhookConfiguration{}} {
		if err := w.admin().DeleteAllOf(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := install.Install(ctx, w.admin(), w.Options.WebhookPort); err != nil {
			t.Fatal(err)
		}
		if err := install.AwaitWebhooks(ctx, w.admin()); err != nil {
			t.Fatal(err)
		}
	})
	// The API server follows with a moment's delay.
	eventually(t, "the webhooks are off", func(context.Context) (bool, error) {
		return layerOf(try(t, w.admin(), object(t, frameworkYAML, set{"metadata.name": unique("probe"), "spec.names": "{kind: A}"}))) == "none", nil
	})
}

func (w *world) versionSays(ctx context.Context, name, reason, words string) (bool, error) {
	fwv := &v1alpha1.FrameworkVersion{}
	if err := w.admin().Get(ctx, client.ObjectKey{Name: name}, fwv); err != nil {
		return false, err
	}
	c := meta.FindStatusCondition(fwv.Status.Conditions, v1alpha1.ConditionValid)
	return c != nil && c.Reason == reason && strings.Contains(c.Message, words), nil
}

// awaitVerdict waits for what the Instance's root condition says; any reason if empty.
func (w *world) awaitVerdict(t *testing.T, ns, name, reason, words string) {
	t.Helper()
	w.awaitInstance(t, ns, name, func(i *v1alpha1.Instance) bool {
		c := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionReady)
		return c != nil && (reason == "" || c.Reason == reason) && strings.Contains(c.Message, words)
	})
}
