// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/projection"
)

// instanceWords are what kubectl calls an Instance.
var instanceWords = []string{"instance", "instances", "inst"}

// Find reads the Instance that a name means: its own name, <kind>/<name>, or the name of the
// object of a generated kind that it was made from.
func Find(ctx context.Context, c client.Client, namespace, name string) (*v1alpha1.Instance, error) {
	kind, bare, qualified := strings.Cut(name, "/")
	if !qualified {
		kind, bare = "", name
	}
	kind = strings.ToLower(kind)
	if bare == "" || strings.Contains(bare, "/") || qualified && kind == "" {
		return nil, command.Misuse("%q is no name: give that of an Instance, or KIND/NAME", name)
	}
	kind, group, _ := strings.Cut(kind, ".")
	if group != "" && group != v1alpha1.GroupVersion.Group && group != v1alpha1.TypedGroup {
		return nil, command.Misuse("%q is of the group %s: give an Instance, or an object of %s", name, group, v1alpha1.TypedGroup)
	}
	doing := fmt.Sprintf("looking for %s in the namespace %s", name, namespace)
	if slices.Contains(instanceWords, kind) {
		return get(ctx, c, namespace, bare, doing)
	}
	var list v1alpha1.InstanceList
	err := c.List(ctx, &list, client.InNamespace(namespace))
	if apierrors.IsForbidden(err) && kind == "" {
		return get(ctx, c, namespace, bare, doing) // who may read one may still not list all
	}
	if apierrors.IsForbidden(err) {
		return get(ctx, c, namespace, crdgen.InstanceName(kind, bare), doing)
	}
	if err != nil {
		return nil, Denied(doing, err)
	}
	if kind == "" {
		return byName(list.Items, namespace, bare)
	}
	return byKind(ctx, c, list.Items, namespace, kind, bare)
}

func get(ctx context.Context, c client.Client, namespace, name, doing string) (*v1alpha1.Instance, error) {
	inst := &v1alpha1.Instance{}
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, inst)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no Instance %s in the namespace %s. Which are there? kubectl kudo get --all-namespaces", name, namespace)
	}
	if err != nil {
		return nil, Denied(doing, err)
	}
	return inst, nil
}

// Named is how people call an Instance: <kind>/<name> of the object that it was made from.
func Named(inst *v1alpha1.Instance) string {
	if owner := projection.Owner(inst); owner != nil {
		return command.Title(owner.Kind, owner.Name)
	}
	return inst.Name
}

// byName finds an Instance by its own name or by that of its object.
func byName(all []v1alpha1.Instance, namespace, name string) (*v1alpha1.Instance, error) {
	var found []*v1alpha1.Instance
	for i := range all {
		owner := projection.Owner(&all[i])
		if all[i].Name == name || owner != nil && owner.Name == name {
			found = append(found, &all[i])
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, none(all, namespace, name)
	}
	var names []string
	for _, inst := range found {
		if inst.Name == name {
			names = append(names, "instance/"+name)
			continue
		}
		names = append(names, Named(inst))
	}
	return nil, command.Misuse("%q is ambiguous: say which of %s", name, strings.Join(names, ", "))
}

func none(all []v1alpha1.Instance, namespace, name string) error {
	const shown = 10
	var names []string
	for i := range all {
		names = append(names, Named(&all[i]))
	}
	text := "There are none. In all namespaces: kubectl kudo get --all-namespaces"
	if len(names) > 0 {
		more := ""
		if len(names) > shown {
			names, more = names[:shown], ", ..."
		}
		text = "There are: " + strings.Join(names, ", ") + more
	}
	return fmt.Errorf("there is no Instance %s in the namespace %s. %s", name, namespace, text)
}

// byKind finds the Instance of an object of a generated kind, which may be called by its
// singular, plural or short name.
func byKind(ctx context.Context, c client.Client, all []v1alpha1.Instance, namespace, kind, name string) (*v1alpha1.Instance, error) {
	kinds := []string{kind}
	found, err := c.RESTMapper().KindsFor(schema.GroupVersionResource{Group: v1alpha1.TypedGroup, Resource: kind})
	if err == nil {
		for _, k := range found {
			kinds = append(kinds, strings.ToLower(k.Kind))
		}
	}
	for i := range all {
		owner := projection.Owner(&all[i])
		if owner != nil && owner.Name == name && slices.Contains(kinds, strings.ToLower(owner.Kind)) {
			return &all[i], nil
		}
	}
	if len(found) == 0 && (err == nil || meta.IsNoMatchError(err)) {
		return nil, fmt.Errorf("there is no kind %s in %s. Which are there? kubectl api-resources --api-group=%s", kind, v1alpha1.TypedGroup, v1alpha1.TypedGroup)
	}
	if len(found) > 0 {
		if err := orphan(ctx, c, found[0], namespace, name); err != nil {
			return nil, err
		}
	}
	return nil, none(all, namespace, kind+"/"+name)
}

// orphan says why an object of a generated kind has no Instance.
func orphan(ctx context.Context, c client.Client, kind schema.GroupVersionKind, namespace, name string) error {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kind)
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, o); err != nil {
		return nil //nolint:nilerr // then it is not there, and the caller says so
	}
	status, err := projection.StatusOf(o)
	if err != nil {
		return err
	}
	why := "The manager has not made one yet: is it running? kubectl get pods --all-namespaces -l app.kubernetes.io/name=kudo"
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil && ready.Message != "" {
		why = ready.Reason + ": " + ready.Message
	}
	return fmt.Errorf("%s has no Instance. %s", command.Title(kind.Kind, name), why)
}
