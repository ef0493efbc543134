// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/health"
	"kudo.dev/kudo/internal/revision"
)

func groupVersionKind(ref v1alpha1.ObjectReference) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind)
}

// observeApply judges the health of everything that an attempt applied.
func (r *Reconciler) observeApply(ctx context.Context, n *run, task *graph.Task, made *applied) engine.Outcome {
	var waiting engine.Outcome
	for i, answer := range made.answers {
		if i < len(made.tasks) {
			task = made.tasks[i]
		}
		newest, outcome := r.newest(ctx, n, answer, made.at)
		if outcome.Class == engine.OutcomeNone {
			made.answers[i] = newest
			if outcome = r.judge(n, task, newest); newest == answer && outcome.Due.IsZero() {
				outcome.Due = made.at.Add(cacheLag) // the cache may never see what was deleted at once
			}
		}
		switch outcome.Class {
		case engine.OutcomeDone, engine.OutcomeNone:
		case engine.OutcomeWaiting:
			if waiting.Class == engine.OutcomeNone {
				waiting = outcome
			}
		default:
			return outcome
		}
	}
	if waiting.Class != engine.OutcomeNone {
		return waiting
	}
	return engine.Outcome{Class: engine.OutcomeDone}
}

// newest returns the object as it is now: never older than the answer to the apply.
// What was healthy in the answer and can only change by an apply is not read again.
func (r *Reconciler) newest(ctx context.Context, n *run, answer *unstructured.Unstructured, appliedAt time.Time) (*unstructured.Unstructured, engine.Outcome) {
	ref := revision.Reference(answer)
	watched := r.Reader.IsWatched(answer.GroupVersionKind())
	if !watched && settledByAnswer(answer) {
		return answer, engine.Outcome{}
	}
	if !watched && r.unchanged(n, answer) {
		return answer.DeepCopy(), engine.Outcome{}
	}
	now, err := r.Reader.Get(ctx, n.applier.Client, ref)
	if err != nil {
		return nil, apply.Classify(err)
	}
	if now == nil || now.GetUID() != answer.GetUID() {
		if watched && older(now, answer) && r.Clock.Now().Sub(appliedAt) < cacheLag {
			return answer, engine.Outcome{}
		}
		return nil, engine.Outcome{
			Class: engine.OutcomeFailed, Reason: v1alpha1.ReasonUnhealthy,
			Message: apply.Describe(ref) + " was deleted while it was rolled out",
		}
	}
	if older(now, answer) {
		return answer, engine.Outcome{}
	}
	return now, engine.Outcome{}
}

// stalledPoll is how often an object is read that a stalled task waits for, where the
// manager does not watch it.
const stalledPoll = time.Minute

// cacheLag is how long the cache may not have seen an object that was just applied.
const cacheLag = 15 * time.Second

// older says whether the cache has not seen the answer yet.
func older(now, answer *unstructured.Unstructured) bool {
	if now == nil {
		return true
	}
	cmp, err := resourceversion.CompareResourceVersion(now.GetResourceVersion(), answer.GetResourceVersion())
	return err == nil && cmp < 0
}

// settledByAnswer says whether the answer to an apply tells all: the object has no
// status that someone else will write.
func settledByAnswer(answer *unstructured.Unstructured) bool {
	switch answer.GroupVersionKind().Group {
	case "", "rbac.authorization.k8s.io", "networking.k8s.io", "policy", "scheduling.k8s.io", "storage.k8s.io":
		return answer.GetKind() != "Pod" && answer.GetKind() != "Namespace"
	}
	return false
}

// judge applies the author's rule where there is one, else that of the kind.
func (r *Reconciler) judge(n *run, task *graph.Task, obj *unstructured.Unstructured) engine.Outcome {
	ref := revision.Reference(obj)
	declared, ready, note, err := n.version.ReadyWhen(task, n.inputs, n.identity, n.observed, obj.Object)
	switch {
	case err != nil:
		return engine.Outcome{Class: engine.OutcomeUser, Reason: v1alpha1.ReasonExpression, Message: apply.Describe(ref) + ": readyWhen: " + err.Error()}
	case declared && ready:
		return engine.Outcome{Class: engine.OutcomeDone}
	case declared:
		return engine.Outcome{
			Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Due: r.poll(n, ref),
			Message: apply.Describe(ref) + ": readyWhen is not true yet" + note,
		}
	}
	result := health.Of(obj)
	switch result.State {
	case health.Healthy:
		return engine.Outcome{Class: engine.OutcomeDone}
	case health.Failed:
		return engine.Outcome{Class: engine.OutcomeFailed, Reason: v1alpha1.ReasonUnhealthy, Message: result.Message}
	default:
		return engine.Outcome{Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Message: result.Message, Due: r.poll(n, ref)}
	}
}

// observeStalled looks whether what took too long has arrived after all, also in a
// process that did not apply it.
func (r *Reconciler) observeStalled(ctx context.Context, n *run, path string, task *graph.Task) engine.Outcome {
	reason := n.state.Node(path).Reason
	if reason != v1alpha1.ReasonTimeout && reason != v1alpha1.ReasonUnhealthy {
		return engine.Outcome{}
	}
	for _, ref := range n.objects[path] {
		if ref.UID == "" {
			return engine.Outcome{}
		}
		obj, err := r.Reader.Get(ctx, n.applier.Client, ref)
		if err != nil || obj == nil || obj.GetUID() != ref.UID {
			return engine.Outcome{}
		}
		if o := r.judge(n, task, obj); o.Class != engine.OutcomeDone {
			if !o.Due.IsZero() {
				o.Due = r.Clock.Now().Add(stalledPoll)
			}
			return engine.Outcome{Class: engine.OutcomeWaiting, Due: o.Due}
		}
	}
	return engine.Outcome{Class: engine.OutcomeDone}
}

// observeJob finds the Job of an attempt by its derived name, in every process.
func (r *Reconciler) observeJob(ctx context.Context, n *run, path string, s engine.NodeState) engine.Outcome {
	ref := v1alpha1.ObjectReference{
		APIVersion: "batch/v1", Kind: "Job", Namespace: n.pe.Namespace,
		Name: revision.JobName(n.instance.Name, n.pe.UID, path, s.Attempt),
	}
	job, err := r.Reader.Get(ctx, n.applier.Client, ref)
	if err != nil {
		return apply.Classify(err)
	}
	if job == nil {
		missing := r.missingJob(n, path, ref)
		if missing.Reason != v1alpha1.ReasonOutcomeUnknown || s.Run == v1alpha1.RunStalled {
			return missing
		}
		return r.confirmMissing(ctx, ref, missing)
	}
	if s.Run == v1alpha1.RunStalled {
		return engine.Outcome{}
	}
	if refs := n.objects[path]; len(refs) == 1 && refs[0].Name == ref.Name && refs[0].UID == "" {
		// Whoever made it was interrupted before it could say so.
		refs[0].UID, n.changed = job.GetUID(), true
	}
	result := health.Of(job)
	switch result.State {
	case health.Healthy:
		return engine.Outcome{Class: engine.OutcomeDone}
	case health.Failed:
		return engine.Outcome{Class: engine.OutcomeFailed, Reason: v1alpha1.ReasonJobFailed, Message: result.Message}
	default:
		return engine.Outcome{Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Message: result.Message}
	}
}

// confirmMissing asks the API server: a cache that is behind does not show what another
// process made.
func (r *Reconciler) confirmMissing(ctx context.Context, ref v1alpha1.ObjectReference, missing engine.Outcome) engine.Outcome {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("Job"))
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, live)
	switch {
	case apierrors.IsNotFound(err):
		return missing
	case err != nil:
		return apply.Classify(fmt.Errorf("reading %s: %w", apply.Describe(ref), err))
	}
	return engine.Outcome{
		Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Due: r.Clock.Now().Add(cacheLag),
		Message: "waiting for " + apply.Describe(ref),
	}
}

// missingJob tells a job that was never made from one that was made and removed:
// the latter may have run, so it is not made again.
func (r *Reconciler) missingJob(n *run, path string, ref v1alpha1.ObjectReference) engine.Outcome {
	for _, known := range n.objects[path] {
		if known.Name != ref.Name || known.UID == "" {
			continue
		}
		if made := n.memory.applied[engine.AttemptKey(path, n.state.Node(path).Attempt)]; made != nil && r.Clock.Now().Sub(made.at) < cacheLag {
			// If it is gone already, no event will say so again.
			return engine.Outcome{
				Class: engine.OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Due: made.at.Add(cacheLag),
				Message: "waiting for " + apply.Describe(ref),
			}
		}
		return engine.Outcome{
			Class: engine.OutcomeUser, Reason: v1alpha1.ReasonOutcomeUnknown,
			Message: apply.Describe(ref) + " was removed before its result was known: request a retry if it may run again",
		}
	}
	return engine.Outcome{}
}
