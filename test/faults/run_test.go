// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/install"
)

// run is one workload in one namespace.
type run struct {
	workload  *workloadCase
	namespace string
	// what happens to it, for people; empty for a reference run.
	name string
	// problems are the violations that were found.
	problems []problem
	// log are the managers' writes.
	log []record
	// state at the end.
	state state
	// took is how long it was from the user's move to the end, or since the last fault was over.
	took time.Duration
	// acted is when the user moved, settled when the run had come to its end, calm since when
	// no write may follow.
	acted, settled, calm time.Time

	// logged is where its part of the manager's log begins.
	logged int64
	// end, healed and struck are for faults: its end, when they were over, and their write.
	end    *end
	healed time.Time
	struck write
	// stale is the fault's.
	stale bool
	// past is a resourceVersion to be shown later.
	past string
	// after is called when all is over.
	after []func()
}

// problem is a violation of one of the rules of the oracle.
type problem struct{ rule, text string }

// The rules, as in the table.
const (
	ruleEnd    = "not converged"
	ruleState  = "state differs"
	ruleEffect = "effect repeated"
	ruleSafety = "unsafe"
	ruleQuiet  = "not at rest"
	ruleLog    = "complaint"
)

func (p problem) String() string { return p.rule + ": " + p.text }

func (r *run) fail(rule, format string, args ...any) {
	r.problems = append(r.problems, problem{rule, fmt.Sprintf(format, args...)})
}

func (r *run) add(rule string, texts []string) {
	for _, text := range texts {
		r.fail(rule, "%s", text)
	}
}

// trace are the writes of a run, in their order.
func (r *run) trace() []write {
	out := make([]write, 0, len(r.log))
	for i := range r.log {
		out = append(out, r.log[i].write)
	}
	return out
}

// prepare brings runs to where their fault can begin: namespaces with their accounts,
// and Instances that are rolled out where the workload starts from there.
func (h *harness) prepare(ctx context.Context, runs []*run) error {
	const parallel = 6
	queue := make(chan *run)
	errs := make(chan error, len(runs))
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for r := range queue {
				if err := h.prepareOne(ctx, r); err != nil {
					errs <- fmt.Errorf("preparing %s: %w", r.namespace, err)
				}
			}
		})
	}
	for _, r := range runs {
		queue <- r
	}
	close(queue)
	workers.Wait()
	close(errs)
	if err := <-errs; err != nil {
		return err
	}
	return h.awaitUsers(ctx)
}

func (h *harness) prepareOne(ctx context.Context, r *run) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	tenant := install.Tenant{Namespace: r.namespace, Account: account, Rules: h.rules}
	if err := tenant.Apply(ctx, h.cluster.Client); err != nil {
		return err
	}
	for i := range r.workload.before {
		inst := r.workload.first(r.namespace)
		if i > 0 {
			if err := h.cluster.Client.Get(ctx, client.ObjectKeyFromObject(inst), inst); err != nil {
				return fmt.Errorf("reading the Instance: %w", err)
			}
		}
		e, err := h.move(ctx, &r.workload.before[i], inst)
		if err != nil {
			return err
		}
		if err := e.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// perform acts, lets the fault happen, heals it, and looks at what it came to. A manager
// is ready before and after.
func (h *harness) perform(ctx context.Context, r *run, f *fault) {
	limit := patience
	if f != nil {
		limit += max(f.slack, 0)
		if f.slack < 0 {
			limit = 4 * patience
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r.stale = f != nil && f.stale
	if f != nil && f.fresh {
		if err := h.kill(); err != nil {
			r.fail(ruleEnd, "%v", err)
		}
	}
	if err := h.ensure(ctx); err != nil {
		r.fail(ruleEnd, "%v", err)
		return
	}
	r.logged = h.logSize()
	chain := h.proxy.watch(r.namespace, f)
	if err := h.play(ctx, r, chain); err != nil {
		r.fail(ruleEnd, "%v", err)
	}
	if r.settled.IsZero() {
		r.settled = time.Now()
		r.calm = r.settled
	}
	r.took = r.settled.Sub(r.healed)
	for _, f := range r.after {
		f()
	}
	h.proxy.views.reset()
	if err := h.killSecond(); err != nil {
		r.fail(ruleEnd, "%v", err)
	}
	looking, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	h.inspect(looking, r)
	r.log = h.proxy.log()
	r.add(ruleLog, h.complaints(r.logged, r.namespace, f))
}

// play makes the user's move and lets one fault after the other happen.
func (h *harness) play(ctx context.Context, r *run, chain []*armed) error {
	for _, a := range chain {
		if a.begin != nil {
			if err := a.begin(ctx, h, r); err != nil {
				return err
			}
		}
	}
	var err error
	r.acted = time.Now()
	if r.end, err = h.act(ctx, r); err != nil {
		return err
	}
	r.healed = time.Now()
	for i, a := range chain {
		struck, err := a.outlast(ctx, r)
		if err != nil {
			return err
		}
		if !struck {
			break
		}
		if i+1 < len(chain) {
			h.proxy.arm(chain[i+1])
		}
		if a.heal != nil {
			if err := a.heal(ctx, h, r); err != nil && (i+1 == len(chain) || !chain[i+1].hasFired()) {
				return err
			}
		}
		if r.settled.IsZero() {
			r.healed = time.Now()
		}
	}
	return r.end.wait(ctx)
}

// outlast waits until a fault has struck. One that is optional may not.
func (a *armed) outlast(ctx context.Context, r *run) (struck bool, err error) {
	if a.strike == nil {
		return true, nil
	}
	r.struck = a.write
	select {
	case <-a.fired:
		return true, nil
	case <-ctx.Done():
	case <-r.end.done:
		// The last write ends the run: the news of it may come first.
		select {
		case <-a.fired:
			return true, nil
		case <-time.After(time.Second):
		}
	}
	switch {
	case r.end.err != nil:
		return false, r.end.err
	case a.optional:
		return false, nil
	}
	return false, fmt.Errorf("the write %s never came", a.write)
}

// inspect takes the state of the namespace down and checks what needs no reference.
func (h *harness) inspect(ctx context.Context, r *run) {
	if err := h.awaitUsers(ctx); err != nil {
		r.fail(ruleEnd, "%v", err)
	}
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		objects, err := h.objects(ctx, r.namespace)
		if err != nil {
			return false, err
		}
		if r.state, err = newState(r.namespace, objects); err != nil {
			return false, err
		}
		// The player collects what has lost its owner, in its own time.
		return len(orphans(objects)) == 0, nil
	})
	if err != nil {
		r.fail(ruleState, "looking for orphans: %v", err)
		if objects, err := h.objects(ctx, r.namespace); err == nil {
			r.add(ruleState, orphans(objects))
		}
	}
}
