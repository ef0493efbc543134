// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 20*time.Second, true, condition); err != nil {
		t.Fatalf("waiting until %s: %v", what, err)
	}
}

// publish stores a framework with versions and waits until the webhook has seen them.
func (w *world) publish(t *testing.T, prefix string, versions ...*unstructured.Unstructured) string {
	t.Helper()
	fw := unique(prefix)
	create(t, w.admin(), object(t, frameworkYAML, set{"metadata.name": fw}))
	for _, v := range versions {
		number, _, _ := unstructured.NestedString(v.Object, "spec", "version")
		v.SetName(fw + "-" + number)
		if err := unstructured.SetNestedField(v.Object, fw, "spec", "framework"); err != nil {
			t.Fatal(err)
		}
		create(t, w.admin(), v)
		w.awaitReady(t, v.GetName())
	}
	return fw
}

// awaitReady waits until the manager, and so its webhooks' cache, knows a version.
func (w *world) awaitReady(t *testing.T, name string) {
	t.Helper()
	eventually(t, name+" is ready", func(ctx context.Context) (bool, error) {
		fwv := &v1alpha1.FrameworkVersion{}
		err := w.admin().Get(ctx, client.ObjectKey{Name: name}, fwv)
		return err == nil && isTrue(fwv.Status.Conditions, v1alpha1.ConditionReady), err
	})
}

// Cases 10, 24, 43 and 52 of the abuse table for Instances.
func TestInstances(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	fw, ns := w.publish(t, "inst", object(t, versionYAML)), w.tenant(t)
	tests := map[string]struct {
		change set
		want   refusal
	}{
		"10 field":             {set{"spec.parametres": "{}"}, badRequest(server, `unknown field "spec.parametres"`)},
		"24 long name":         {set{"metadata.name": strings.Repeat("a", 41)}, invalid(schema, "metadata.name must be at most 40 characters", "names of its objects derive from it")},
		"24 name with dots":    {set{"metadata.name": "a.b"}, invalid(schema, "metadata.name must be at most 40 characters")},
		"24 name with digit":   {set{"metadata.name": "1a"}, invalid(schema, "starting with a letter")},
		"5 no where text is":   {set{"spec.parameters": "{zone: no}"}, invalid(webhook, "spec.parameters.zone", "must be a string", "quote")},
		"5 octal":              {set{"spec.parameters": "{zone: 010}"}, invalid(webhook, "spec.parameters.zone", "must be a string")},
		"5 exponent":           {set{"spec.parameters": "{zone: 1e3}"}, invalid(webhook, "spec.parameters.zone", "must be a string")},
		"43 unknown":           {set{"spec.parameters": "{zone: a, siez: 1}"}, invalid(webhook, "spec.parameters.siez", `this version has no such parameter; did you mean "size"?`)},
		"43 type":              {set{"spec.parameters": "{zone: a, size: many}"}, invalid(webhook, "spec.parameters.size", "must be an integer")},
		"43 range":             {set{"spec.parameters": "{zone: a, size: 9}"}, invalid(webhook, "spec.parameters.size: Invalid value: 9: must be at most 7")},
		"43 enum":              {set{"spec.parameters": "{zone: a, mode: quick}"}, invalid(webhook, "spec.parameters.mode", "must be one of")},
		"43 required":          {set{"spec.parameters": "-"}, invalid(webhook, "spec.parameters.zone: Required value: this parameter has no default")},
		"43 account":           {set{"spec.serviceAccountName": "-"}, invalid(schema, "spec.serviceAccountName", "should be at least 1 chars long")},
		"43 empty account":     {set{"spec.serviceAccountName": `""`}, invalid(schema, "spec.serviceAccountName", "should be at least 1 chars long")},
		"43 history":           {set{"spec.historyLimit": "0"}, invalid(schema, "spec.historyLimit", "should be greater than or equal to 1")},
		"52 cleanup time-out":  {set{"spec.cleanupTimeout": "0s"}, invalid(webhook, "spec.cleanupTimeout", "must be more than 0")},
		"52 garbage time-out":  {set{"spec.cleanupTimeout": "soon"}, undecodable(`invalid duration "soon"`)},
		"unsupported deletion": {set{"spec.deletionPolicy": "Delete"}, invalid(webhook, "spec.deletionPolicy: Forbidden: not yet supported")},
		"no pointer":           {set{"spec.ignoreFields": "[{kind: Pod, path: spec}]"}, invalid(webhook, "must be a JSON pointer")},
		"no plan for contents": {set{"spec.onContentChange": "updat"}, invalid(webhook, `spec.onContentChange: Invalid value: "updat": there is no such plan, and it is not "Ignore"; did you mean "update"?`)},
		"enumeration":          {set{"spec.driftPolicy": "Sometimes"}, invalid(schema, `spec.driftPolicy: Unsupported value: "Sometimes"`)},
		"20 parameters":        {set{"spec.parameters": "{zone: " + strings.Repeat("x", 270_000) + "}"}, invalid(webhook, "spec.parameters", "more than the 262144 that an Instance may have")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.check(t, try(t, w.admin(), instanceOf(t, ns, "one", fw, "1.0.0", tc.change)))
		})
	}
	if err := try(t, w.admin(), instanceOf(t, ns, "one", fw, "1.0.0")); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

// Cases 43 and 44 for an Instance that runs: the way from what it is.
func TestInstanceUpdates(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	number := func(v string, changes ...set) *unstructured.Unstructured {
		return object(t, versionYAML, append(changes, set{"spec.version": v})...)
	}
	fw := w.publish(t, "upd", number("1.0.0"), number("2.0.0", set{"spec.upgradableFrom": "['~1.0.0']"}), number("3.0.0", set{"spec.upgradableFrom": "['~2.0.0']"}), number("0.9.0"))
	ns := w.tenant(t)
	create(t, w.admin(), instanceOf(t, ns, "one", fw, "1.0.0"))
	live := &v1alpha1.Instance{}
	eventually(t, "the Instance is deployed", func(ctx context.Context) (bool, error) {
		err := w.admin().Get(ctx, client.ObjectKey{Namespace: ns, Name: "one"}, live)
		return live.Status.Version == "1.0.0", err
	})
	patch := func(text string) error {
		return w.admin().Patch(t.Context(), live.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(text)), client.DryRunAll)
	}
	for name, tc := range map[string]struct {
		patch string
		want  refusal
	}{
		"framework":          {`{"spec":{"framework":"other"}}`, invalid(schema, "framework can not be changed: create another Instance")},
		"43 immutable":       {`{"spec":{"parameters":{"disk":"hdd"}}}`, invalid(webhook, "spec.parameters.disk", `is immutable: it must stay "ssd"`)},
		"44 not declared":    {`{"spec":{"version":"3.0.0"}}`, invalid(webhook, "spec.version", "version 3.0.0 can not be reached from 1.0.0: it is upgradable from ~2.0.0")},
		"44 down":            {`{"spec":{"version":"0.9.0"}}`, invalid(webhook, "it is not higher, and it names no upgradableFrom")},
		"43 wrong parameter": {`{"spec":{"parameters":{"size":0}}}`, invalid(webhook, "must be at least 1")},
	} {
		t.Run(name, func(t *testing.T) { tc.want.check(t, patch(tc.patch)) })
	}
	for name, text := range map[string]string{
		"44 declared upgrade": `{"spec":{"version":"2.0.0"}}`, "a parameter": `{"spec":{"parameters":{"size":5}}}`, "a label": `{"metadata":{"labels":{"a":"b"}}}`,
	} {
		if err := patch(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
