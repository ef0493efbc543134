// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/projection"
	"kudo.dev/kudo/internal/requeue"
)

// refusedPause is how soon something is tried again that the API server refused.
const refusedPause = time.Minute

// Projector turns objects of generated kinds into Instances, and tells how those are.
type Projector struct {
	// Client reads from the manager's cache and writes Instances.
	Client client.Client
	// Cache reads workloads from the manager's cache.
	Cache  client.Reader
	Kinds  *Kinds
	Events events.EventRecorder
	Clock  clock.PassiveClock
}

// Reconcile makes the Instance what the object says, and the object's status what became
// of it: at most one write to each.
func (p *Projector) Reconcile(ctx context.Context, req Object) (ctrl.Result, error) {
	k := p.Kinds.of(req.Framework)
	if k == nil {
		return ctrl.Result{}, nil // the objects are listed when the watch starts
	}
	typed, err := k.get(req.NamespacedName)
	if typed == nil || err != nil {
		return ctrl.Result{}, err
	}
	inst, err := p.instance(ctx, k, typed)
	if err != nil {
		return ctrl.Result{}, err
	}
	if typed.GetDeletionTimestamp() != nil {
		return requeue.OnConflict(p.release(ctx, k, typed, inst))
	}
	if typed, err = p.hold(ctx, k, typed); err != nil {
		return requeue.OnConflict(err)
	}
	inst, problem, err := p.project(ctx, k, typed, inst)
	if err != nil {
		return requeue.OnConflict(err)
	}
	if problem != nil {
		if err := p.report(ctx, k, typed, problem); err != nil {
			return requeue.OnConflict(err)
		}
		return problem.again, nil
	}
	return requeue.OnConflict(p.mirror(ctx, k, typed, inst))
}

// instance reads the object's Instance; nil if there is none.
func (p *Projector) instance(ctx context.Context, k *kind, typed *unstructured.Unstructured) (*v1alpha1.Instance, error) {
	inst := &v1alpha1.Instance{}
	key := types.NamespacedName{Namespace: typed.GetNamespace(), Name: crdgen.InstanceName(k.Singular, typed.GetName())}
	err := p.Client.Get(ctx, key, inst)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("reading the Instance of %s %s: %w", k.Singular, typed.GetName(), err)
	}
	return inst, nil
}

// problem is why an object has no Instance that does what it says.
type problem struct {
	reason, message string
	again           ctrl.Result
}

// project makes the Instance what the object says.
func (p *Projector) project(ctx context.Context, k *kind, typed *unstructured.Unstructured, inst *v1alpha1.Instance) (*v1alpha1.Instance, *problem, error) {
	want, err := projection.Instance(k.framework, &k.GeneratedKind, typed)
	if err != nil {
		return nil, &problem{reason: v1alpha1.ReasonRefused, message: err.Error()}, nil //nolint:nilerr // told in the status
	}
	switch {
	case inst == nil:
		return p.create(ctx, k, typed, want)
	case !metav1.IsControlledBy(inst, typed):
		if !want.Spec.Adopt || !adoptable(inst, want) {
			return nil, &problem{reason: v1alpha1.ReasonNotOwned, message: "Instance " + inst.Name +
				" exists and was not made from this object: " + remedy(inst, want)}, nil
		}
		next := projection.Adopt(inst, want)
		next.OwnerReferences = append(next.OwnerReferences, want.OwnerReferences...)
		return p.update(ctx, next)
	case inst.DeletionTimestamp != nil:
		return inst, nil, nil
	case projection.TakenFrom(inst, typed.GetUID()) > typed.GetGeneration():
		return nil, nil, nil // an older object than one that was seen before says nothing
	}
	next, changed := projection.Update(inst, want)
	if !changed {
		return inst, nil, nil
	}
	return p.update(ctx, next)
}

func remedy(inst, want *v1alpha1.Instance) string {
	if adoptable(inst, want) {
		return "set spec.adopt to take it over, or delete it"
	}
	return "delete it, or give this object another name"
}

// adoptable says whether an Instance of nobody's may become that of an object.
func adoptable(inst, want *v1alpha1.Instance) bool {
	return inst.Spec.Framework == want.Spec.Framework && metav1.GetControllerOf(inst) == nil
}

func (p *Projector) create(ctx context.Context, k *kind, typed *unstructured.Unstructured, want *v1alpha1.Instance) (*v1alpha1.Instance, *problem, error) {
	err := p.Client.Create(ctx, want)
	switch {
	case err == nil:
		p.Events.Eventf(typed, want, corev1.EventTypeNormal, "Created", "Project", "made Instance %s", want.Name)
		return want, nil, nil
	case apierrors.IsAlreadyExists(err):
		// The cache has not seen it yet: it is judged once it has.
		return nil, nil, apierrors.NewConflict(v1alpha1.Resource("instances"), want.Name, err)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil, nil, nil
	}
	refused, err := refusal(err, "creating the Instance of "+k.Singular+" "+typed.GetName())
	return nil, refused, err
}

func (p *Projector) update(ctx context.Context, next *v1alpha1.Instance) (*v1alpha1.Instance, *problem, error) {
	err := p.Client.Update(ctx, next)
	if err == nil {
		return next, nil, nil
	}
	refused, err := refusal(err, "updating Instance "+next.Name)
	return nil, refused, err
}

// refusal tells what a person must change from what passes by itself.
func refusal(err error, doing string) (*problem, error) {
	if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err) {
		return &problem{reason: v1alpha1.ReasonRefused, message: err.Error(), again: ctrl.Result{RequeueAfter: refusedPause}}, nil
	}
	return nil, fmt.Errorf("%s: %w", doing, err)
}

// report writes why there is no Instance that does what the object says.
func (p *Projector) report(ctx context.Context, k *kind, typed *unstructured.Unstructured, why *problem) error {
	old, err := projection.StatusOf(typed)
	if err != nil {
		return err
	}
	next := projection.Problem(old, typed.GetGeneration(), why.reason, why.message, metav1.NewTime(p.Clock.Now()))
	wrote, err := p.store(ctx, k, typed, next)
	if wrote {
		p.Events.Eventf(typed, nil, corev1.EventTypeWarning, why.reason, "Project", "%s", why.message)
	}
	return err
}

// mirror writes how the Instance is, once its controller has seen its newest spec.
func (p *Projector) mirror(ctx context.Context, k *kind, typed *unstructured.Unstructured, inst *v1alpha1.Instance) error {
	if inst == nil || !projection.Settled(inst) {
		return nil
	}
	old, err := projection.StatusOf(typed)
	if err != nil {
		return err
	}
	run, err := p.run(ctx, inst)
	if err != nil {
		return err
	}
	next := projection.Mirror(old, typed.GetGeneration(), inst, run)
	if k.replicas != "" && projection.Rolled(inst) {
		if n := projection.Replicas(inst, k.replicas); n != nil {
			next.Replicas = n
		}
		if next.Selector, err = p.selector(ctx, inst); err != nil {
			return err
		}
	}
	_, err = p.store(ctx, k, typed, next)
	return err
}

// run is the execution that holds an Instance; nil if there is none.
func (p *Projector) run(ctx context.Context, inst *v1alpha1.Instance) (*v1alpha1.PlanExecution, error) {
	a := inst.Status.Active
	if a == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	pe := &v1alpha1.PlanExecution{}
	if err := p.Client.Get(ctx, client.ObjectKey{Namespace: inst.Namespace, Name: a.Name}, pe); err != nil {
		return nil, client.IgnoreNotFound(fmt.Errorf("reading the execution of the Instance: %w", err))
	}
	return pe, nil
}

// store writes status where it differs, and says whether it did.
func (p *Projector) store(ctx context.Context, k *kind, typed *unstructured.Unstructured, next v1alpha1.TypedStatus) (bool, error) {
	status, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&next)
	if err != nil {
		return false, fmt.Errorf("writing the status of %s %s: %w", k.Singular, typed.GetName(), err)
	}
	if stored, _ := typed.Object["status"].(map[string]any); equality.Semantic.DeepEqual(stored, status) {
		return false, nil
	}
	changed := typed.DeepCopy()
	changed.Object["status"] = status
	answer, err := k.resource.Namespace(typed.GetNamespace()).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	if err != nil {
		return false, client.IgnoreNotFound(fmt.Errorf("writing the status of %s %s: %w", k.Singular, typed.GetName(), err))
	}
	k.wrote(answer)
	return true, nil
}
