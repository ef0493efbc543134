// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package typed_test

import (
	"fmt"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func (a *author) foreign(plural, kind string) *apiextensionsv1.CustomResourceDefinition {
	open := true
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + ".packages.kudo.dev"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "packages.kudo.dev", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Singular: strings.ToLower(kind), Kind: kind, ListKind: kind + "List"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1alpha1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &open}}}},
		},
	}
}

// A definition that is not Kudo's is never touched, also when the Framework goes. Once it is
// gone the Framework's takes its place.
func TestAForeignDefinitionIsNotTouched(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	crd := a.foreign(a.name+"s", a.kind)
	if err := a.w.Admin().Create(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	a.framework("{}", "[{name: x}]")
	c := a.condition("Established", metav1.ConditionFalse, "NameTaken")
	if !strings.Contains(c.Message, "was not made by Kudo: set spec.names") {
		t.Errorf("the Framework says: %s", c.Message)
	}
	a.condition("Stalled", metav1.ConditionTrue, "NameTaken")
	if err := a.w.Admin().Delete(t.Context(), a.fw()); err != nil {
		t.Fatal(err)
	}
	a.awaitFrameworkGone()
	live, err := a.definition(t.Context())
	if err != nil || live.UID != crd.UID || live.Generation != crd.Generation || len(live.Labels) > 0 {
		t.Errorf("the foreign definition was touched: %v, %v", live.Labels, err)
	}

	a.publish("apiVersion: kudo.dev/v1alpha1\nkind: Framework\nmetadata: {name: {{name}}}")
	a.condition("Established", metav1.ConditionFalse, "NameTaken")
	if err := a.w.Admin().Delete(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	a.established()
}

// Of two Frameworks that want a name, the second is stalled with the reason, also where the
// API server accepts its definition at first.
func TestTheSecondOfTwoNamesakesIsStalled(t *testing.T) {
	t.Parallel()
	first, same, other := newAuthor(t), newAuthor(t), newAuthor(t)
	first.framework("{}", "[{name: x}]")
	first.established()

	// The same plural: the same definition.
	same.framework(fmt.Sprintf("{names: {kind: Same%s, plural: %ss}}", first.kind, first.name), "[{name: x}]")
	c := same.condition("Stalled", metav1.ConditionTrue, "NameTaken")
	if !strings.Contains(c.Message, "belongs to Framework "+first.name) {
		t.Errorf("the same plural: %s", c.Message)
	}

	// Another plural and the same kind: the API server answers 201 and serves nothing.
	other.framework(fmt.Sprintf("{names: {kind: %s, plural: other%ss, singular: other%s}}", first.kind, first.name, first.name), "[{name: x}]")
	c = other.condition("Stalled", metav1.ConditionTrue, "NameTaken")
	if !strings.Contains(c.Message, "is already in use") || !strings.Contains(c.Message, "set spec.names") {
		t.Errorf("the same kind: %s", c.Message)
	}

	// Once the first is gone, the name is free.
	for _, o := range []client.Object{first.fwv("1.0.0"), first.fw()} {
		if err := first.w.Admin().Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	other.established()
}

// A Framework with live objects is not deleted: the answer has their count and names.
func TestAFrameworkInUseIsHeldBack(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	a.create("one", "1.0.0", "{}")
	a.create("two", "1.0.0", "{}")
	err := a.w.Admin().Delete(t.Context(), a.fw())
	want := fmt.Sprintf("2 objects of kind %s exist (%s/one, %s/two): delete them first", a.kind, a.name, a.name)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), want) {
		t.Fatalf("deleting a Framework that is in use: %v, want %q", err, want)
	}
	for _, name := range []string{"one", "two"} {
		a.remove(name)
	}
	if err := a.w.Admin().Delete(t.Context(), a.fw()); err != nil {
		t.Fatal(err)
	}
	a.awaitFrameworkGone()
	if _, err := a.definition(t.Context()); !apierrors.IsNotFound(err) {
		t.Errorf("the definition stayed: %v", err)
	}
}

// The Instance of an object answers edits and deletions with where to go.
func TestTheInstanceOfAnObjectIsNotEdited(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	a.create("zk", "1.0.0", "{}")
	a.ready("zk")
	err := a.tryPatch(a.instance("zk"), map[string]any{"spec": map[string]any{"suspend": true}})
	if err == nil || !strings.Contains(err.Error(), "edit "+a.name+"/zk: this Instance is made from it") {
		t.Errorf("an edit: %v", err)
	}
	if err := a.tryPatch(a.instance("zk"), map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}}); err != nil {
		t.Errorf("a label: %v", err)
	}
	err = a.w.Admin().Delete(t.Context(), a.instance("zk"))
	if err == nil || !strings.Contains(err.Error(), "delete "+a.name+"/zk: this Instance is made from it") {
		t.Errorf("a deletion: %v", err)
	}
}

// An Instance that was there before is not taken over, unless the object says so.
func TestAnInstanceOfSomebodyElseIsNotTaken(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	inst := a.publish(fmt.Sprintf(`
apiVersion: kudo.dev/v1alpha1
kind: Instance
metadata: {namespace: "{{name}}", name: "%s"}
spec: {framework: "{{name}}", version: 1.0.0, serviceAccountName: deployer}
`, a.instance("zk").Name))
	a.create("zk", "1.0.0", "{x: mine}")
	if c := a.holds("zk", "Stalled", "NotOwned"); !strings.Contains(c.Message, "set spec.adopt to take it over") {
		t.Errorf("the object says: %s", c.Message)
	}
	if err := a.change("zk", "{spec: {adopt: true}}"); err != nil {
		t.Fatal(err)
	}
	a.ready("zk")
	live := a.instance("zk")
	if err := a.w.Admin().Get(t.Context(), client.ObjectKeyFromObject(live), live); err != nil {
		t.Fatal(err)
	}
	if live.UID != inst.GetUID() || !strings.Contains(a.data(live.Name)["params"], "mine") {
		t.Errorf("the Instance was made anew, or has other parameters: %v", a.data(live.Name))
	}
}

// Whoever may not impersonate an account may not name it in an object either.
func TestTheAccountCheckCoversTypedObjects(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	user := a.as("alice", []string{"packages.kudo.dev/*"}, "get", "create", "patch")
	err := user.Create(t.Context(), a.object("zk", "1.0.0", "{}"))
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `may not run anything as ServiceAccount "deployer"`) {
		t.Errorf("alice: %v", err)
	}
	o := a.create("zk", "1.0.0", "{}")
	a.ready("zk")
	status := o.DeepCopy()
	if err := unstructured.SetNestedField(status.Object, "9.9.9", "status", "version"); err != nil {
		t.Fatal(err)
	}
	live, err := a.objects().Get(t.Context(), "zk", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	status.SetResourceVersion(live.GetResourceVersion())
	if _, err := a.objects().UpdateStatus(t.Context(), status, metav1.UpdateOptions{}); err == nil || !strings.Contains(err.Error(), "only the manager of Kudo writes") {
		t.Errorf("a forged status: %v", err)
	}
}

// Frameworks, versions and Instances come in any order, and the same again is no change.
func TestAnyOrderAndTheSameAgain(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.version("1.0.0", "[{name: x, default: a}]")
	a.publish("apiVersion: kudo.dev/v1alpha1\nkind: Framework\nmetadata: {name: {{name}}}")
	a.established()
	a.create("zk", "2.0.0", "{}")
	a.holds("zk", "Waiting", "VersionMissing")
	a.version("2.0.0", "[{name: x, default: b}]")
	a.ready("zk")
	a.established()

	apply := func(o *unstructured.Unstructured) string {
		o = o.DeepCopy()
		if err := a.w.Admin().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("test"), client.ForceOwnership); err != nil {
			t.Fatalf("applying %s: %v", o.GetName(), err)
		}
		return o.GetResourceVersion()
	}
	for _, o := range []*unstructured.Unstructured{
		a.parse("apiVersion: kudo.dev/v1alpha1\nkind: Framework\nmetadata: {name: {{name}}}\nspec: {displayName: Soft}"),
		a.object("zk", "2.0.0", "{x: c}"),
	} {
		apply(o)
		a.ready("zk")
		a.established()
		if first, second := apply(o), apply(o); first != second {
			t.Errorf("applying %s %s again changes it", o.GetKind(), o.GetName())
		}
	}
}
