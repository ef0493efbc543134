// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/drift"
	"kudo.dev/kudo/internal/revision"
)

// Restore puts an object of the content at rest back to what its last apply sent, in at
// most two requests. live is what is known of the object, nil if it is gone; complete
// says that this is more than its metadata. It returns what is there now, and whether that
// was written: what had been seen may be old.
func (a *Applier) Restore(ctx context.Context, last *revision.Object, content, live *unstructured.Unstructured, complete bool) (now *unstructured.Unstructured, done bool, err error) {
	ref := last.ObjectReference
	if live == nil || (!complete && drift.Concerned(a.Ignore, ref)) {
		if live, err = a.read(ctx, ref); err != nil {
			return nil, false, err
		}
		if live != nil && len(drift.Lost(last, live.GetManagedFields(), a.Ignore)) == 0 {
			return live, false, nil
		}
	}
	body := content.DeepCopy()
	a.Owner.Mark(body)
	if live == nil {
		answer, err := a.send(ctx, body)
		if err == nil && !a.Owner.Adopt && foreign(answer) {
			return nil, false, notOwned(ref)
		}
		return answer, err == nil, err
	}
	if err := a.mayWrite(live, ref); err != nil {
		return nil, false, err
	}
	body.SetUID(live.GetUID())
	body.SetResourceVersion(live.GetResourceVersion())
	drift.Yield(body, live, last.Fields, a.Ignore)
	drift.Withdraw(body, live, last.Fields)
	// All that conflicts now is what the last apply owned.
	now, err = a.send(ctx, body, client.ForceOwnership)
	return now, err == nil, err
}

// read reads an object from the API server as the account; nil if there is none.
func (a *Applier) read(ctx context.Context, ref v1alpha1.ObjectReference) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(ref.APIVersion)
	u.SetKind(ref.Kind)
	err := a.Client.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, u)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", Describe(ref), err)
	}
	return u, nil
}
