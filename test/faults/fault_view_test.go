// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

const (
	// lag is how far an API server is behind that has just been asked for the first time.
	lag = time.Second
	// calm without a write means that a run goes no further by itself.
	calm = 1500 * time.Millisecond
)

// viewed are the resources that Kudo decides from.
var viewed = []string{"instances", "planexecutions", "controllerrevisions", "statefulsets", "services", "jobs"}

// viewsOf are the class c: managers see the cluster late, or not at all.
func viewsOf() []*class {
	return []*class{
		{letter: "c", name: "late", title: "every watch 0.4 s late", faults: once(late(400 * time.Millisecond))},
		{letter: "c", name: "later", title: "every watch 5 s late", faults: once(late(5 * time.Second))},
		{letter: "c", name: "cut", title: "every watch cut with 410 at the write", faults: each(func(w write) *fault {
			return &fault{write: w, fresh: true, slack: grace, excuses: []string{faultMessage}, strike: func(h *harness, x *exchange) {
				h.proxy.views.cut()
				x.pass(x.answer)
			}}
		})},
		{letter: "c", name: "frozen", title: "one resource's watch frozen until nothing moves", faults: freezes},
		{letter: "c", name: "lagging", title: "restart against an API server that lags, with WatchList", faults: lags},
		{
			letter: "c", name: "lagging-lists", title: "restart against an API server that lags, without WatchList",
			env: []string{"KUBE_FEATURE_WatchListClient=false"}, faults: lags,
		},
	}
}

func once(f func() *fault) func(*workloadCase, []write) []*fault {
	return func(*workloadCase, []write) []*fault { return []*fault{f()} }
}

func late(by time.Duration) func() *fault {
	return func() *fault {
		return &fault{detail: "late by " + by.String(), slack: -1, begin: func(_ context.Context, h *harness, _ *run) error {
			h.proxy.views.change(func() { h.proxy.views.delay = by })
			return nil
		}}
	}
}

// freezes stop the view of one resource before the user acts. Once the run goes no
// further, or has ended all the same, the view comes back.
func freezes(*workloadCase, []write) []*fault {
	var out []*fault
	for _, resource := range viewed {
		out = append(out, &fault{
			detail: resource,
			begin: func(_ context.Context, h *harness, _ *run) error {
				h.proxy.views.change(func() { h.proxy.views.frozen[resource] = true })
				return nil
			},
			heal: func(ctx context.Context, h *harness, _ *run) error {
				err := h.awaitCalm(ctx, calm)
				h.proxy.views.reset()
				return err
			},
		})
	}
	return out
}

// lags kill the manager after each write, and start another that is shown how things
// were at an earlier one, as far as it does not insist on the present.
func lags(w *workloadCase, trace []write) []*fault {
	names := sorted(trace)
	chance := dice("lags " + w.name)
	var out []*fault
	for i, at := range trace {
		resource := "" // all of them
		if chance.IntN(2) == 0 {
			resource = viewed[chance.IntN(len(viewed))]
		}
		f := lagging(trace[chance.IntN(i+1)], at, resource)
		f.id = strconv.Itoa(slices.Index(names, at) + 1)
		out = append(out, f)
	}
	return out
}

func lagging(shown, at write, resource string) *fault {
	f := killAfter(at)
	f.detail = strings.TrimSpace("shown as at " + shown.String() + " " + resource)
	f.begin = func(ctx context.Context, h *harness, r *run) (err error) {
		r.past, err = h.present(ctx)
		h.proxy.mark(shown, func() {
			if past, err := h.present(ctx); err == nil {
				r.past = past
			}
		})
		return err
	}
	f.heal = func(ctx context.Context, h *harness, r *run) error {
		h.proxy.views.change(func() { h.proxy.views.past, h.proxy.views.pastOf, h.proxy.views.delay = r.past, resource, lag })
		if err := h.start(ctx); err != nil {
			return err
		}
		// Also where the run has ended already: what it believes now must do no harm.
		time.Sleep(2 * lag)
		h.proxy.views.reset()
		return nil
	}
	return f
}

// present is the resourceVersion of this moment.
func (h *harness) present(ctx context.Context) (string, error) {
	var list v1alpha1.InstanceList
	if err := h.cluster.Client.List(ctx, &list, client.Limit(1)); err != nil {
		return "", fmt.Errorf("asking for the present resourceVersion: %w", err)
	}
	return list.ResourceVersion, nil
}

// awaitCalm waits until no write has come for a while.
func (h *harness) awaitCalm(ctx context.Context, quiet time.Duration) error {
	for last, since := -1, time.Now(); time.Since(since) < quiet; {
		if n := len(h.proxy.writes()); n != last {
			last, since = n, time.Now()
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting until nothing moves: %w", ctx.Err())
		}
	}
	return nil
}
