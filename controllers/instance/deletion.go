// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/impersonate"
)

// gatherDeletion says whether the cleanup plan can and should run: not in a
// terminating namespace, where nothing can be created, and not past its time-out.
func (r *Reconciler) gatherDeletion(ctx context.Context, inst *v1alpha1.Instance, o *observed) error {
	terminating, err := r.terminating(ctx, inst.Namespace)
	if err != nil || terminating {
		o.facts.SkipCleanup, o.terminating = true, terminating
		return err
	}
	timeout := defaultCleanupTimeout
	if inst.Spec.CleanupTimeout != nil {
		timeout = inst.Spec.CleanupTimeout.Duration
	}
	o.wake = inst.DeletionTimestamp.Add(timeout).Sub(r.Clock.Now())
	if o.wake <= 0 {
		o.facts.SkipCleanup, o.wake = true, 0
		r.Events.Eventf(inst, nil, corev1.EventTypeWarning, v1alpha1.ReasonCleanupTimeout, "Delete",
			"the cleanup plan did not end within %s: what is left of the Instance is not cleaned up", timeout)
		return nil
	}
	if o.baseline.Completed == nil {
		// Nothing was ever whole; the wanted version may still know how to clean up.
		desired, _, err := r.desired(ctx, inst, o.baseline)
		o.facts.Desired = desired
		return err
	}
	fwv := &v1alpha1.FrameworkVersion{}
	if err := r.Client.Get(ctx, client.ObjectKey{Name: o.baseline.Completed.FrameworkVersion}, fwv); err != nil {
		return client.IgnoreNotFound(err)
	}
	version, errs := r.Versions.Compile(&fwv.Spec)
	if len(errs) > 0 || version.Plans[v1alpha1.PlanCleanup] == nil {
		return nil
	}
	o.facts.Desired = &engine.Desired{Plans: version.PlanNames, Version: version.Spec.Version}
	return nil
}

// terminating says whether the namespace of an Instance that is deleted goes too, or is
// gone: then nothing can be created in it.
func (r *Reconciler) terminating(ctx context.Context, name string) (bool, error) {
	namespace, err := r.namespace(ctx, name)
	return err == nil && (namespace == nil || namespace.DeletionTimestamp != nil), err
}

// leaving says whether the namespace of an Instance that is not deleted yet goes. What else
// stands in it goes in any order: to put it back, or to say that it is missing, would be
// refused. One that the cache does not know is new.
func (r *Reconciler) leaving(ctx context.Context, name string) (bool, error) {
	namespace, err := r.namespace(ctx, name)
	return namespace != nil && namespace.DeletionTimestamp != nil, err
}

// namespace returns the metadata of a namespace, nil if there is none.
func (r *Reconciler) namespace(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := r.Client.Get(ctx, client.ObjectKey{Name: name}, namespace)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("reading the namespace: %w", err)
	}
	return namespace, nil
}

// finish removes what the garbage collector will not: objects elsewhere, which have
// no owner reference. What can not be removed is named, and the finalizer goes.
func (r *Reconciler) finish(ctx context.Context, inst *v1alpha1.Instance, o *observed) error {
	if o.baseline.Previous != "" {
		if err := r.removeElsewhere(ctx, inst, o); err != nil {
			return err
		}
	}
	base := inst.DeepCopy()
	controllerutil.RemoveFinalizer(inst, v1alpha1.FinalizerInstance)
	err := r.Client.Patch(ctx, inst, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("removing the finalizer: %w", err)
	}
	*r.released.of(inst, kept) = true
	return nil
}

// kept is what is known of the finalizer of an Instance at first.
func kept() bool { return false }

// removeOwned removes an object if it is still the Instance's, as it is now.
func (r *Reconciler) removeOwned(ctx context.Context, applier *apply.Applier, ref v1alpha1.ObjectReference) error {
	live, err := applier.Find(ctx, ref)
	if err != nil || live == nil || !applier.Owner.Owns(live) {
		return err
	}
	ref.UID = live.GetUID()
	return applier.Delete(ctx, ref)
}

// leftBehind tells of what is not removed: in the log where the namespace goes and takes no
// event.
func (r *Reconciler) leftBehind(ctx context.Context, inst *v1alpha1.Instance, o *observed, note string) {
	if o.terminating {
		ctrl.LoggerFrom(ctx).Info("something may be left behind in other namespaces", "what", note)
		return
	}
	r.Events.Eventf(inst, nil, corev1.EventTypeWarning, "LeftBehind", "Delete", "%s", note)
}

func (r *Reconciler) removeElsewhere(ctx context.Context, inst *v1alpha1.Instance, o *observed) error {
	applied, err := r.Archive.Applied(ctx, inst.Namespace, o.baseline.Previous)
	var missing *archive.ErrMissing
	if errors.As(err, &missing) {
		r.leftBehind(ctx, inst, o, err.Error()+": objects in other namespaces are not removed")
		return nil
	}
	if err != nil {
		return err
	}
	as, err := r.Accounts.ClientFor(impersonate.Account{Namespace: inst.Namespace, Name: inst.Spec.ServiceAccountName})
	if err != nil {
		return fmt.Errorf("acting as the account: %w", err)
	}
	applier := &apply.Applier{Client: as, Reader: r.Reader, Owner: apply.Owner{Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID}}
	var left []string
	for i := len(applied.Objects) - 1; i >= 0; i-- {
		ref := applied.Objects[i].ObjectReference
		kind := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
		if ref.Namespace == inst.Namespace || apply.Outlives(kind) {
			continue
		}
		err := r.removeOwned(ctx, applier, ref)
		if apply.Classify(err).Class == engine.OutcomeTransient && !o.facts.SkipCleanup {
			return err
		}
		if err != nil {
			left = append(left, apply.Describe(ref)+" ("+err.Error()+")")
		}
	}
	if len(left) > 0 {
		r.leftBehind(ctx, inst, o, "not removed: "+strings.Join(left, "; "))
	}
	return nil
}
