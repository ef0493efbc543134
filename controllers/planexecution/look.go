// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/observe"
)

// look reads what expressions need to see now, as the Instance's account, and
// evaluates the conditions that may be decided next. What can not be read is an
// error of the expression that needs it.
func (r *Reconciler) look(ctx context.Context, n *run) error {
	near := n.plan.Near(n.state)
	running := func(path string) bool {
		s := n.state.Node(path)
		return s.Run == v1alpha1.RunRunning || s.Run == v1alpha1.RunStalled || near[path]
	}
	n.observed = map[string]any{}
	for _, name := range n.version.Needed(n.plan, near, running, n.state.StartedAt.IsZero()) {
		query, err := n.version.Query(name, n.inputs, n.identity)
		if err != nil {
			continue // the expression that needs it says what is missing
		}
		seen, err := observe.Ask(ctx, n.applier.Client, n.pe.Namespace, query, n.observed)
		stopping := n.admission.Stop != ""
		if apply.Classify(err).Class == engine.OutcomeTransient && !stopping {
			return err
		}
		if err == nil {
			n.observed[name] = seen
		}
	}
	n.facts.When = n.version.Conditions(n.plan, near, n.inputs, n.identity, n.observed)
	return nil
}
