// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

// pin computes the inputs of the run from what the Instance wants now and what it
// was when it was last at rest, and stores them before anything starts.
func (r *Reconciler) pin(ctx context.Context, n *run) error {
	var runs v1alpha1.PlanExecutionList
	err := r.Client.List(ctx, &runs, client.InNamespace(n.pe.Namespace),
		client.MatchingFields{v1alpha1.IndexInstance: n.instance.Name})
	if err != nil {
		return fmt.Errorf("listing the executions of the Instance: %w", err)
	}
	baseline, err := r.Archive.Baseline(ctx, n.instance, runs.Items)
	if err != nil {
		return fmt.Errorf("finding out what the Instance was at rest: %w", err)
	}
	if n.pe.Spec.Plan == v1alpha1.PlanRollback && baseline.Completed == nil {
		return r.end(ctx, n, v1alpha1.ReasonNothingToRestore, "no plan has ever completed: there is nothing to go back to")
	}
	in, err := r.inputs(ctx, n, baseline)
	if err != nil {
		return r.lost(ctx, n, err)
	}
	name, stored, err := r.Archive.WriteInputs(ctx, n.instance, n.pe, in)
	if err != nil {
		return r.lost(ctx, n, fmt.Errorf("pinning the inputs: %w", err))
	}
	n.inputs, n.pe.Status.Inputs = stored, name
	if stored.Digest != in.Digest {
		n.version = nil // an interrupted run pinned another version
	}
	return nil
}

func (r *Reconciler) inputs(ctx context.Context, n *run, b *archive.Baseline) (*revision.Inputs, error) {
	inst := n.instance
	if engine.ForRecovery(n.pe.Spec.Trigger) && b.Completed != nil {
		return r.recoveryInputs(ctx, n, b)
	}
	switch n.pe.Spec.Plan {
	case v1alpha1.PlanRollback:
		return r.rollbackInputs(ctx, n, b)
	case v1alpha1.PlanCleanup:
		if b.Completed != nil {
			return r.cleanupInputs(ctx, n, b)
		}
	}
	fwv := &v1alpha1.FrameworkVersion{}
	version, err := r.version(ctx, inst.Spec.Framework+"-"+inst.Spec.Version, fwv)
	if err != nil {
		return nil, err
	}
	desired, digest, err := version.Desired(inst.Spec.Parameters)
	if err != nil {
		// They did when the run was created; the version is one that may be edited.
		return nil, fmt.Errorf("the parameters do not fit version %s: %w: %w", version.Spec.Version, err, errGone)
	}
	n.version = version
	in := b.Inputs(inst, version, desired, digest, archive.Asked{Plan: n.pe.Spec.Plan, Trigger: n.pe.Spec.Trigger})
	if err := r.pinContents(ctx, n, b, in); err != nil {
		return nil, err
	}
	if fwv.Spec.Development {
		return in, in.SetProgram(&fwv.Spec)
	}
	return in, nil
}

// cleanupInputs are those of what runs, not of what was wanted last.
func (r *Reconciler) cleanupInputs(ctx context.Context, n *run, b *archive.Baseline) (*revision.Inputs, error) {
	version, err := r.pinnedVersion(ctx, b.Completed)
	if err != nil {
		return nil, err
	}
	n.version = version
	return b.Cleanup(archive.Asked{Plan: n.pe.Spec.Plan, Trigger: n.pe.Spec.Trigger}, n.instance), nil
}

// rollbackInputs are those of the last completed run, as it had them: what it rendered is
// put back.
func (r *Reconciler) rollbackInputs(ctx context.Context, n *run, b *archive.Baseline) (*revision.Inputs, error) {
	version, err := r.pinnedVersion(ctx, b.Completed)
	if err != nil {
		return nil, err
	}
	n.version = version
	in := *b.Completed
	in.Plan, in.Trigger, in.Previous = n.pe.Spec.Plan, n.pe.Spec.Trigger, b.Previous
	in.Generation, in.Account = n.instance.Generation, n.instance.Spec.ServiceAccountName
	in.Base, in.Deployed, in.Contents = b.Base(), b.Whole(), b.Contents
	in.Against, err = r.wanted(ctx, n.instance)
	return &in, err
}

// recoveryInputs are those of what runs: a repair takes nothing over from a newer spec.
func (r *Reconciler) recoveryInputs(ctx context.Context, n *run, b *archive.Baseline) (*revision.Inputs, error) {
	in, err := r.cleanupInputs(ctx, n, b)
	if err != nil {
		return nil, err
	}
	in.Deployed = b.Whole()
	in.Against, err = r.wanted(ctx, n.instance)
	return in, err
}

// wanted is the digest of what the Instance wants now; empty where that can not be said.
func (r *Reconciler) wanted(ctx context.Context, inst *v1alpha1.Instance) (string, error) {
	version, err := r.version(ctx, inst.Spec.Framework+"-"+inst.Spec.Version, &v1alpha1.FrameworkVersion{})
	if errors.Is(err, errGone) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	_, digest, err := version.Desired(inst.Spec.Parameters)
	if err != nil {
		return "", nil //nolint:nilerr // parameters that do not fit are nothing that could be rolled out
	}
	return digest, nil
}

// errGone says that what a run was pinned to can not be read any more.
var errGone = errors.New("can not be run")

// version reads and compiles a FrameworkVersion.
func (r *Reconciler) version(ctx context.Context, name string, fwv *v1alpha1.FrameworkVersion) (*graph.Version, error) {
	err := r.Client.Get(ctx, client.ObjectKey{Name: name}, fwv)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("FrameworkVersion %s does not exist: %w", name, errGone)
	}
	if err != nil {
		return nil, fmt.Errorf("reading FrameworkVersion %s: %w", name, err)
	}
	version, errs := r.Versions.Compile(&fwv.Spec)
	if len(errs) > 0 {
		return nil, fmt.Errorf("FrameworkVersion %s is not valid: %w: %w", name, errs.ToAggregate(), errGone)
	}
	return version, nil
}

// pinnedVersion is the version that a run started with, as its digest says.
func (r *Reconciler) pinnedVersion(ctx context.Context, in *revision.Inputs) (*graph.Version, error) {
	spec, err := in.GetProgram()
	if err != nil {
		return nil, err
	}
	if spec != nil {
		version, errs := r.Versions.Compile(spec)
		if len(errs) > 0 {
			return nil, fmt.Errorf("the pinned program of FrameworkVersion %s is not valid: %w: %w", in.FrameworkVersion, errs.ToAggregate(), errGone)
		}
		return version, nil
	}
	fwv := &v1alpha1.FrameworkVersion{}
	version, err := r.version(ctx, in.FrameworkVersion, fwv)
	if err != nil {
		return nil, err
	}
	if version.Digest != in.Digest {
		return nil, fmt.Errorf("FrameworkVersion %s is no longer what this run started with: %w", in.FrameworkVersion, errGone)
	}
	return version, nil
}
