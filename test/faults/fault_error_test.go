// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// broken connections in the words of the clients.
var disconnected = []string{
	"stream error", "EOF", "connection reset", "connection refused", "client connection lost", "http2:", "use of closed network connection",
}

// errorsOf are the class b: nothing crashes, but the API server, or what is before it,
// refuses a write or does not say what became of it.
func errorsOf() []*class {
	out := []*class{
		{letter: "b", name: "reset", title: "connection reset before the write", faults: each(func(w write) *fault {
			return &fault{write: w, excuses: disconnected, strike: func(_ *harness, x *exchange) { x.abort() }}
		})},
		{letter: "b", name: "lost", title: "reply lost after the commit", faults: each(func(w write) *fault {
			return &fault{write: w, excuses: disconnected, strike: lose}
		})},
		{
			// What the manager knows is older than what it was not told.
			letter: "b", name: "lost-late", title: "reply lost after the commit, while every watch is 0.4 s late",
			workloads: []string{"update", "upgrade", "delete", "rescue"}, faults: each(func(w write) *fault {
				f := late(400 * time.Millisecond)()
				f.write, f.excuses, f.strike = w, disconnected, lose
				return f
			}),
		},
		{letter: "b", name: "504", title: "504 after the commit", faults: each(func(w write) *fault {
			return &fault{write: w, excuses: []string{faultMessage}, strike: func(_ *harness, x *exchange) {
				x.commit()
				refuse(x.answer, http.StatusGatewayTimeout)
			}}
		})},
	}
	for _, status := range []int{
		http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
	} {
		out = append(out, &class{
			letter: "b", name: strconv.Itoa(status), title: strconv.Itoa(status) + " once",
			faults: each(func(w write) *fault { return refused(w, status) }),
		})
	}
	for _, status := range []int{http.StatusForbidden, http.StatusUnprocessableEntity} {
		out = append(out, &class{
			letter: "b", name: strconv.Itoa(status), title: strconv.Itoa(status) + " until it is lifted, then a retry",
			faults: func(w *workloadCase, trace []write) []*fault {
				return each(func(w write) *fault { return permanent(w, status) })(w, slices.DeleteFunc(slices.Clone(trace), w.unrecorded))
			},
		})
	}
	return out
}

// lose lets a write be done, and breaks the connection before the reply.
func lose(_ *harness, x *exchange) {
	x.commit()
	x.abort()
}

func refused(w write, status int) *fault {
	return &fault{write: w, excuses: []string{faultMessage}, strike: func(_ *harness, x *exchange) { refuse(x.answer, status) }}
}

// retried is what a person's retry leaves behind: the request and its answer, another
// attempt, another generation.
var retried = regexp.MustCompile(`PlanExecution .* (spec requests|status requests|status phases .* attempt|metadata generation|spec trigger|status program generation|[oO]bservedGeneration)` +
	`|Instance .* (metadata (generation|annotations)|[oO]bservedGeneration|spec cleanupTimeout)|^ControllerRevision .* data (generation|trigger)|^Job `)

// unrecorded is what ends a stuck run: its revision, which must not keep anyone from
// getting out if it is refused.
func (w *workloadCase) unrecorded(at write) bool {
	return w.pinned && at == write{"POST controllerrevisions", 1}
}

// permanent refuses a write until the run has said so in the API server's words. Then
// a person asks for a retry, and touches the spec.
func permanent(w write, status int) *fault {
	f := refused(w, status)
	f.sticky, f.differs, f.slack = true, retried, patience
	switch {
	case w.key == "POST jobs": // the attempt whose Job could not be made counts
		f.differs = regexp.MustCompile(retried.String() + `|^times that jobs`)
	case w.key == "POST planexecutions", strings.HasPrefix(w.key, "PUT instances/"), strings.HasPrefix(w.key, "PUT frameworkversions/"): // not admitted yet: the touched spec is another trigger
		f.differs = regexp.MustCompile(retried.String() + `|^times that planexecutions`)
	}
	f.heal = func(ctx context.Context, h *harness, r *run) error {
		if err := h.awaitWords(ctx, r, faultMessage); err != nil {
			return err
		}
		h.proxy.lift()
		return h.askAgain(ctx, r, faultMessage)
	}
	return f
}

// awaitWords waits until the status says what stands in the way; or the log, where it is
// status that may not be written, or the end of the Instance.
func (h *harness) awaitWords(ctx context.Context, r *run, words string) error {
	last := ""
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
		var runs v1alpha1.PlanExecutionList
		if err := h.cluster.Client.List(ctx, &runs, client.InNamespace(r.namespace)); err != nil {
			return false, err
		}
		for i := range runs.Items {
			s := &runs.Items[i].Status
			last = s.Message
			if c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionStalled); c != nil && strings.Contains(c.Message, words) {
				return true, nil
			}
		}
		var instances v1alpha1.InstanceList
		if err := h.cluster.Client.List(ctx, &instances, client.InNamespace(r.namespace)); err != nil {
			return false, err
		}
		for i := range instances.Items {
			c := meta.FindStatusCondition(instances.Items[i].Status.Conditions, v1alpha1.ConditionStalled)
			if c != nil && strings.Contains(c.Message, words) {
				return true, nil
			}
		}
		raw, err := h.logSince(r.logged)
		return ownRecord(r.struck) && strings.Contains(string(raw), words), err
	})
	if err != nil {
		return fmt.Errorf("nothing says %q: %w; the last message is %q", words, err, last)
	}
	return nil
}

// ownRecord says whether a write is one of Kudo's own notes: without it there is no
// place but the log to say anything.
func ownRecord(w write) bool {
	return strings.HasSuffix(w.key, "/status") || slices.ContainsFunc([]string{
		"PATCH instances/", "DELETE planexecutions/", "DELETE controllerrevisions/",
	}, func(prefix string) bool { return strings.HasPrefix(w.key, prefix) })
}

// askAgain requests a retry of what stalled with these words, and touches the spec; where
// that would lead elsewhere, the metadata.
func (h *harness) askAgain(ctx context.Context, r *run, words string) error {
	var runs v1alpha1.PlanExecutionList
	if err := h.cluster.Client.List(ctx, &runs, client.InNamespace(r.namespace)); err != nil {
		return fmt.Errorf("listing executions: %w", err)
	}
	for i := range runs.Items {
		pe := &runs.Items[i]
		c := meta.FindStatusCondition(pe.Status.Conditions, v1alpha1.ConditionStalled)
		if pe.Status.State.Terminal() || c == nil || !strings.Contains(c.Message, words) {
			continue
		}
		base := pe.DeepCopy()
		pe.Spec.Requests = append(pe.Spec.Requests, v1alpha1.Request{ID: "again", Action: v1alpha1.ActionRetry})
		if err := client.IgnoreNotFound(h.cluster.Client.Patch(ctx, pe, client.MergeFrom(base))); err != nil {
			return fmt.Errorf("requesting a retry: %w", err)
		}
	}
	inst := newInstance(r.namespace)
	err := h.cluster.Client.Get(ctx, client.ObjectKeyFromObject(inst), inst)
	if err == nil {
		err = change(ctx, h.cluster.Client, inst, func() {
			if r.workload.pinned {
				inst.Annotations = map[string]string{"example.com/touched": "true"}
				return
			}
			inst.Spec.CleanupTimeout = &metav1.Duration{Duration: time.Hour} // as it is anyway
		})
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("touching the spec: %w", err)
	}
	return h.awaitAnswers(ctx, r)
}

// awaitAnswers waits for the end, and until the newest spec and all requests are answered.
func (h *harness) awaitAnswers(ctx context.Context, r *run) error {
	r.healed = time.Now()
	if err := r.end.wait(ctx); err != nil {
		return err
	}
	r.settled = time.Now()
	err := h.awaitCalm(ctx, 500*time.Millisecond)
	r.calm = time.Now()
	return err
}
