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
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
)

// run is one workload in one namespace.
type run struct {
	workload  *workloadCase
	namespace string
	// what happens to it, for people; empty for a reference run.
	name string
	// problems are the violations that were found.
	problems []string
	// trace are the manager's writes.
	trace []write
	// state at the end.
	state state
	// settledAt is when the run had come to its end: no write may follow.
	settledAt time.Time
}

func (r *run) fail(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
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
	if err := tenant.Apply(ctx, h.cluster.Client); err != nil || !r.workload.deployed {
		return err
	}
	if err := h.cluster.Client.Create(ctx, newInstance(r.namespace)); err != nil {
		return fmt.Errorf("creating the Instance: %w", err)
	}
	return h.follow(ctx, &v1alpha1.InstanceList{}, r.namespace, func(e watch.Event) bool {
		inst, ok := e.Object.(*v1alpha1.Instance)
		return ok && settled(inst)
	})
}

// perform acts, lets the fault happen, starts the manager again if that was a crash, and
// looks at what it came to. The manager is ready before and after.
func (h *harness) perform(ctx context.Context, r *run, f *fault) {
	logged := h.logSize()
	fired := h.proxy.watch(r.namespace, f)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ended, err := h.act(ctx, r)
	if err != nil {
		r.fail("%v", err)
		return
	}
	if f != nil {
		err = h.outlast(ctx, f, fired, ended)
	} else {
		err = <-ended
	}
	if err != nil {
		r.fail("%v", err)
	}
	r.settledAt = time.Now()
	h.inspect(ctx, r)
	r.trace = h.proxy.writes()
	r.problems = append(r.problems, h.complaints(logged, r.namespace, f)...)
}

// outlast waits for the fault, and then for the end of the run all the same.
func (h *harness) outlast(ctx context.Context, f *fault, fired <-chan struct{}, ended <-chan error) error {
	select {
	case <-fired:
	case err := <-ended:
		if err != nil {
			return err
		}
		// The last write ends the run: the news of it may come first.
		select {
		case <-fired:
			ended = nil
		case <-time.After(time.Second):
			return fmt.Errorf("the write %s never came", f.write)
		}
	}
	if f.crash != nil {
		if err := h.start(ctx); err != nil {
			return err
		}
	}
	if ended == nil {
		return nil
	}
	return <-ended
}

// act does what the user does. The channel tells when the Instance is where it should be.
func (h *harness) act(ctx context.Context, r *run) (<-chan error, error) {
	inst := newInstance(r.namespace)
	if r.workload.deployed {
		if err := h.cluster.Client.Get(ctx, client.ObjectKeyFromObject(inst), inst); err != nil {
			return nil, fmt.Errorf("reading the Instance: %w", err)
		}
	}
	generation := inst.Generation
	seen, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		var once sync.Once
		ended <- h.follow(ctx, &v1alpha1.InstanceList{}, r.namespace, func(e watch.Event) bool {
			once.Do(func() { close(seen) })
			if r.workload.gone {
				return e.Type == watch.Deleted
			}
			inst, ok := e.Object.(*v1alpha1.Instance)
			return ok && inst.Generation > generation && settled(inst)
		})
	}()
	if r.workload.gone {
		select {
		case <-seen: // else it might be gone before anyone looks
		case <-ctx.Done():
		}
	}
	if err := r.workload.act(ctx, h.cluster.Client, inst); err != nil {
		return nil, fmt.Errorf("%s: %w", r.workload.name, err)
	}
	return ended, nil
}

// inspect takes the state of the namespace down and checks what needs no reference.
func (h *harness) inspect(ctx context.Context, r *run) {
	if err := h.awaitUsers(ctx); err != nil {
		r.fail("%v", err)
	}
	err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, 5*time.Second, true, func(ctx context.Context) (bool, error) {
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
		r.fail("looking for orphans: %v", err)
		if objects, err := h.objects(ctx, r.namespace); err == nil {
			r.problems = append(r.problems, orphans(objects)...)
		}
	}
}

// awaitUsers waits until the versions' status tells how many Instances use them.
func (h *harness) awaitUsers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var instances v1alpha1.InstanceList
	if err := h.cluster.Client.List(ctx, &instances); err != nil {
		return fmt.Errorf("listing Instances: %w", err)
	}
	users := map[string]int32{"app-1.0.0": 0, "app-2.0.0": 0}
	for i := range instances.Items {
		inst := &instances.Items[i]
		users["app-"+inst.Spec.Version]++
		if runs := inst.Status.Version; runs != "" && runs != inst.Spec.Version {
			users["app-"+runs]++ // on its way to the other
		}
	}
	right := map[string]bool{}
	err := h.follow(ctx, &v1alpha1.FrameworkVersionList{}, "", func(e watch.Event) bool {
		if fwv, ok := e.Object.(*v1alpha1.FrameworkVersion); ok {
			right[fwv.Name] = fwv.Status.Instances == users[fwv.Name]
		}
		return right["app-1.0.0"] && right["app-2.0.0"]
	})
	if err != nil {
		return fmt.Errorf("the number of users in the versions' status is not %v: %w", users, err)
	}
	return nil
}
