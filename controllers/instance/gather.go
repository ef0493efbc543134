// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/validation"
)

const (
	// refusedPause is how soon something is tried again that the API server refused.
	refusedPause = time.Minute
	// defaultCleanupTimeout is how long a deletion waits for its cleanup plan.
	defaultCleanupTimeout = time.Hour
)

// observed is what one reconciliation knows.
type observed struct {
	facts    engine.InstanceFacts
	runs     []v1alpha1.PlanExecution
	baseline *archive.Baseline
	problem  *problem
	drift    *deviation
	// terminating says that the namespace goes, with the Instance.
	terminating bool
	// broken are the recovery rules whose condition holds.
	broken []v1alpha1.BrokenRule
	// window is the longest time in which runs of recovery rules count.
	window time.Duration
	wake   time.Duration
}

// run finds an execution by UID.
func (o *observed) run(uid types.UID) *v1alpha1.PlanExecution {
	for i := range o.runs {
		if o.runs[i].UID == uid {
			return &o.runs[i]
		}
	}
	return nil
}

// epoch is the highest that an execution which is shown was admitted with.
func (o *observed) epoch() int64 {
	var epoch int64
	for i := range o.runs {
		epoch = max(epoch, o.runs[i].Status.Epoch)
	}
	return epoch
}

// problem is why there is no desired state to roll out.
type problem struct {
	reason, message string
	// waits says that it passes when something is created; else a person must change something.
	waits bool
}

// gather collects the facts that Choose decides from.
func (r *Reconciler) gather(ctx context.Context, inst *v1alpha1.Instance) (*observed, error) {
	o := &observed{}
	var list v1alpha1.PlanExecutionList
	err := r.Client.List(ctx, &list, client.InNamespace(inst.Namespace), client.MatchingFields{v1alpha1.IndexInstance: inst.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the executions of the Instance: %w", err)
	}
	for _, pe := range list.Items {
		if archive.Concerns(&pe, inst) {
			o.runs = append(o.runs, pe)
		}
	}
	if err := r.behind(ctx, inst, o); err != nil {
		return nil, err
	}
	if o.baseline, err = r.Archive.Baseline(ctx, inst, o.runs); err != nil {
		return nil, fmt.Errorf("finding out what the Instance was at rest: %w", err)
	}
	o.facts = engine.InstanceFacts{Deleting: inst.DeletionTimestamp != nil, Suspended: inst.Spec.Suspend, Now: r.Clock.Now()}
	if a := inst.Status.Active; a != nil {
		o.facts.Active = string(a.UID)
	}
	for _, s := range inst.Status.Shared {
		o.facts.Beside = append(o.facts.Beside, string(s.UID))
	}
	for i := range o.runs {
		run := archive.Run(&o.runs[i], inst)
		// One that could not pin its inputs does not say itself what it is.
		run.Shared = run.Shared || o.runs[i].Status.Program == nil && slices.Contains(o.facts.Beside, run.UID)
		o.facts.Runs = append(o.facts.Runs, run)
	}
	o.facts.Completed = o.baseline.Run()
	if o.facts.Deleting {
		r.unobserve(client.ObjectKeyFromObject(inst))
		return o, r.gatherDeletion(ctx, inst, o)
	}
	o.facts.Desired, o.problem, err = r.desired(ctx, inst, o.baseline)
	if o.facts.Desired != nil {
		for i := range o.facts.Runs {
			run := &o.facts.Runs[i]
			run.Shared = run.Shared || o.runs[i].Status.Program == nil && slices.Contains(o.facts.Desired.Shared, run.Plan)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := r.consumed(ctx, inst, o); err != nil {
		return nil, err
	}
	return o, r.incidents(ctx, inst, o)
}

// behind asks the API server for executions that the Instance admits and the cache does not
// show. One that was removed lets go of it; one that is there makes the cache too old.
func (r *Reconciler) behind(ctx context.Context, inst *v1alpha1.Instance, o *observed) error {
	for _, a := range archive.Admitted(inst) {
		if o.run(a.UID) != nil {
			continue
		}
		pe := &v1alpha1.PlanExecution{}
		err := r.Live.Get(ctx, client.ObjectKey{Namespace: inst.Namespace, Name: a.Name}, pe)
		switch {
		case err == nil && pe.UID == a.UID:
			return apierrors.NewConflict(v1alpha1.Resource("planexecutions"), a.Name, errors.New("the cache does not show it yet"))
		case client.IgnoreNotFound(err) != nil:
			return fmt.Errorf("reading the execution of plan %s that the Instance admits: %w", a.Plan, err)
		}
	}
	return nil
}

// desired is what the Instance wants now, or why that can not be rolled out.
func (r *Reconciler) desired(ctx context.Context, inst *v1alpha1.Instance, b *archive.Baseline) (*engine.Desired, *problem, error) {
	name := inst.Spec.Framework + "-" + inst.Spec.Version
	fwv := &v1alpha1.FrameworkVersion{}
	err := r.Client.Get(ctx, client.ObjectKey{Name: name}, fwv)
	if apierrors.IsNotFound(err) {
		return nil, &problem{v1alpha1.ReasonVersionMissing, "FrameworkVersion " + name + " does not exist yet", true}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading FrameworkVersion %s: %w", name, err)
	}
	version, errs := r.Versions.Compile(&fwv.Spec)
	if len(errs) > 0 {
		return nil, &problem{v1alpha1.ReasonVersionInvalid, "FrameworkVersion " + name + " is not valid: " + errs.ToAggregate().Error(), true}, nil
	}
	nested, err := validation.Nesting(inst, r.lookup(ctx, inst.Namespace))
	if err != nil {
		return nil, nil, err
	}
	if len(nested) > 0 {
		return nil, &problem{reason: v1alpha1.ReasonNested, message: nested.ToAggregate().Error()}, nil
	}
	if edited(fwv, version) {
		return nil, &problem{v1alpha1.ReasonVersionInvalid, "FrameworkVersion " + name + " is sealed and its spec was changed: put it back", true}, nil
	}
	values, digest, unfit := b.Judge(inst, version)
	if unfit != nil {
		return nil, &problem{reason: unfit.Reason, message: unfit.Message}, nil
	}
	if missing, err := r.accountMissing(ctx, inst); missing != nil || err != nil {
		return nil, missing, err
	}
	desired := b.Desired(inst, version, values, digest)
	desired.ContentPlan = version.ContentPlan(inst.Spec.OnContentChange)
	return desired, nil, nil
}

// edited says whether a sealed version is no longer what was compiled first.
func edited(fwv *v1alpha1.FrameworkVersion, version *graph.Version) bool {
	return meta.IsStatusConditionTrue(fwv.Status.Conditions, v1alpha1.ConditionSealed) &&
		fwv.Status.Digest != "" && fwv.Status.Digest != version.Digest
}

// lookup finds Instances of a namespace by name.
func (r *Reconciler) lookup(ctx context.Context, namespace string) func(string) (*v1alpha1.Instance, error) {
	return func(name string) (*v1alpha1.Instance, error) {
		found := &v1alpha1.Instance{}
		err := r.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, found)
		if apierrors.IsNotFound(err) {
			return nil, nil //nolint:nilnil // there is none
		}
		if err != nil {
			return nil, fmt.Errorf("reading the parent Instance %s: %w", name, err)
		}
		return found, nil
	}
}

// accountMissing reads whether the account exists: RBAC does not check that.
func (r *Reconciler) accountMissing(ctx context.Context, inst *v1alpha1.Instance) (*problem, error) {
	account := &metav1.PartialObjectMetadata{}
	account.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: inst.Namespace, Name: inst.Spec.ServiceAccountName}, account)
	if apierrors.IsNotFound(err) {
		return &problem{v1alpha1.ReasonAccountMissing, "the ServiceAccount " + inst.Spec.ServiceAccountName + " does not exist yet in this namespace", true}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ServiceAccount: %w", err)
	}
	return nil, nil
}
