// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"fmt"
	"reflect"

	ctrl "sigs.k8s.io/controller-runtime"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/requeue"
)

// proceed decides and acts until nothing more can be done at once. What is about to
// be done is stored before it is done.
func (r *Reconciler) proceed(ctx context.Context, n *run) (ctrl.Result, error) {
	for {
		d := engine.Decide(n.plan.Program, n.state, n.facts, r.Clock.Now())
		n.changed = n.changed || !reflect.DeepEqual(n.state, d.State)
		n.state = d.State
		n.notes = append(n.notes, d.Notes...)
		if len(d.Effects) == 0 {
			return r.rest(ctx, n, d)
		}
		ready := r.prepare(ctx, n, d.Effects)
		if (d.WriteAhead || n.ahead) && len(ready) > 0 {
			if err := r.store(ctx, n); err != nil {
				return ctrl.Result{}, err
			}
		}
		for _, e := range ready {
			r.perform(ctx, n, e)
		}
		// What comes next must see what was just done.
		if err := r.look(ctx, n); err != nil {
			return ctrl.Result{}, err
		}
	}
}

// rest stores what changed and says when to look again.
func (r *Reconciler) rest(ctx context.Context, n *run, d engine.Decision) (ctrl.Result, error) {
	if n.changed {
		if err := r.store(ctx, n); err != nil {
			return ctrl.Result{}, err
		}
	}
	if n.state.Run.Terminal() {
		return ctrl.Result{}, nil
	}
	result := ctrl.Result{}
	if !d.Wake.IsZero() {
		result.RequeueAfter = max(d.Wake.Sub(r.Clock.Now()), requeue.Pause)
	}
	if !d.Backoff {
		n.memory.failures = 0
	} else if pause := n.memory.pause(); result.RequeueAfter == 0 || pause < result.RequeueAfter {
		result.RequeueAfter = pause
	}
	return result, nil
}

// store writes status, guarded by resourceVersion, and tells what happened.
func (r *Reconciler) store(ctx context.Context, n *run) error {
	now := r.Clock.Now()
	save(&n.pe.Status, n, now)
	if err := r.Client.Status().Update(ctx, n.pe); err != nil {
		return fmt.Errorf("writing the status of the PlanExecution: %w", err)
	}
	n.changed, n.ahead = false, false
	r.tell(ctx, n)
	return nil
}

// prepare finds out what each effect is about to write, before anything is written.
// An effect whose templates do not render has its outcome already.
func (r *Reconciler) prepare(ctx context.Context, n *run, effects []engine.Effect) []engine.Effect {
	var ready []engine.Effect
	for _, e := range effects {
		task, ok := e.(engine.TaskEffect)
		if !ok {
			ready = append(ready, e)
			continue
		}
		refs, outcome := r.prepareTask(ctx, n, task)
		if outcome.Class != engine.OutcomeNone {
			n.facts.Outcomes[task.Path] = outcome
			continue
		}
		if refs != nil {
			n.objects[task.Path] = refs
		}
		ready = append(ready, e)
	}
	return ready
}

// perform makes one effect and takes its outcome in.
func (r *Reconciler) perform(ctx context.Context, n *run, e engine.Effect) {
	switch e := e.(type) {
	case engine.TaskEffect:
		n.facts.Outcomes[e.Path] = r.explain(ctx, n, e.Path, r.performTask(ctx, n, e))
		r.Metrics.Effect(n.inputs.Framework, string(e.Kind), string(n.facts.Outcomes[e.Path].Class))
	case engine.PruneEffect:
		n.facts.Prune = r.prune(ctx, n)
	case engine.SealEffect:
		n.facts.Sealed = r.seal(ctx, n)
	default:
		panic(fmt.Sprintf("unknown effect %T", e))
	}
}

// tell makes an event and a log line of every transition.
func (r *Reconciler) tell(ctx context.Context, n *run) {
	for _, note := range n.notes {
		ctrl.LoggerFrom(ctx).Info("transition", "instance", n.instance.Name, "plan", n.pe.Spec.Plan,
			"path", note.Path, "reason", note.Reason, "message", note.Message)
		kind := "Normal"
		if note.Warning {
			kind = "Warning"
		}
		// Events that differ only in their note count as one: the action tells steps apart.
		action := "plan/" + n.pe.Spec.Plan
		if note.Path != "" {
			action = "step/" + note.Path
		}
		r.Events.Eventf(n.instance, n.pe, kind, note.Reason, action, "%s: %s", n.pe.Spec.Plan, note.Message)
	}
	n.notes = nil
	if n.state.Run.Terminal() {
		r.Metrics.PlanEnded(n.inputs.Framework, n.pe.Spec.Plan, string(n.state.Run), n.state.FinishedAt.Sub(n.state.StartedAt))
		for path, s := range n.state.Nodes {
			if _, isTask := n.plan.Tasks[path]; isTask && s.Run == v1alpha1.RunSucceeded {
				r.Metrics.TaskEnded(n.inputs.Framework, n.pe.Spec.Plan, s.FinishedAt.Sub(s.StartedAt))
			}
		}
	}
}
