// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

const sealedWords = "this version is sealed: what was reviewed is what runs. Create another FrameworkVersion"

// edited is a change of one place of the stored version.
func edited(t *testing.T, c client.Client, name string, change func(spec map[string]any)) (*unstructured.Unstructured, error) {
	t.Helper()
	o := object(t, versionYAML)
	return o, retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := c.Get(t.Context(), client.ObjectKey{Name: name}, o); err != nil {
			t.Fatal(err)
		}
		change(o.Object["spec"].(map[string]any))
		return c.Update(t.Context(), o)
	})
}

func first(spec map[string]any, list string) map[string]any {
	return spec[list].([]any)[0].(map[string]any)
}

// changes are edits of every kind of field, also of those whose content the CRD does not know.
func changes() map[string]func(map[string]any) {
	return map[string]func(map[string]any){
		"a description": func(s map[string]any) { s["description"] = "other" },
		"a template":    func(s map[string]any) { first(s, "templates")["content"] = head },
		"a template more": func(s map[string]any) {
			s["templates"] = append(s["templates"].([]any), map[string]any{"name": "b.yaml", "content": head})
		},
		"a default":                func(s map[string]any) { first(s, "parameters")["default"] = int64(5) },
		"a schema":                 func(s map[string]any) { first(s, "parameters")["schema"].(map[string]any)["maximum"] = int64(9) },
		"a defaulted field":        func(s map[string]any) { first(s, "plans")["strategy"] = "Parallel" },
		"the order of plans":       func(s map[string]any) { p := s["plans"].([]any); p[0], p[1] = p[1], p[0] },
		"upgradableFrom":           func(s map[string]any) { s["upgradableFrom"] = []any{"~0.9.0"} },
		"a parameter that goes":    func(s map[string]any) { s["parameters"] = s["parameters"].([]any)[1:] },
		"a permission":             func(s map[string]any) { s["permissions"] = []any{map[string]any{"kind": "Node"}} },
		"a parameter's immutable":  func(s map[string]any) { first(s, "parameters")["immutable"] = true },
		"a default of false, null": func(s map[string]any) { delete(first(s, "parameters"), "default") },
	}
}

// refusedAsSealed says which layer refuses an edit: lists that are maps by name are equal
// in any order for the CRD, and not for the policy.
func refusedAsSealed(edit string) refusal {
	if edit == "the order of plans" {
		return invalid(policy, sealedWords)
	}
	return invalid(schema, sealedWords)
}

// Case 46: what was reviewed is what runs.
func TestASealedVersionCanNotBeChanged(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	fw := w.publish(t, "seal", object(t, versionYAML))
	for name, change := range changes() {
		t.Run(name, func(t *testing.T) {
			_, err := edited(t, w.admin(), fw+"-1.0.0", change)
			refusedAsSealed(name).check(t, err)
		})
	}
	for name, tc := range map[string]struct {
		change func(map[string]any)
		want   refusal
	}{
		"development again": {func(s map[string]any) { s["development"] = true }, invalid(schema, "a sealed version can not become a development version again")},
		"another version":   {func(s map[string]any) { s["version"] = "1.0.1" }, invalid(schema, "framework and version can not be changed: create another FrameworkVersion")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := edited(t, w.admin(), fw+"-1.0.0", tc.change)
			tc.want.check(t, err)
		})
	}
}

// development turns false once, with a last edit, and never back.
func TestADevelopmentVersionIsSealedOnce(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	fw := w.publish(t, "dev", object(t, versionYAML, set{"spec.development": "true"}))
	name := fw + "-1.0.0"
	if _, err := edited(t, w.admin(), name, func(s map[string]any) { s["description"] = "work in progress" }); err != nil {
		t.Fatalf("an edit while it is open: %v", err)
	}
	_, err := edited(t, w.admin(), name, func(s map[string]any) { first(s, "templates")["content"] = "{{" })
	invalid(webhook, "template config.yaml:1").check(t, err)
	if _, err := edited(t, w.admin(), name, func(s map[string]any) { s["development"], s["description"] = false, "reviewed" }); err != nil {
		t.Fatalf("sealing it: %v", err)
	}
	_, err = edited(t, w.admin(), name, func(s map[string]any) { s["description"] = "one more" })
	invalid(schema, sealedWords).check(t, err)
	_, err = edited(t, w.admin(), name, func(s map[string]any) { s["development"] = true })
	if err == nil {
		t.Error("it is open again")
	}
	eventually(t, "it is reported as sealed", func(ctx context.Context) (bool, error) {
		fwv := &v1alpha1.FrameworkVersion{}
		err := w.admin().Get(ctx, client.ObjectKey{Name: name}, fwv)
		return isTrue(fwv.Status.Conditions, v1alpha1.ConditionSealed) && isTrue(fwv.Status.Conditions, v1alpha1.ConditionReady), err
	})
}

// A Git tool applies the same YAML for ever, server-side or client-side: no change.
func TestTheSameYAMLAgainIsNoChange(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	for name, apply := range map[string]func(*unstructured.Unstructured) error{
		"server-side": func(o *unstructured.Unstructured) error {
			return w.admin().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("git"), client.ForceOwnership)
		},
		"update": func(o *unstructured.Unstructured) error { return w.admin().Update(t.Context(), o) },
		// Client-side apply sends a patch of what the user wrote; the annotation is the same.
		"client-side": func(o *unstructured.Unstructured) error {
			return w.admin().Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", mustJSON(t, o.Object)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			fw := unique("same")
			o := versionOf(t, fw, "1.0.0")
			create(t, w.admin(), o.DeepCopy())
			if name == "server-side" {
				if err := apply(o.DeepCopy()); err != nil {
					t.Fatal(err)
				}
			}
			stored := o.DeepCopy()
			eventually(t, "its status is written", func(ctx context.Context) (bool, error) {
				err := w.admin().Get(ctx, client.ObjectKeyFromObject(o), stored)
				_, found, _ := unstructured.NestedString(stored.Object, "status", "digest")
				return found, err
			})
			again := o.DeepCopy()
			if name == "update" {
				again.SetResourceVersion(stored.GetResourceVersion())
				again.SetFinalizers(stored.GetFinalizers())
			}
			if err := apply(again); err != nil {
				t.Fatal(err)
			}
			if err := w.admin().Get(t.Context(), client.ObjectKeyFromObject(o), again); err != nil {
				t.Fatal(err)
			}
			if again.GetGeneration() != stored.GetGeneration() || again.GetResourceVersion() != stored.GetResourceVersion() {
				t.Errorf("generation %d to %d, resourceVersion %s to %s", stored.GetGeneration(), again.GetGeneration(), stored.GetResourceVersion(), again.GetResourceVersion())
			}
		})
	}
}

// Case 46: a version in use stays, and whoever deletes it learns who uses it.
func TestAVersionInUseCanNotBeDeleted(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	fw, ns := w.publish(t, "used", object(t, versionYAML)), w.tenant(t)
	create(t, w.admin(), instanceOf(t, ns, "one", fw, "1.0.0", set{"spec.suspend": "true"}))
	w.awaitInstance(t, ns, "one", func(i *v1alpha1.Instance) bool { return i.Status.ObservedGeneration > 0 })
	version := &v1alpha1.FrameworkVersion{}
	version.Name = fw + "-1.0.0"
	forbidden(webhook, "1 Instances use it ("+ns+"/one): upgrade or delete them first").check(t, w.admin().Delete(t.Context(), version))
	inst := &v1alpha1.Instance{}
	inst.Namespace, inst.Name = ns, "one"
	inst.Finalizers = nil
	if err := w.admin().Patch(t.Context(), inst, merge(`{"metadata":{"finalizers":["example.com/hold","kudo.dev/cleanup"]}}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.admin().Delete(t.Context(), inst); err != nil {
		t.Fatal(err)
	}
	// Its last user goes already: the version may go, and waits for it.
	eventually(t, "the version is being deleted", func(ctx context.Context) (bool, error) {
		return w.admin().Delete(ctx, version) == nil, nil
	})
	if err := w.admin().Get(t.Context(), client.ObjectKeyFromObject(version), version); err != nil || version.DeletionTimestamp == nil {
		t.Errorf("the version is gone before its user: %v", err)
	}
	if err := w.admin().Patch(t.Context(), inst, merge(`{"metadata":{"finalizers":null}}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the version is gone", func(ctx context.Context) (bool, error) {
		return client.IgnoreNotFound(w.admin().Get(ctx, client.ObjectKeyFromObject(version), version)) == nil &&
			w.admin().Get(ctx, client.ObjectKeyFromObject(version), version) != nil, nil
	})
}
