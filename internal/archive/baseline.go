// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
)

// Baseline is what an Instance was when it was last at rest, and what was tried since.
type Baseline struct {
	// Completed are the inputs of the last lifecycle run that succeeded; nil before the first.
	Completed *revision.Inputs
	// Execution is that run, as far as it still exists.
	Execution *v1alpha1.CompletedExecution
	// Previous names the newest applied revision; empty before the first.
	Previous string
	// Contents are what its pods consume, as that run took it over; nil if it did not look.
	Contents []revision.Content
	// Touched are the parameters that runs since then changed without success.
	Touched map[string]bool
}

// Baseline derives it from the Instance's executions; where the last completed one
// was deleted, from the Instance's status.
func (a *Archive) Baseline(ctx context.Context, inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution) (*Baseline, error) {
	b := &Baseline{Touched: map[string]bool{}, Execution: inst.Status.LastCompleted.DeepCopy()}
	newest := int64(-1)
	if b.Execution != nil {
		b.Previous, newest = b.Execution.Applied, b.Execution.Epoch
	}
	for _, r := range runs {
		s := r.Status
		if s.InstanceUID != inst.UID || s.Program == nil || !s.Program.Lifecycle {
			continue
		}
		if completes(&r) && (b.Execution == nil || s.Epoch > b.Execution.Epoch) {
			b.Execution = &v1alpha1.CompletedExecution{Name: r.Name, UID: r.UID, Epoch: s.Epoch, Inputs: s.Inputs, Applied: s.Applied}
		}
		if s.Applied != "" && s.Epoch > newest {
			b.Previous, newest = s.Applied, s.Epoch
		}
	}
	if b.Execution == nil {
		return b, nil
	}
	var err error
	b.Completed, err = a.Inputs(ctx, inst.Namespace, b.Execution.Inputs)
	var missing *ErrMissing
	if errors.As(err, &missing) {
		// Without it nothing is known to be rolled out: deploy again.
		return &Baseline{Previous: b.Previous, Touched: b.Touched}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := a.contents(ctx, inst, b); err != nil {
		return nil, err
	}
	return b, a.touched(ctx, inst, runs, b)
}

// contents completes what the last completed run took over with what it found later.
func (a *Archive) contents(ctx context.Context, inst *v1alpha1.Instance, b *Baseline) error {
	if !b.Completed.Tracked {
		return nil
	}
	b.Contents = revision.OverlayContents(b.Completed.Contents, nil)
	if b.Execution.Applied == "" {
		return nil
	}
	applied, err := a.Applied(ctx, inst.Namespace, b.Execution.Applied)
	var missing *ErrMissing
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return err
	}
	b.Contents = revision.OverlayContents(b.Contents, applied.Late)
	return nil
}

// completes says whether a run left the Instance whole. What ran because another run
// failed did not, unless it went back to what was whole; nor what repaired something: it
// took nothing over.
func completes(r *v1alpha1.PlanExecution) bool {
	return r.Status.State == v1alpha1.RunSucceeded && !engine.ForRecovery(r.Spec.Trigger) &&
		(r.Spec.Plan == v1alpha1.PlanRollback || !strings.HasPrefix(r.Spec.Trigger, engine.TriggerOnFailure))
}

func (a *Archive) touched(ctx context.Context, inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution, b *Baseline) error {
	for _, r := range runs {
		s := r.Status
		if s.InstanceUID != inst.UID || s.Program == nil || !s.Program.Lifecycle || s.StartedAt == nil ||
			s.Epoch <= b.Execution.Epoch || completes(&r) || s.Inputs == "" {
			continue
		}
		in, err := a.Inputs(ctx, inst.Namespace, s.Inputs)
		var missing *ErrMissing
		if errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return err
		}
		for _, name := range in.Changed {
			b.Touched[name] = true
		}
	}
	return nil
}

// Changed names the parameters that differ from the last completed run, or that a
// run touched since without success, sorted.
func (b *Baseline) Changed(schema *params.Schema, desired params.Values) []string {
	if b.Completed == nil {
		return nil
	}
	changed := map[string]bool{}
	for name, differs := range schema.Changed(params.Values(b.Completed.Params), desired) {
		if differs {
			changed[name] = true
		}
	}
	for _, name := range schema.Names() {
		if b.Touched[name] {
			changed[name] = true
		}
	}
	return slices.Sorted(maps.Keys(changed))
}
