// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
)

// secrets makes the Secrets of generated parameters before the first effect of a run.
// Once it has started they were there, and are not looked for again. A cleanup makes none.
func (r *Reconciler) secrets(ctx context.Context, n *run) error {
	if !n.state.StartedAt.IsZero() || n.admission.Stop != "" || n.pe.Spec.Plan == v1alpha1.PlanCleanup {
		return nil
	}
	wanted := n.version.Generated(n.inputs, n.identity)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		s := wanted[name]
		err := n.applier.EnsureSecret(ctx, name, s.Parameter, s.Generate, graph.Labels(n.inputs.Framework, n.identity))
		if err != nil {
			return fmt.Errorf("parameter %s: %w", s.Parameter, err)
		}
	}
	return nil
}
