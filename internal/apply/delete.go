// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Delete asks for the removal of an object, by UID: another object of the same
// name is not meant. One that is gone already is no error.
func (a *Applier) Delete(ctx context.Context, ref v1alpha1.ObjectReference) error {
	return a.remove(ctx, ref, metav1.DeletePropagationBackground)
}

// Stop is Delete for a step that the next one relies on: a workload is gone only once its
// pods are, so that none of them runs beside what comes next.
func (a *Applier) Stop(ctx context.Context, ref v1alpha1.ObjectReference) error {
	if gv, err := schema.ParseGroupVersion(ref.APIVersion); err == nil && (gv.Group == "apps" || gv.Group == "batch") {
		return a.remove(ctx, ref, metav1.DeletePropagationForeground)
	}
	return a.Delete(ctx, ref)
}

func (a *Applier) remove(ctx context.Context, ref v1alpha1.ObjectReference, propagation metav1.DeletionPropagation) error {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(ref.APIVersion)
	u.SetKind(ref.Kind)
	u.SetNamespace(ref.Namespace)
	u.SetName(ref.Name)
	uid := ref.UID
	err := a.Client.Delete(ctx, u, &client.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &propagation,
	})
	if err == nil || apierrors.IsNotFound(err) || a.undefined(ref, err) {
		return nil
	}
	if apierrors.IsConflict(err) {
		// Another UID, so that what was meant is gone; or a lost race, and it is still there.
		if gone, readErr := a.Gone(ctx, ref); readErr != nil || gone {
			return readErr
		}
	}
	return fmt.Errorf("deleting %s: %w", Describe(ref), err)
}

// Gone says whether the object with this UID is no longer there.
func (a *Applier) Gone(ctx context.Context, ref v1alpha1.ObjectReference) (bool, error) {
	live, err := a.Find(ctx, ref)
	if err != nil {
		return false, err
	}
	return live == nil || live.GetUID() != ref.UID, nil
}

// Find returns the object that is to be removed, or nil if there is none, for example
// because its kind is not defined any more.
func (a *Applier) Find(ctx context.Context, ref v1alpha1.ObjectReference) (*unstructured.Unstructured, error) {
	live, err := a.Reader.Get(ctx, a.Client, ref)
	if a.undefined(ref, err) {
		return nil, nil
	}
	return live, err
}

// undefined says whether a request failed because there is no such kind in any version.
func (a *Applier) undefined(ref v1alpha1.ObjectReference, err error) bool {
	return meta.IsNoMatchError(err) && Undefined(a.Client.RESTMapper(), schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind())
}

// Undefined says whether the cluster has no such kind, so that nothing of it can exist. The
// mapper asks the API server before it says that. An answer that can not be had is no such answer.
func Undefined(mapper meta.RESTMapper, kind schema.GroupKind) bool {
	_, err := mapper.RESTMapping(kind)
	var none *meta.NoKindMatchError
	return errors.As(err, &none)
}
