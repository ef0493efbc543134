// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/health"
	"kudo.dev/kudo/internal/revision"
)

const (
	// firstLook is how long an attempt may take before anyone asks why. The pause
	// doubles with each look, so that a long wait costs few requests.
	firstLook = 30 * time.Second
	maxLooks  = 10
	// lookTimeout bounds one look: a kubelet that does not answer must not hold the run.
	lookTimeout = 10 * time.Second
	// lookLimit bounds how many pods or events are read.
	lookLimit = 500
	// Bounds of the two halves of a message.
	maxStatus, maxCause = 400, 500
)

// finding is why the objects of an attempt are not healthy, as far as is known.
type finding struct {
	looks int
	// next is when to look again; zero for never.
	next time.Time
	// final says that the end of the attempt was looked into.
	final bool
	cause string
}

// explain adds to an outcome why a workload is not healthy. It looks when an attempt
// ends, and seldom while one waits; whatever can not be read leaves the outcome as it is.
func (r *Reconciler) explain(ctx context.Context, n *run, path string, o engine.Outcome) engine.Outcome {
	s, task := n.state.Node(path), n.plan.Tasks[path]
	if s.Run != v1alpha1.RunRunning || (o.Class != engine.OutcomeWaiting && o.Class != engine.OutcomeFailed) {
		return o
	}
	sick := r.sick(ctx, n, path, task, s.Attempt)
	if sick == nil {
		return o
	}
	f, now := n.memory.finding(engine.AttemptKey(path, s.Attempt)), r.Clock.Now()
	if f.looks == 0 && f.next.IsZero() {
		f.next = s.AttemptAt.Add(firstLook)
	}
	ends := o.Class == engine.OutcomeFailed || !now.Before(s.AttemptAt.Add(n.plan.Timeout(path)))
	if due := !f.next.IsZero() && !now.Before(f.next); (ends && !f.final) || due {
		f.final = ends
		f.schedule(now)
		r.investigate(ctx, n, path, sick, f)
	}
	if f.cause != "" {
		o.Message = engine.Brief(o.Message, maxStatus) + "; " + engine.Brief(f.cause, maxCause)
	}
	if o.Class == engine.OutcomeWaiting && !f.next.IsZero() && (o.Due.IsZero() || f.next.Before(o.Due)) {
		o.Due = f.next
	}
	return o
}

// finding of an attempt.
func (r *recollection) finding(key string) *finding {
	if r.found[key] == nil {
		r.found[key] = &finding{}
	}
	return r.found[key]
}

func (f *finding) schedule(now time.Time) {
	f.looks++
	f.next = time.Time{}
	if f.looks < maxLooks {
		f.next = now.Add(firstLook << f.looks)
	}
}

// sick is the first workload of an attempt that is not healthy, as it was last seen.
func (r *Reconciler) sick(ctx context.Context, n *run, path string, task *graph.Task, attempt int32) *unstructured.Unstructured {
	var candidates []*unstructured.Unstructured
	switch task.Kind() {
	case engine.TaskApply, engine.TaskRestore, engine.TaskRevert:
		if made := n.memory.applied[engine.AttemptKey(path, attempt)]; made != nil {
			candidates = made.answers
		}
	case engine.TaskJob:
		job, err := r.Reader.Get(ctx, n.applier.Client, v1alpha1.ObjectReference{
			APIVersion: "batch/v1", Kind: "Job", Namespace: n.pe.Namespace,
			Name: revision.JobName(n.instance.Name, n.pe.UID, path, attempt),
		})
		if err == nil && job != nil {
			candidates = append(candidates, job)
		}
	case engine.TaskDelete, engine.TaskWait, engine.TaskApprove, engine.TaskManual:
	}
	for _, o := range candidates {
		if !health.Explainable(o.GroupVersionKind().GroupKind()) || o.GetNamespace() != n.pe.Namespace {
			continue
		}
		if state := health.Of(o).State; state == health.Progressing || state == health.Failed {
			return o
		}
	}
	return nil
}

// investigate reads, as the account, what tells why a workload is not healthy. What was
// found earlier stays if there is nothing to see any more.
func (r *Reconciler) investigate(ctx context.Context, n *run, path string, sick *unstructured.Unstructured, f *finding) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	suspect, err := r.suspect(ctx, n, sick)
	if err != nil {
		f.cause = r.unknown(ctx, n, "list pods", err)
		return
	}
	var events []corev1.Event
	for _, s := range health.Subjects(sick, suspect) {
		var list corev1.EventList
		err := n.applier.Client.List(ctx, &list, client.InNamespace(n.pe.Namespace), client.Limit(lookLimit),
			client.MatchingFields{"involvedObject.kind": s.Kind, "involvedObject.name": s.Name})
		if err != nil {
			f.cause = r.unknown(ctx, n, "list events", err)
		}
		events = append(events, list.Items...)
	}
	cause := health.Explain(sick, suspect, events)
	if cause.Message == "" {
		return
	}
	f.cause = cause.Message
	if cause.Log != nil {
		f.cause += r.keepTail(ctx, n, path, *cause.Log)
	}
}

// suspect reads the pods of a workload and picks the one that tells most.
func (r *Reconciler) suspect(ctx context.Context, n *run, sick *unstructured.Unstructured) (*corev1.Pod, error) {
	if pod := health.AsPod(sick); pod != nil {
		return pod, nil
	}
	selector := health.PodSelector(sick)
	if selector == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	var pods corev1.PodList
	err := n.applier.Client.List(ctx, &pods, client.InNamespace(n.pe.Namespace), client.MatchingLabelsSelector{Selector: selector}, client.Limit(lookLimit))
	if err != nil {
		return nil, err
	}
	return health.Suspect(sick, pods.Items), nil
}

// unknown says why it is not known why, if a person can do something about it.
func (r *Reconciler) unknown(ctx context.Context, n *run, verb string, err error) string {
	if apierrors.IsForbidden(err) {
		return fmt.Sprintf("why is not known: the account %s may not %s: grant it the FrameworkVersion's status.rules",
			n.instance.Spec.ServiceAccountName, verb)
	}
	ctrl.LoggerFrom(ctx).V(1).Info("can not tell why a workload is not healthy", "doing", verb, "error", err.Error())
	return ""
}
