// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package typed_test publishes frameworks and uses the kinds that Kudo generates for them,
// on a real API server, with the manager in a process of its own and workloads played.
package typed_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/projection"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/scene"
)

func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }

const account = "deployer"

// author publishes one framework and uses it in one namespace.
type author struct {
	*testing.T
	w *scene.World
	// name is that of the Framework, and of the namespace.
	name string
	// kind is that of its objects.
	kind string
}

func newAuthor(t *testing.T) *author {
	t.Helper()
	a := newAuthorOnly(t)
	tenant := install.Tenant{Namespace: a.name, Account: account, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}},
		{APIGroups: []string{"apps"}, Resources: []string{"statefulsets"}, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}},
	}}
	if err := tenant.Apply(t.Context(), a.w.Admin()); err != nil {
		t.Fatal(err)
	}
	return a
}

// newAuthorOnly has no namespace to use the framework in.
func newAuthorOnly(t *testing.T) *author {
	t.Helper()
	w := scene.Get(t, measured)
	name := scene.Unique("soft")
	return &author{T: t, w: w, name: name, kind: strings.ToUpper(name[:1]) + name[1:]}
}

// publish stores an object; {{name}} in the text is the framework's name.
func (a *author) publish(text string) *unstructured.Unstructured {
	a.Helper()
	o := a.parse(text)
	if err := a.w.Admin().Create(a.Context(), o); err != nil {
		a.Fatalf("creating %s %s: %v", o.GetKind(), o.GetName(), err)
	}
	return o
}

func (a *author) parse(text string) *unstructured.Unstructured {
	a.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, "{{name}}", a.name)), &o.Object); err != nil {
		a.Fatal(err)
	}
	return o
}

// framework publishes a Framework with one version that has these parameters.
func (a *author) framework(spec, parameters string) {
	a.Helper()
	a.publish("apiVersion: kudo.dev/v1alpha1\nkind: Framework\nmetadata: {name: {{name}}}\nspec: " + spec)
	a.version("1.0.0", parameters)
}

// version publishes a version that is open to edits. Its ConfigMap holds all parameters.
func (a *author) version(version, parameters string) {
	a.Helper()
	a.publish(fmt.Sprintf(versionYAML, version, version, parameters))
}

const versionYAML = `
apiVersion: kudo.dev/v1alpha1
kind: FrameworkVersion
metadata: {name: "{{name}}-%s"}
spec:
  framework: "{{name}}"
  version: %s
  development: true
  parameters: %s
  outputs:
  - {name: endpoint, value: 'instance.name + "." + instance.namespace + " <" + version.name + ">"'}
  templates:
  - name: config.yaml
    content: |
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: {{ .Name }}}
      data:
        params: {{ toJson .Params | quote }}
        version: {{ .Version.name | quote }}
`

// edit changes the parameters of a version.
func (a *author) edit(version, parameters string) {
	a.Helper()
	var list any
	if err := yaml.Unmarshal([]byte(parameters), &list); err != nil {
		a.Fatal(err)
	}
	a.patch(a.fwv(version), map[string]any{"spec": map[string]any{"parameters": list}})
}

func (a *author) patch(o client.Object, change any) {
	a.Helper()
	if err := a.tryPatch(o, change); err != nil {
		a.Fatalf("patching %s: %v", o.GetName(), err)
	}
}

func (a *author) tryPatch(o client.Object, change any) error {
	raw, err := yaml.Marshal(change)
	if err != nil {
		return err
	}
	if raw, err = yaml.YAMLToJSON(raw); err != nil {
		return err
	}
	return a.w.Admin().Patch(a.Context(), o, client.RawPatch(types.MergePatchType, raw))
}

func (a *author) fw() *v1alpha1.Framework {
	return &v1alpha1.Framework{ObjectMeta: metav1.ObjectMeta{Name: a.name}}
}

func (a *author) fwv(version string) *v1alpha1.FrameworkVersion {
	return &v1alpha1.FrameworkVersion{ObjectMeta: metav1.ObjectMeta{Name: a.name + "-" + version}}
}

// condition waits for a condition of the Framework's newest spec.
func (a *author) condition(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
	a.Helper()
	var c *metav1.Condition
	a.w.Await(a, fmt.Sprintf("%s is %s %s", kind, status, reason), func(ctx context.Context) (bool, string) {
		fw := a.fw()
		if err := a.w.Admin().Get(ctx, client.ObjectKeyFromObject(fw), fw); err != nil {
			return false, err.Error()
		}
		c = meta.FindStatusCondition(fw.Status.Conditions, kind)
		return c != nil && c.Status == status && c.Reason == reason && c.ObservedGeneration == fw.Generation, c.String()
	})
	return *c
}

func (a *author) established() {
	a.Helper()
	a.condition("Established", metav1.ConditionTrue, "Established")
}

// objects reads and writes objects of the generated kind.
func (a *author) objects() dynamic.ResourceInterface {
	a.Helper()
	c, err := dynamic.NewForConfig(a.w.Cluster.Config)
	if err != nil {
		a.Fatal(err)
	}
	return c.Resource(schema.GroupVersionResource{Group: "packages.kudo.dev", Version: "v1alpha1", Resource: strings.ToLower(a.kind) + "s"}).Namespace(a.name)
}

// object is one of the generated kind.
func (a *author) object(name, version, parameters string) *unstructured.Unstructured {
	a.Helper()
	return a.parse(fmt.Sprintf(`
apiVersion: packages.kudo.dev/v1alpha1
kind: %s
metadata: {name: %s, namespace: "{{name}}"}
spec: {version: %s, serviceAccountName: deployer, parameters: %s}
`, a.kind, name, version, parameters))
}

func (a *author) create(name, version, parameters string) *unstructured.Unstructured {
	a.Helper()
	made, err := a.objects().Create(a.Context(), a.object(name, version, parameters), metav1.CreateOptions{})
	if err != nil {
		a.Fatalf("creating %s: %v", name, err)
	}
	return made
}

// change patches an object of the generated kind.
func (a *author) change(name, patch string) error {
	raw, err := yaml.YAMLToJSON([]byte(patch))
	if err != nil {
		return err
	}
	_, err = a.objects().Patch(a.Context(), name, types.MergePatchType, raw, metav1.PatchOptions{})
	return err
}

// status reads the status of an object.
func (a *author) status(ctx context.Context, name string) (v1alpha1.TypedStatus, int64, error) {
	o, err := a.objects().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return v1alpha1.TypedStatus{}, 0, err
	}
	s, err := projection.StatusOf(o)
	return s, o.GetGeneration(), err
}

func (a *author) ready(name string) v1alpha1.TypedStatus {
	a.Helper()
	var s v1alpha1.TypedStatus
	a.w.Await(a, name+" is ready", func(ctx context.Context) (bool, string) {
		var generation int64
		var err error
		if s, generation, err = a.status(ctx, name); err != nil {
			return false, err.Error()
		}
		c := meta.FindStatusCondition(s.Conditions, "Ready")
		return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation, fmt.Sprintf("generation %d, %+v", generation, s)
	})
	return s
}

// holds waits until a condition of an object is True for this reason.
func (a *author) holds(name, kind, reason string) metav1.Condition {
	a.Helper()
	var c *metav1.Condition
	a.w.Await(a, name+" is "+kind+" with "+reason, func(ctx context.Context) (bool, string) {
		s, _, err := a.status(ctx, name)
		c = meta.FindStatusCondition(s.Conditions, kind)
		return c != nil && c.Status == metav1.ConditionTrue && c.Reason == reason, fmt.Sprint(s.Conditions, err)
	})
	return *c
}

func (a *author) instance(name string) *v1alpha1.Instance {
	return &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: a.name, Name: strings.ToLower(a.kind) + "-" + name}}
}

func (a *author) gone(what string, get func(context.Context) error) {
	a.Helper()
	a.w.Await(a, what+" is gone", func(ctx context.Context) (bool, string) {
		err := get(ctx)
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
}

// awaitFrameworkGone waits until the Framework, which is being deleted, is gone.
func (a *author) awaitFrameworkGone() {
	a.Helper()
	a.gone("the Framework", func(ctx context.Context) error {
		return a.w.Admin().Get(ctx, client.ObjectKeyFromObject(a.fw()), a.fw())
	})
}

// remove deletes an object and waits until it is gone.
func (a *author) remove(name string) {
	a.Helper()
	if err := a.objects().Delete(a.Context(), name, metav1.DeleteOptions{}); err != nil {
		a.Fatal(err)
	}
	a.gone(name, func(ctx context.Context) error {
		_, err := a.objects().Get(ctx, name, metav1.GetOptions{})
		return err
	})
}

// data is what the object's template made of its parameters.
func (a *author) data(name string) map[string]string {
	a.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	if err := a.w.Admin().Get(a.Context(), client.ObjectKey{Namespace: a.name, Name: name}, o); err != nil {
		a.Fatal(err)
	}
	data, _, err := unstructured.NestedStringMap(o.Object, "data")
	if err != nil {
		a.Fatal(err)
	}
	return data
}

// as is a client of a user who has these rights in the namespace.
func (a *author) as(user string, resources []string, verbs ...string) client.Client {
	a.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: a.name, Name: user}}
	for _, r := range resources {
		group, resource, _ := strings.Cut(r, "/")
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs})
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: role.ObjectMeta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	return a.bound(user, role, binding)
}

// bound is a client of a user, once what gives them rights is stored.
func (a *author) bound(user string, grants ...client.Object) client.Client {
	a.Helper()
	for _, o := range grants {
		if err := a.w.Admin().Create(a.Context(), o); err != nil {
			a.Fatal(err)
		}
	}
	config := rest.CopyConfig(a.w.Cluster.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	c, err := install.NewClient(config)
	if err != nil {
		a.Fatal(err)
	}
	a.w.Await(a, user+" has rights", func(ctx context.Context) (bool, string) {
		err := c.Get(ctx, client.ObjectKey{Namespace: a.name, Name: "nobody"}, a.object("nobody", "1.0.0", "{}"))
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
	return c
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }
