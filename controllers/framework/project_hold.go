// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// hold puts the finalizer on an object before its Instance is made. That is the webhook's
// work, where there is one.
func (p *Projector) hold(ctx context.Context, k *kind, typed *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if slices.Contains(typed.GetFinalizers(), v1alpha1.FinalizerTyped) {
		return typed, nil
	}
	return p.finalizers(ctx, k, typed, append(slices.Clone(typed.GetFinalizers()), v1alpha1.FinalizerTyped))
}

// release deletes the Instance of an object that is being deleted, and lets the object go
// once the Instance is gone. Orphaned, the Instance stays as one of its own.
func (p *Projector) release(ctx context.Context, k *kind, typed *unstructured.Unstructured, inst *v1alpha1.Instance) error {
	if !slices.Contains(typed.GetFinalizers(), v1alpha1.FinalizerTyped) {
		return nil
	}
	orphaned := slices.Contains(typed.GetFinalizers(), metav1.FinalizerOrphanDependents)
	if inst == nil || !metav1.IsControlledBy(inst, typed) || orphaned {
		left := slices.DeleteFunc(slices.Clone(typed.GetFinalizers()), func(f string) bool { return f == v1alpha1.FinalizerTyped })
		_, err := p.finalizers(ctx, k, typed, left)
		return client.IgnoreNotFound(err)
	}
	if inst.DeletionTimestamp == nil {
		uid := inst.UID
		err := p.Client.Delete(ctx, inst, client.Preconditions{UID: &uid})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("deleting Instance %s: %w", inst.Name, err)
		}
		return nil
	}
	return p.mirror(ctx, k, typed, inst)
}

func (p *Projector) finalizers(ctx context.Context, k *kind, typed *unstructured.Unstructured, list []string) (*unstructured.Unstructured, error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"finalizers": list, "resourceVersion": typed.GetResourceVersion(),
	}})
	if err != nil {
		return nil, fmt.Errorf("changing the finalizer: %w", err)
	}
	answer, err := k.resource.Namespace(typed.GetNamespace()).Patch(ctx, typed.GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return nil, fmt.Errorf("changing the finalizer of %s %s: %w", k.Singular, typed.GetName(), err)
	}
	k.wrote(answer)
	return answer, nil
}
