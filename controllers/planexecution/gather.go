// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
)

// gather collects the facts that the engine decides from.
func (r *Reconciler) gather(ctx context.Context, n *run) error {
	n.facts = engine.Facts{
		Admitted: true,
		Stop:     n.admission.Stop,
		Outcomes: map[string]engine.Outcome{},
	}
	if err := r.look(ctx, n); err != nil {
		return err
	}
	if n.state.StartedAt.IsZero() {
		n.facts.Require = n.version.Require(n.plan, n.inputs, n.identity, n.observed)
	}
	if !n.plan.Lifecycle {
		n.facts.Sealed = engine.Outcome{Class: engine.OutcomeDone}
		n.facts.Prune = engine.Outcome{Class: engine.OutcomeDone}
	}
	if n.pe.Status.Applied != "" {
		n.facts.Sealed = engine.Outcome{Class: engine.OutcomeDone}
	}
	for _, q := range n.pe.Spec.Requests {
		n.facts.Requests = append(n.facts.Requests, asked(q))
	}
	for path, task := range n.plan.Tasks {
		s := n.state.Node(path)
		if (s.Run == v1alpha1.RunRunning && s.RetryAt.IsZero()) || s.Run == v1alpha1.RunStalled {
			n.facts.Outcomes[path] = r.explain(ctx, n, path, r.observe(ctx, n, path, task))
		}
	}
	return nil
}

// observe says what became of the attempt of a task, as far as is known.
func (r *Reconciler) observe(ctx context.Context, n *run, path string, task *graph.Task) engine.Outcome {
	s := n.state.Node(path)
	key := engine.AttemptKey(path, s.Attempt)
	switch task.Kind() {
	case engine.TaskWait:
		return r.observeWait(n, s, task)
	case engine.TaskJob:
		return r.observeJob(ctx, n, path, s)
	case engine.TaskDelete:
		if refs, asked := n.memory.deleted[key]; asked {
			return r.observeDelete(ctx, n, refs)
		}
	case engine.TaskRevert:
		return r.observeRevert(ctx, n, path, key)
	case engine.TaskApply, engine.TaskRestore:
		if made := n.memory.applied[key]; made != nil {
			learnUIDs(n.objects[path], made.answers)
			return r.observeApply(ctx, n, task, made)
		}
		if s.Run == v1alpha1.RunStalled {
			return r.observeStalled(ctx, n, path, task)
		}
	case engine.TaskApprove, engine.TaskManual:
	}
	return engine.Outcome{}
}

// observeWait judges a wait for a time or for an expression.
func (r *Reconciler) observeWait(n *run, s engine.NodeState, task *graph.Task) engine.Outcome {
	if w := task.Action.Wait; w.For != nil {
		due := s.AttemptAt.Add(w.For.Duration)
		if !r.Clock.Now().Before(due) {
			return engine.Outcome{Class: engine.OutcomeDone}
		}
		return engine.Outcome{
			Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Due: due,
			Message: "waiting until " + due.UTC().Format(time.RFC3339),
		}
	}
	done, note, err := n.version.Until(task, n.inputs, n.identity, n.observed)
	switch {
	case err != nil:
		return engine.Outcome{Class: engine.OutcomeUser, Reason: v1alpha1.ReasonExpression, Message: err.Error()}
	case done:
		return engine.Outcome{Class: engine.OutcomeDone}
	}
	return engine.Outcome{
		Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Due: r.Clock.Now().Add(pollEvery),
		Message: "waiting until " + task.Action.Wait.Until + note,
	}
}

// observeDelete waits until what was asked to go is gone.
func (r *Reconciler) observeDelete(ctx context.Context, n *run, refs []v1alpha1.ObjectReference) engine.Outcome {
	for _, ref := range refs {
		gone, err := n.applier.Gone(ctx, ref)
		if err != nil {
			return apply.Classify(err)
		}
		if !gone {
			return engine.Outcome{
				Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Due: r.poll(n, ref),
				Message: "waiting until " + apply.Describe(ref) + " is gone",
			}
		}
	}
	return engine.Outcome{Class: engine.OutcomeDone}
}

// pollEvery is how often an object is read that the manager does not watch.
const pollEvery = 5 * time.Second
