// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"encoding/json"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/drift"
	"kudo.dev/kudo/internal/revision"
)

// conflicts names the fields that others own; none if the error is another one.
func conflicts(err error) []string {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var out []string
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			out = append(out, cause.Field)
		}
	}
	return out
}

// owned returns the fields that Kudo's last apply of this very object owned. One that
// was put back since has another UID, but Kudo's own entry.
func (a *Applier) owned(ref v1alpha1.ObjectReference, existing *unstructured.Unstructured) json.RawMessage {
	if a.Last == nil {
		return nil
	}
	last := a.Last(ref)
	if last == nil || (last.UID != existing.GetUID() && !Applied(existing)) {
		return nil
	}
	return last.Fields
}

// Applied says whether Kudo applied an object, whatever its UID.
func Applied(live metav1.Object) bool { return drift.Own(live.GetManagedFields()) != nil }

// force takes back what others took of Kudo's own fields, unless the object changed since
// it was looked at.
func (a *Applier) force(ctx context.Context, desired, existing *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	body := desired.DeepCopy()
	a.Owner.Mark(body)
	body.SetUID(existing.GetUID())
	body.SetResourceVersion(existing.GetResourceVersion())
	drift.Yield(body, existing, a.owned(revision.Reference(desired), existing), a.Ignore)
	return a.send(ctx, body, client.ForceOwnership)
}
