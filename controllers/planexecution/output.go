// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/observe"
)

// outputs evaluates what the version tells about the Instance, now that it is at rest. What
// can not be told stops nothing: an event says why.
func (r *Reconciler) outputs(ctx context.Context, n *run) engine.Outcome {
	observed := map[string]any{}
	for _, name := range n.version.OutputsNeed() {
		query, err := n.version.Query(name, n.inputs, n.identity)
		if err != nil {
			continue // the output that needs it says what is missing
		}
		seen, err := observe.Ask(ctx, n.applier.Client, n.pe.Namespace, query, observed)
		if o := apply.Classify(err); o.Class == engine.OutcomeTransient {
			return o
		}
		if err == nil {
			observed[name] = seen
		}
	}
	values, problems := n.version.Outputs(n.inputs, n.identity, observed)
	n.pe.Status.Outputs = values
	for _, text := range problems {
		r.Events.Eventf(n.instance, n.pe, corev1.EventTypeWarning, v1alpha1.ReasonExpression, "Output", "%s", text)
	}
	return engine.Outcome{}
}
