// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package archive reads and writes the revisions of executions, and finds out
// what an Instance was when it was last at rest.
package archive

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// decodedSize bounds how many decoded revisions are kept; they never change.
const decodedSize = 1024

// Archive reads and writes revisions. They are immutable, so one that was read or
// written once is never read again.
type Archive struct {
	client  client.Client
	live    client.Reader
	decoded *lru.Cache
}

// New returns an Archive over the manager's client; live bypasses the cache.
func New(c client.Client, live client.Reader) *Archive {
	return &Archive{client: c, live: live, decoded: lru.New(decodedSize)}
}

// ErrMissing says that a revision is not there.
type ErrMissing struct{ Name string }

// Error names the revision.
func (e *ErrMissing) Error() string { return "the revision " + e.Name + " is gone" }

// Inputs reads the inputs of an execution.
func (a *Archive) Inputs(ctx context.Context, namespace, name string) (*revision.Inputs, error) {
	return read(ctx, a, namespace, name, revision.DecodeInputs)
}

// Applied reads what an Instance was after an execution.
func (a *Archive) Applied(ctx context.Context, namespace, name string) (*revision.Applied, error) {
	return read(ctx, a, namespace, name, revision.DecodeApplied)
}

func read[T any](ctx context.Context, a *Archive, namespace, name string, decode func([]byte) (*T, error)) (*T, error) {
	cr, err := a.get(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	return decodeOnce(a, cr, decode)
}

func (a *Archive) get(ctx context.Context, namespace, name string) (*appsv1.ControllerRevision, error) {
	key := client.ObjectKey{Namespace: namespace, Name: name}
	cr := &appsv1.ControllerRevision{}
	err := a.client.Get(ctx, key, cr)
	if apierrors.IsNotFound(err) {
		// The cache may be behind the manager that wrote it.
		err = a.live.Get(ctx, key, cr)
	}
	if apierrors.IsNotFound(err) {
		return nil, &ErrMissing{Name: name}
	}
	if err != nil {
		return nil, fmt.Errorf("reading revision %s: %w", name, err)
	}
	return cr, nil
}

// Remove deletes a revision, by UID: another one of the same name is not meant. One that
// is gone is no error.
func (a *Archive) Remove(ctx context.Context, namespace, name string) error {
	cr, err := a.get(ctx, namespace, name)
	var missing *ErrMissing
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return err
	}
	err = a.client.Delete(ctx, cr, client.Preconditions{UID: &cr.UID})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("removing revision %s: %w", name, err)
	}
	return nil
}

func decodeOnce[T any](a *Archive, cr *appsv1.ControllerRevision, decode func([]byte) (*T, error)) (*T, error) {
	if found, ok := a.decoded.Get(cr.UID); ok {
		if value, ok := found.(*T); ok {
			return value, nil
		}
	}
	value, err := decode(cr.Data.Raw)
	if err != nil {
		return nil, fmt.Errorf("reading revision %s: %w", cr.Name, err)
	}
	a.decoded.Add(cr.UID, value)
	return value, nil
}

// Encoder is a revision's content.
type Encoder interface{ Encode() ([]byte, error) }

// WriteInputs stores the inputs of an execution, unless they are stored already:
// then those count.
func (a *Archive) WriteInputs(ctx context.Context, inst *v1alpha1.Instance, pe *v1alpha1.PlanExecution, in *revision.Inputs) (string, *revision.Inputs, error) {
	return write(ctx, a, inst, pe, revision.KindInputs, in, revision.DecodeInputs)
}

// WriteApplied stores what an Instance is after an execution, unless that is stored already.
func (a *Archive) WriteApplied(ctx context.Context, inst *v1alpha1.Instance, pe *v1alpha1.PlanExecution, ap *revision.Applied) (string, error) {
	name, _, err := write(ctx, a, inst, pe, revision.KindApplied, ap, revision.DecodeApplied)
	return name, err
}

func write[T any](ctx context.Context, a *Archive, inst *v1alpha1.Instance, pe *v1alpha1.PlanExecution, kind string, content Encoder, decode func([]byte) (*T, error)) (string, *T, error) {
	raw, err := content.Encode()
	if err != nil {
		return "", nil, err
	}
	controller, block := true, false
	cr := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: inst.Namespace, Name: revision.Name(pe.Name, pe.UID, kind),
			Labels: map[string]string{
				v1alpha1.LabelInstance: inst.Name, v1alpha1.LabelRevision: kind,
				v1alpha1.LabelManagedBy: v1alpha1.ManagedBy,
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: "Instance", Name: inst.Name, UID: inst.UID,
				Controller: &controller, BlockOwnerDeletion: &block,
			}},
		},
		Data: runtime.RawExtension{Raw: raw},
	}
	err = a.client.Create(ctx, cr)
	if apierrors.IsAlreadyExists(err) {
		// A run that was interrupted wrote it: what it pinned counts.
		err = a.live.Get(ctx, client.ObjectKeyFromObject(cr), cr)
	}
	if err != nil {
		return "", nil, fmt.Errorf("writing revision %s: %w", cr.Name, err)
	}
	if !metav1.IsControlledBy(cr, inst) {
		return "", nil, fmt.Errorf("writing revision %s: one of this name belongs to something else", cr.Name)
	}
	value, err := decodeOnce(a, cr, decode)
	return cr.Name, value, err
}
