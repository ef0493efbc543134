// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworkversion

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/authority"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/graph"
)

// status derives the version's status from its spec and from what exists beside it.
func (r *Reconciler) status(ctx context.Context, fwv *v1alpha1.FrameworkVersion, users int) error {
	s := &fwv.Status
	s.Instances = int32(users)
	version, errs := r.Versions.Compile(&fwv.Spec)
	valid := r.valid(fwv, version, errs)
	if valid.Status == metav1.ConditionTrue {
		conflict, err := r.conflict(ctx, fwv)
		if err != nil {
			return err
		}
		if conflict != nil {
			valid.Status, valid.Reason, valid.Message = metav1.ConditionFalse, v1alpha1.ReasonSchemaConflict, conflict.Error()
		}
	}
	r.set(fwv, valid)
	r.stall(fwv, valid)
	r.set(fwv, sealed(fwv))
	found, err := r.framework(ctx, fwv)
	if err != nil {
		return err
	}
	r.set(fwv, found)
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAvailable, Message: "can be used"}
	for _, c := range []metav1.Condition{found, valid} {
		if c.Status != metav1.ConditionTrue {
			ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, c.Reason, c.Message
		}
	}
	if fwv.DeletionTimestamp != nil {
		ready.Status, ready.Reason = metav1.ConditionFalse, v1alpha1.ReasonInUse
		ready.Message = fmt.Sprintf("is deleted once the last of %d Instances no longer uses it", users)
	}
	r.set(fwv, ready)
	s.ObservedGeneration = fwv.Generation
	return nil
}

// stall says, as kstatus has it, that nothing goes on without a person: tools that wait
// would wait for an invalid version without end.
func (r *Reconciler) stall(fwv *v1alpha1.FrameworkVersion, valid metav1.Condition) {
	if valid.Status == metav1.ConditionTrue {
		meta.RemoveStatusCondition(&fwv.Status.Conditions, v1alpha1.ConditionStalled)
		return
	}
	valid.Type, valid.Status = v1alpha1.ConditionStalled, metav1.ConditionTrue
	r.set(fwv, valid)
}

// valid compiles the version. A sealed one whose digest changed was edited past
// admission: what runs would not be what was reviewed.
func (r *Reconciler) valid(fwv *v1alpha1.FrameworkVersion, version *graph.Version, errs field.ErrorList) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionValid, Status: metav1.ConditionFalse}
	if len(errs) > 0 {
		c.Reason, c.Message = v1alpha1.ReasonInvalid, errs.ToAggregate().Error()
		fwv.Status.Plans, fwv.Status.Rules = nil, nil
		return c
	}
	if sealed := fwv.Status.Digest; sealed != "" && sealed != version.Digest && !fwv.Spec.Development && fwv.Status.ObservedGeneration != 0 && !r.wasDevelopment(fwv) {
		c.Reason = v1alpha1.ReasonSpecChanged
		c.Message = "the spec of this sealed version was changed: put it back, or create another version"
		return c
	}
	fwv.Status.Digest, fwv.Status.Plans = version.Digest, version.PlanNames
	fwv.Status.Rules = authority.Rules(version, r.Mapper)
	c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonValid
	c.Message = fmt.Sprintf("%d parameters, %d templates, %d plans", len(fwv.Spec.Parameters), len(fwv.Spec.Templates), len(version.PlanNames))
	if err := version.Unrendered(); err != nil {
		c.Message += "; " + err.Error()
	}
	return c
}

// conflict says why the version's parameters do not fit to those of the versions that were
// there before: one generated kind serves all of them.
func (r *Reconciler) conflict(ctx context.Context, fwv *v1alpha1.FrameworkVersion) (conflict, err error) {
	var list v1alpha1.FrameworkVersionList
	if err := r.Client.List(ctx, &list, client.MatchingFields{v1alpha1.IndexFramework: fwv.Spec.Framework}); err != nil {
		return nil, fmt.Errorf("listing the other versions: %w", err)
	}
	siblings := []*v1alpha1.FrameworkVersion{fwv}
	for i := range list.Items {
		if v := &list.Items[i]; v.Name != fwv.Name && meta.IsStatusConditionTrue(v.Status.Conditions, v1alpha1.ConditionValid) {
			siblings = append(siblings, v)
		}
	}
	return crdgen.Conflicts(siblings)[fwv.Name], nil
}

func sealed(fwv *v1alpha1.FrameworkVersion) metav1.Condition {
	if fwv.Spec.Development {
		return metav1.Condition{Type: v1alpha1.ConditionSealed, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonDevelopment,
			Message: "spec.development is true: Instances follow every edit"}
	}
	return metav1.Condition{Type: v1alpha1.ConditionSealed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSealed,
		Message: "the spec can not be changed"}
}

// wasDevelopment says whether the version was open when it was compiled last.
func (r *Reconciler) wasDevelopment(fwv *v1alpha1.FrameworkVersion) bool {
	c := meta.FindStatusCondition(fwv.Status.Conditions, v1alpha1.ConditionSealed)
	return c != nil && c.Status == metav1.ConditionFalse
}

func (r *Reconciler) framework(ctx context.Context, fwv *v1alpha1.FrameworkVersion) (metav1.Condition, error) {
	c := metav1.Condition{Type: v1alpha1.ConditionFrameworkFound, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFound, Message: "the Framework exists"}
	err := r.Client.Get(ctx, client.ObjectKey{Name: fwv.Spec.Framework}, &v1alpha1.Framework{})
	if apierrors.IsNotFound(err) {
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonFrameworkMissing
		c.Message = "the Framework " + fwv.Spec.Framework + " does not exist yet"
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("reading the Framework: %w", err)
	}
	return c, nil
}

// maxMessage is the limit of the API for the message of a condition.
const maxMessage = 32768

func (r *Reconciler) set(fwv *v1alpha1.FrameworkVersion, c metav1.Condition) {
	if len(c.Message) > maxMessage {
		c.Message = c.Message[:maxMessage]
	}
	c.ObservedGeneration = fwv.Generation
	c.LastTransitionTime = metav1.NewTime(r.Clock.Now())
	meta.SetStatusCondition(&fwv.Status.Conditions, c)
}
