// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/drift"
	"kudo.dev/kudo/internal/revision"
)

// Applier writes objects of one Instance as its account.
type Applier struct {
	// Client acts as the account.
	Client client.Client
	Reader *Reader
	Owner  Owner
	// Ignore lists fields that are left to others.
	Ignore []v1alpha1.IgnoreField
	// Last finds what the last apply of an object left; nil if that is not known.
	Last func(v1alpha1.ObjectReference) *revision.Object
}

// Apply sends a complete object and returns the API server's answer. Server-side
// apply can not be create-only: so absence is read first, an object that is there
// must be the Instance's own and is named by its UID, and the answer is checked.
func (a *Applier) Apply(ctx context.Context, desired *unstructured.Unstructured, policy v1alpha1.ImmutablePolicy) (*unstructured.Unstructured, error) {
	ref := revision.Reference(desired)
	existing, err := a.Reader.Get(ctx, a.Client, ref)
	if err != nil {
		return nil, err
	}
	body := desired.DeepCopy()
	a.Owner.Mark(body)
	if existing != nil {
		if err := a.mayWrite(existing, ref); err != nil {
			return nil, err
		}
		body.SetUID(existing.GetUID())
		drift.Yield(body, existing, a.owned(ref, existing), a.Ignore)
	}
	body, err = a.send(ctx, body)
	if existing != nil && drift.Mine(a.owned(ref, existing), conflicts(err)) {
		body, err = a.force(ctx, desired, existing)
	}
	if existing != nil && anew(err) {
		return nil, &Refusal{
			Reason: v1alpha1.ReasonRetrying, Transient: true,
			Message: Describe(ref) + " was made anew since it was read: it is read again",
		}
	}
	if existing != nil && immutable(err) && policy != v1alpha1.ImmutableFail && policy != "" {
		return nil, a.replace(ctx, existing, policy, err)
	}
	if err != nil {
		return nil, err
	}
	if existing == nil && !a.Owner.Adopt && foreign(body) {
		return nil, notOwned(ref)
	}
	return body, nil
}

// send sends a complete object with server-side apply.
func (a *Applier) send(ctx context.Context, body *unstructured.Unstructured, more ...client.PatchOption) (*unstructured.Unstructured, error) {
	ref := revision.Reference(body)
	raw, err := json.Marshal(body.Object)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", Describe(ref), err)
	}
	// Client.Apply has no option for strict field validation.
	options := append([]client.PatchOption{
		client.FieldOwner(v1alpha1.FieldManager), client.FieldValidation(metav1.FieldValidationStrict),
	}, more...)
	if err := a.Client.Patch(ctx, body, client.RawPatch(types.ApplyPatchType, raw), options...); err != nil {
		return nil, fmt.Errorf("applying %s: %w", Describe(ref), err)
	}
	return body, nil
}

// replace removes an object whose immutable field is to change, with its dependants or
// without; the next try makes it anew. What holds data is never replaced.
func (a *Applier) replace(ctx context.Context, existing *unstructured.Unstructured, policy v1alpha1.ImmutablePolicy, refused error) error {
	ref := revision.Reference(existing)
	if Outlives(existing.GroupVersionKind().GroupKind()) {
		return fmt.Errorf("applying %s, which holds data and is not replaced: %w", Describe(ref), refused)
	}
	propagation := metav1.DeletePropagationForeground
	if policy == v1alpha1.ImmutableOrphan {
		propagation = metav1.DeletePropagationOrphan
	}
	if err := a.remove(ctx, ref, propagation); err != nil {
		return err
	}
	return &Refusal{
		Reason: v1alpha1.ReasonWaiting, Transient: true,
		Message: Describe(ref) + " is made anew because an immutable field changes",
	}
}

func (a *Applier) mayWrite(existing *unstructured.Unstructured, ref v1alpha1.ObjectReference) error {
	switch {
	case existing.GetDeletionTimestamp() != nil:
		return &Refusal{
			Reason: v1alpha1.ReasonWaiting, Transient: true,
			Message: Describe(ref) + " is being deleted: it is made anew once it is gone",
		}
	case !a.Owner.Owns(existing) && !a.Owner.Adopt:
		return notOwned(ref)
	}
	return nil
}

func notOwned(ref v1alpha1.ObjectReference) error {
	return &Refusal{
		Reason: v1alpha1.ReasonNotOwned,
		Message: Describe(ref) + " exists and does not belong to this Instance: rename or remove it, " +
			"or set spec.adopt to let Kudo take it over",
	}
}

// foreign says whether an object that was just applied had been made by someone else
// in the moment before: only then has another manager fields of its spec already.
func foreign(answer *unstructured.Unstructured) bool {
	for _, entry := range answer.GetManagedFields() {
		if entry.Manager != v1alpha1.FieldManager && entry.Subresource == "" {
			return true
		}
	}
	return false
}
