// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// defaultHistory is how many ended executions of each plan are kept.
const defaultHistory = 10

// collect removes old executions that Kudo created, and their revisions: never the
// newest of a plan, nor what the current state stands on. It waits until nothing runs.
func (r *Reconciler) collect(ctx context.Context, inst *v1alpha1.Instance, o *observed) error {
	if inst.Status.Active != nil {
		return nil
	}
	keep := defaultHistory
	if inst.Spec.HistoryLimit != nil {
		keep = int(*inst.Spec.HistoryLimit)
	}
	for _, pe := range superfluous(inst, o, keep, r.Clock.Now()) {
		for _, name := range []string{pe.Status.Inputs, pe.Status.Applied} {
			if name == "" || name == o.baseline.Previous {
				continue
			}
			if err := r.Archive.Remove(ctx, inst.Namespace, name); err != nil {
				return err
			}
		}
		if err := r.discard(ctx, &pe); err != nil {
			return err
		}
	}
	return nil
}

// superfluous are the executions beyond the limit, oldest first. Those since the last
// completed one say what is unfinished: they stay. So do repairs for as long as they count
// against the limit of their rule.
func superfluous(inst *v1alpha1.Instance, o *observed, keep int, now time.Time) []v1alpha1.PlanExecution {
	byPlan := map[string][]v1alpha1.PlanExecution{}
	for _, pe := range o.runs {
		if pe.Status.State.Terminal() && metav1.IsControlledBy(&pe, inst) {
			byPlan[pe.Spec.Plan] = append(byPlan[pe.Spec.Plan], pe)
		}
	}
	var out []v1alpha1.PlanExecution
	for _, runs := range byPlan {
		slices.SortFunc(runs, func(a, b v1alpha1.PlanExecution) int { return int(b.Status.Epoch - a.Status.Epoch) })
		for _, pe := range runs[min(max(keep, 1), len(runs)):] {
			repaired := engine.ForRecovery(pe.Spec.Trigger) && pe.Status.State == v1alpha1.RunSucceeded
			if engine.ForRecovery(pe.Spec.Trigger) && now.Before(pe.CreationTimestamp.Add(o.window)) {
				continue
			}
			if done := o.baseline.Execution; done != nil && (repaired || pe.Status.Epoch < done.Epoch) {
				out = append(out, pe)
			}
		}
	}
	slices.SortFunc(out, func(a, b v1alpha1.PlanExecution) int { return int(a.Status.Epoch - b.Status.Epoch) })
	return out
}
