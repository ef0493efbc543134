// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/revision"
)

// act creates and discards executions, and writes the lock into next's status.
func (r *Reconciler) act(ctx context.Context, next *v1alpha1.Instance, o *observed, c engine.Choice) error {
	if len(c.Discard) > 0 {
		if err := r.current(ctx, next); err != nil {
			return err
		}
	}
	for _, run := range c.Discard {
		if err := r.discard(ctx, o.run(types.UID(run.UID))); err != nil {
			return err
		}
	}
	switch {
	case c.Stop != "":
		next.Status.Active.Stop = c.Stop
	case c.Start != nil:
		pe, err := r.create(ctx, next, c.Start)
		if err != nil {
			return err
		}
		admit(next, o, archive.Run(pe, next))
	case c.Admit != nil:
		if err := r.stillWaits(ctx, next, *c.Admit); err != nil {
			return err
		}
		admit(next, o, *c.Admit)
	case !holding(next, o):
		next.Status.Active = nil
	}
	return r.share(ctx, next, o, c)
}

// admit makes a run the one that holds the Instance.
func admit(next *v1alpha1.Instance, o *observed, run engine.Run) {
	next.Status.Active = admission(next, o, run)
}

// admission names a run as one that may do something. A new epoch is higher than any before.
func admission(next *v1alpha1.Instance, o *observed, run engine.Run) *v1alpha1.ActiveExecution {
	epoch := run.Epoch
	if a := next.Status.Active; epoch == 0 && a != nil && string(a.UID) == run.UID {
		epoch = a.Epoch // admitted already, by who knew more than this cache
	}
	if epoch == 0 {
		epoch = max(next.Status.Epoch, o.epoch())
		epoch++
	}
	next.Status.Epoch = max(next.Status.Epoch, epoch)
	return &v1alpha1.ActiveExecution{Name: run.Name, UID: types.UID(run.UID), Plan: run.Plan, Epoch: epoch}
}

// share names the runs that go on beside others: those that were admitted keep their epoch.
func (r *Reconciler) share(ctx context.Context, next *v1alpha1.Instance, o *observed, c engine.Choice) error {
	var shared []v1alpha1.ActiveExecution
	for _, run := range c.Share {
		i := slices.IndexFunc(next.Status.Shared, func(s v1alpha1.ActiveExecution) bool { return string(s.UID) == run.UID })
		if i >= 0 {
			shared = append(shared, next.Status.Shared[i])
		} else {
			if err := r.stillWaits(ctx, next, run); err != nil {
				return err
			}
			shared = append(shared, *admission(next, o, run))
		}
		if c.StopShared != "" {
			shared[len(shared)-1].Stop = c.StopShared
		}
	}
	next.Status.Shared = shared
	return nil
}

// stillWaits asks the API server for an execution that is about to be admitted: one that
// the cache shows as it was before it ran must not hold the Instance once more.
func (r *Reconciler) stillWaits(ctx context.Context, inst *v1alpha1.Instance, run engine.Run) error {
	pe := &v1alpha1.PlanExecution{}
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: inst.Namespace, Name: run.Name}, pe)
	if apierrors.IsNotFound(err) || err == nil && (string(pe.UID) != run.UID || pe.Status.Epoch != run.Epoch || pe.Status.State.Terminal()) {
		return apierrors.NewConflict(v1alpha1.Resource("planexecutions"), run.Name, errors.New("it has gone on already"))
	}
	if err != nil {
		return fmt.Errorf("reading the execution of plan %s that is next: %w", run.Plan, err)
	}
	return nil
}

// holding says whether the active execution is still there and has not ended.
func holding(inst *v1alpha1.Instance, o *observed) bool {
	a := inst.Status.Active
	if a == nil {
		return false
	}
	pe := o.run(a.UID)
	return pe != nil && !pe.Status.State.Terminal()
}

// create makes an execution under its derived name. One that exists already was made
// by an interrupted try, or by a manager that led before.
func (r *Reconciler) create(ctx context.Context, inst *v1alpha1.Instance, s *engine.Start) (*v1alpha1.PlanExecution, error) {
	if inst.DeletionTimestamp != nil {
		if err := r.stillThere(ctx, inst); err != nil {
			return nil, err
		}
	}
	controller, block := true, false
	pe := &v1alpha1.PlanExecution{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: inst.Namespace,
			Name:      revision.ExecutionName(inst.Name, inst.UID, s.Plan, s.Trigger),
			Labels: map[string]string{
				v1alpha1.LabelInstance: inst.Name, v1alpha1.LabelFramework: inst.Spec.Framework,
				v1alpha1.LabelPlan: s.Plan, v1alpha1.LabelManagedBy: v1alpha1.ManagedBy,
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: "Instance", Name: inst.Name, UID: inst.UID,
				Controller: &controller, BlockOwnerDeletion: &block,
			}},
		},
		Spec: v1alpha1.PlanExecutionSpec{Instance: inst.Name, Plan: s.Plan, Trigger: s.Trigger},
	}
	err := r.Client.Create(ctx, pe)
	if err == nil {
		return pe, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("creating the execution of plan %s: %w", s.Plan, err)
	}
	key := client.ObjectKeyFromObject(pe)
	if err := r.Live.Get(ctx, key, pe); err != nil {
		return nil, fmt.Errorf("reading the execution of plan %s, which exists: %w", s.Plan, err)
	}
	if !metav1.IsControlledBy(pe, inst) {
		return nil, fmt.Errorf("PlanExecution %s exists and does not belong to this Instance: remove it", pe.Name)
	}
	if pe.Status.State.Terminal() {
		return nil, apierrors.NewConflict(v1alpha1.Resource("planexecutions"), pe.Name, fmt.Errorf("it has ended already"))
	}
	return pe, nil
}

// stillThere asks the API server for an Instance that is being deleted: the cache may show
// it when it is gone and its cleanup is collected, and the cleanup must not run again.
func (r *Reconciler) stillThere(ctx context.Context, inst *v1alpha1.Instance) error {
	live := &v1alpha1.Instance{}
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(inst), live)
	if apierrors.IsNotFound(err) || (err == nil && live.UID != inst.UID) {
		return apierrors.NewConflict(v1alpha1.Resource("instances"), inst.Name, fmt.Errorf("it is gone already"))
	}
	if err != nil {
		return fmt.Errorf("reading the Instance that is being deleted: %w", err)
	}
	return nil
}

// current insists on an Instance that is as the API server has it: what it admits must not
// be taken for something that waits.
func (r *Reconciler) current(ctx context.Context, inst *v1alpha1.Instance) error {
	live := &v1alpha1.Instance{}
	if err := client.IgnoreNotFound(r.Live.Get(ctx, client.ObjectKeyFromObject(inst), live)); err != nil {
		return fmt.Errorf("reading the Instance of executions that nothing waits for: %w", err)
	}
	if live.UID != inst.UID || live.ResourceVersion != inst.ResourceVersion {
		return apierrors.NewConflict(v1alpha1.Resource("instances"), inst.Name, errors.New("it has gone on already"))
	}
	return nil
}

// discard removes an execution of Kudo's own as it was seen: one that has gone on since,
// under a manager that knows more, stays.
func (r *Reconciler) discard(ctx context.Context, pe *v1alpha1.PlanExecution) error {
	if pe == nil {
		return nil
	}
	err := r.Client.Delete(ctx, pe.DeepCopy(), client.Preconditions{UID: &pe.UID, ResourceVersion: &pe.ResourceVersion})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("discarding the PlanExecution %s: %w", pe.Name, err)
	}
	return nil
}
