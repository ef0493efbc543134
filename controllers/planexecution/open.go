// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/impersonate"
	"kudo.dev/kudo/internal/revision"
	"kudo.dev/kudo/internal/validation"
)

// run is one execution while it is reconciled.
type run struct {
	pe       *v1alpha1.PlanExecution
	instance *v1alpha1.Instance
	// admission is how the Instance admits this execution.
	admission *v1alpha1.ActiveExecution
	version   *graph.Version
	plan      *graph.Plan
	inputs    *revision.Inputs
	identity  graph.Identity
	applier   *apply.Applier
	memory    *recollection

	state engine.State
	facts engine.Facts
	// objects that tasks write, by path.
	objects map[string][]v1alpha1.ObjectReference
	// tails of logs, by path.
	tails map[string]tail
	// rendered objects of tasks that run, by path.
	rendered map[string][]graph.Rendered
	// observed objects by the names of observations, as expressions see them.
	observed map[string]any
	// changed says that status must be written.
	changed bool
	// ahead says that it must be written before anything is done.
	ahead bool
	notes []engine.Note
}

// open reads what the run needs. It returns nil when the execution may not run yet.
func (r *Reconciler) open(ctx context.Context, pe *v1alpha1.PlanExecution) (*run, error) {
	inst, pe, err := r.admit(ctx, pe)
	if err != nil || inst == nil {
		return nil, err
	}
	n := &run{
		pe: pe.DeepCopy(), instance: inst, memory: r.memory.of(pe),
		identity: graph.Identity{Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID},
		rendered: map[string][]graph.Rendered{},
	}
	n.pe.Status.InstanceUID = inst.UID
	n.admission = held(inst, pe)
	n.pe.Status.Epoch = n.admission.Epoch
	n.state, n.objects = load(&n.pe.Status)
	n.tails = loadTails(&n.pe.Status)
	if err := r.program(ctx, n); err != nil || n.plan == nil {
		return nil, err
	}
	account := impersonate.Account{Namespace: inst.Namespace, Name: inst.Spec.ServiceAccountName}
	as, err := r.Accounts.ClientFor(account)
	if err != nil {
		return nil, fmt.Errorf("acting as the account %s: %w", inst.Spec.ServiceAccountName, err)
	}
	n.applier = &apply.Applier{Client: as, Reader: r.Reader, Ignore: inst.Spec.IgnoreFields, Owner: apply.Owner{
		Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID, Adopt: inst.Spec.Adopt,
	}}
	if err := r.secrets(ctx, n); err != nil {
		return nil, r.lost(ctx, n, err)
	}
	return n, r.gather(ctx, n)
}

// admit returns the Instance if it names this execution as the active one, and the
// execution. That the cache says so is not enough: the API server must have confirmed it to
// this process, in the answer to the write that admitted it or else in a read.
func (r *Reconciler) admit(ctx context.Context, pe *v1alpha1.PlanExecution) (*v1alpha1.Instance, *v1alpha1.PlanExecution, error) {
	inst := &v1alpha1.Instance{}
	key := client.ObjectKey{Namespace: pe.Namespace, Name: pe.Spec.Instance}
	err := r.Client.Get(ctx, key, inst)
	if apierrors.IsNotFound(err) {
		return nil, nil, r.wait(ctx, pe, v1alpha1.ReasonInstanceMissing, "the Instance "+pe.Spec.Instance+" does not exist yet")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the Instance: %w", err)
	}
	admission := held(inst, pe)
	if admission == nil {
		return nil, nil, r.wait(ctx, pe, v1alpha1.ReasonQueued, queued(pe))
	}
	if r.Lock.Confirmed(ctx, pe.UID, admission.Epoch) {
		return inst, pe, nil
	}
	live := &v1alpha1.Instance{}
	if err := r.Live.Get(ctx, key, live); err != nil {
		// One that is gone admits nothing, and the execution goes with it.
		return nil, nil, client.IgnoreNotFound(fmt.Errorf("reading the lock of the Instance: %w", err))
	}
	if admission = held(live, pe); admission == nil {
		return nil, nil, nil // the cache is behind; its next event comes here again
	}
	return r.takeOver(ctx, live, pe, admission.Epoch)
}

// takeOver reads an execution that another process may have brought further than this
// one's cache knows: what an old status announces must not be done again.
func (r *Reconciler) takeOver(ctx context.Context, inst *v1alpha1.Instance, pe *v1alpha1.PlanExecution, epoch int64) (*v1alpha1.Instance, *v1alpha1.PlanExecution, error) {
	live := &v1alpha1.PlanExecution{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(pe), live); err != nil {
		return nil, nil, client.IgnoreNotFound(fmt.Errorf("reading the PlanExecution: %w", err))
	}
	if live.UID != pe.UID || live.DeletionTimestamp != nil || live.Status.State.Terminal() {
		return nil, nil, nil
	}
	if live.ResourceVersion == pe.ResourceVersion {
		r.Lock.Confirm(pe.UID, epoch) // from now on the cache is not behind it
	}
	return inst, live, nil
}

// queued says what an execution waits for, and how a person gets it to start.
func queued(pe *v1alpha1.PlanExecution) string {
	message := "waiting until the Instance " + pe.Spec.Instance + " admits this execution"
	if pe.Spec.Preempt {
		message += ": preempt takes the place of a stalled run only; to end one that runs, request its cancel"
	}
	return message
}

// held returns how an Instance admits an execution: as the one that holds it, or as one
// that runs beside others. Nil if it does not.
func held(inst *v1alpha1.Instance, pe *v1alpha1.PlanExecution) *v1alpha1.ActiveExecution {
	for _, a := range archive.Admitted(inst) {
		if a.UID == pe.UID && (pe.Status.Epoch == 0 || pe.Status.Epoch == a.Epoch) {
			return &a
		}
	}
	return nil
}

// program finds the compiled plan, pinning the inputs first where that was not done.
func (r *Reconciler) program(ctx context.Context, n *run) error {
	var err error
	if n.pe.Status.Inputs == "" {
		if err := r.pin(ctx, n); err != nil || n.inputs == nil {
			return err
		}
	} else if n.inputs, err = r.Archive.Inputs(ctx, n.pe.Namespace, n.pe.Status.Inputs); err != nil {
		return r.lost(ctx, n, err)
	}
	n.found()
	if n.version == nil {
		if n.version, err = r.pinnedVersion(ctx, n.inputs); err != nil {
			return r.lost(ctx, n, err)
		}
	}
	if errs := validation.PlanExecution(n.pe, n.instance.DeletionTimestamp != nil, nil); len(errs) > 0 && n.state.StartedAt.IsZero() {
		return r.end(ctx, n, v1alpha1.ReasonRefused, errs.ToAggregate().Error())
	}
	n.plan = n.version.Plan(n.pe.Spec.Plan)
	if n.plan == nil {
		return r.end(ctx, n, v1alpha1.ReasonPlanMissing, fmt.Sprintf("version %s of framework %s has no plan %q",
			n.inputs.Version.Name, n.inputs.Framework, n.pe.Spec.Plan))
	}
	n.pe.Status.Program = &v1alpha1.ProgramReference{
		Version: n.inputs.Version.Name, FrameworkVersion: n.inputs.FrameworkVersion, Digest: n.inputs.Digest,
		Desired: n.inputs.Wanted(), Account: n.instance.Spec.ServiceAccountName, Lifecycle: n.plan.Lifecycle,
		Generation: n.inputs.Generation, Shared: n.plan.Shared,
	}
	return nil
}
