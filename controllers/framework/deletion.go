// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/validation"
)

// finalize removes the definition once no object of the kind is left, and then lets the
// Framework go. A definition that is not the Framework's is not touched.
func (r *Reconciler) finalize(ctx context.Context, fw *v1alpha1.Framework, f *facts) (done bool, held verdict, err error) {
	if !controllerutil.ContainsFinalizer(fw, v1alpha1.FinalizerFramework) {
		return true, verdict{}, nil
	}
	if _, err := r.watch(ctx, fw, f); err != nil {
		return false, held, err
	}
	for i := range f.strays {
		if err := r.discard(ctx, &f.strays[i]); err != nil {
			return false, held, err
		}
	}
	if !f.ours(fw) {
		base := fw.DeepCopy()
		controllerutil.RemoveFinalizer(fw, v1alpha1.FinalizerFramework)
		if err := r.Client.Patch(ctx, fw, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})); err != nil {
			return true, verdict{}, client.IgnoreNotFound(fmt.Errorf("removing the finalizer: %w", err))
		}
		return true, verdict{}, nil
	}
	held = served(fw, f)
	if f.live.DeletionTimestamp == nil {
		names, count, err := r.Installer.Left(ctx, f.live)
		if err != nil {
			return false, held, fmt.Errorf("looking for objects of the generated kind: %w", err)
		}
		if count > 0 {
			held.waits, held.stalled, held.reason = true, true, v1alpha1.ReasonInUse
			held.message = fmt.Sprintf("is deleted once the last of %d objects of kind %s is gone: %s", count, f.names.Kind, validation.Some(names, count))
			return false, held, nil
		}
		if err := r.Installer.Delete(ctx, f.live); err != nil {
			return false, held, err //nolint:wrapcheck // says what was done
		}
	}
	held.established, held.reason = false, v1alpha1.ReasonInUse
	held.message = "is deleted once " + f.live.Name + " is gone"
	return false, held, nil
}
