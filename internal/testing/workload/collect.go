// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// claimProtection is what the API server puts on claims for the volume controller to remove.
const claimProtection = "kubernetes.io/pvc-protection"

// collected are the kinds that have owners or are owners, beside those that are played.
func collected() []client.Object {
	return []client.Object{
		&v1alpha1.Instance{}, &v1alpha1.PlanExecution{}, &appsv1.ControllerRevision{},
		&corev1.ConfigMap{}, &corev1.Secret{}, &corev1.Service{}, &corev1.ServiceAccount{},
	}
}

// list returns all objects of a kind that a cache holds.
func (p *Player) list(ctx context.Context, store client.Reader, o client.Object) ([]client.Object, schema.GroupVersionKind, error) {
	gvk, err := apiutil.GVKForObject(o, p.client.Scheme())
	if err != nil {
		return nil, gvk, fmt.Errorf("finding the kind of %T: %w", o, err)
	}
	empty, err := p.client.Scheme().New(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err != nil {
		return nil, gvk, fmt.Errorf("making a list of %s: %w", gvk.Kind, err)
	}
	list, ok := empty.(client.ObjectList)
	if !ok {
		return nil, gvk, fmt.Errorf("a list of %s is no list", gvk.Kind)
	}
	if err := store.List(ctx, list); err != nil {
		return nil, gvk, fmt.Errorf("listing %s: %w", gvk.Kind, err)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return nil, gvk, fmt.Errorf("listing %s: %w", gvk.Kind, err)
	}
	out := make([]client.Object, 0, len(items))
	for _, i := range items {
		if o, ok := i.(client.Object); ok {
			out = append(out, o)
		}
	}
	return out, gvk, nil
}

// dependents are the objects that name an owner by this UID.
func (p *Player) dependents(ctx context.Context, owner types.UID) (objects []client.Object, kinds []schema.GroupVersionKind, err error) {
	for _, kind := range append(played(), collected()...) {
		all, gvk, err := p.list(ctx, p.seen(), kind)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range all {
			if slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner }) {
				objects, kinds = append(objects, o), append(kinds, gvk)
			}
		}
	}
	return objects, kinds, nil
}

// orphaned has the dependents of an object that is gone looked at: whoever comes later
// finds out by itself.
func (p *Player) orphaned(ctx context.Context, gone client.Object) {
	objects, kinds, err := p.dependents(ctx, gone.GetUID())
	if err != nil {
		if ctx.Err() == nil {
			p.report(err)
		}
		return
	}
	for i, o := range objects {
		p.queue.Add(item{kind: kinds[i], key: client.ObjectKeyFromObject(o)})
	}
	for _, ref := range gone.GetOwnerReferences() {
		// An owner may wait for this one to go.
		p.queue.Add(item{
			kind: schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind),
			key:  client.ObjectKey{Namespace: gone.GetNamespace(), Name: ref.Name},
		})
	}
}

// lostOwner deletes an object whose owners are all gone. Another owner of the same name
// is not the one that was meant.
func (p *Player) lostOwner(ctx context.Context, o client.Object) (bool, error) {
	refs := o.GetOwnerReferences()
	for _, ref := range refs {
		owner := &metav1.PartialObjectMetadata{}
		owner.SetGroupVersionKind(schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind))
		err := p.client.Get(ctx, client.ObjectKey{Namespace: o.GetNamespace(), Name: ref.Name}, owner)
		if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			return false, fmt.Errorf("reading the owner %s %s: %w", ref.Kind, ref.Name, err)
		}
		if err == nil && owner.UID == ref.UID {
			return false, nil
		}
	}
	if len(refs) == 0 {
		return false, nil
	}
	return true, p.remove(ctx, o)
}

func (p *Player) remove(ctx context.Context, o client.Object) error {
	uid, background := o.GetUID(), metav1.DeletePropagationBackground
	err := p.client.Delete(ctx, o, &client.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &background,
	})
	return client.IgnoreNotFound(err)
}

// finalize does for an object that is being deleted what its finalizers wait for.
func (p *Player) finalize(ctx context.Context, o client.Object) error {
	objects, _, err := p.dependents(ctx, o.GetUID())
	if err != nil {
		return err
	}
	for _, finalizer := range o.GetFinalizers() {
		switch finalizer {
		case metav1.FinalizerDeleteDependents:
			for _, d := range objects {
				if err := p.remove(ctx, d); err != nil {
					return err
				}
			}
			if len(objects) > 0 {
				return nil // the last of them to go brings us back
			}
		case metav1.FinalizerOrphanDependents:
			for _, d := range objects {
				if err := p.disown(ctx, d, o.GetUID()); err != nil {
					return err
				}
			}
		case claimProtection:
		default:
			continue
		}
		return p.edit(ctx, o, func() {
			o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == finalizer }))
		})
	}
	return nil
}

func (p *Player) disown(ctx context.Context, o client.Object, owner types.UID) error {
	return p.edit(ctx, o, func() {
		o.SetOwnerReferences(slices.DeleteFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner }))
	})
}

// edit changes the metadata of an object, unless someone else has in between.
func (p *Player) edit(ctx context.Context, o client.Object, change func()) error {
	before, ok := o.DeepCopyObject().(client.Object)
	if !ok {
		return fmt.Errorf("a copy of %s is no object", o.GetName())
	}
	change()
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	return client.IgnoreNotFound(p.client.Patch(ctx, o, patch))
}
