// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// end is that of a run, which may be a while off.
type end struct {
	done chan struct{}
	err  error
}

// wait returns once the run has ended, or will not.
func (e *end) wait(ctx context.Context) error {
	select {
	case <-e.done:
		return e.err
	case <-ctx.Done():
	}
	// Who waits for it knows what was seen last.
	select {
	case <-e.done:
		return fmt.Errorf("the run does not end: %w", errors.Join(ctx.Err(), e.err))
	case <-time.After(time.Second):
		return fmt.Errorf("the run does not end: %w", ctx.Err())
	}
}

// act does what the user does, and returns how to learn of the end.
func (h *harness) act(ctx context.Context, r *run) (*end, error) {
	inst := r.workload.first(r.namespace)
	if len(r.workload.before) > 0 {
		if err := h.cluster.Client.Get(ctx, client.ObjectKeyFromObject(inst), inst); err != nil {
			return nil, fmt.Errorf("reading the Instance: %w", err)
		}
	}
	return h.move(ctx, &r.workload.move, inst)
}

// move makes one move of a user.
func (h *harness) move(ctx context.Context, m *move, inst *v1alpha1.Instance) (*end, error) {
	generation, namespace := inst.Generation, inst.Namespace
	if err := m.act(ctx, h.cluster.Client, inst); err != nil {
		return nil, err
	}
	e := &end{done: make(chan struct{})}
	go func() {
		defer close(e.done)
		e.err = h.awaitEnd(ctx, m, namespace, generation)
	}()
	return e, nil
}

// awaitEnd waits for the end of a move, also beyond the end of an API server.
func (h *harness) awaitEnd(ctx context.Context, m *move, namespace string, generation int64) error {
	if m.gone {
		return h.awaitGone(ctx, namespace)
	}
	for {
		err := h.follow(ctx, &v1alpha1.InstanceList{}, namespace, func(e watch.Event) bool {
			inst, ok := e.Object.(*v1alpha1.Instance)
			if !ok {
				return false
			}
			if m.ended != nil {
				return m.ended(ctx, h.cluster.Client, inst)
			}
			return inst.Generation > generation && settled(inst)
		})
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// awaitGone asks again and again: a watch may not tell.
func (h *harness) awaitGone(ctx context.Context, namespace string) error {
	inst := newInstance(namespace)
	for {
		err := h.cluster.Client.Get(ctx, client.ObjectKeyFromObject(inst), inst)
		if apierrors.IsNotFound(err) {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the Instance is still there: %s", show(inst))
		}
	}
}

// follow watches objects, those that are there first, until the condition holds.
func (h *harness) follow(ctx context.Context, list client.ObjectList, namespace string, until func(watch.Event) bool) error {
	w, err := h.cluster.Client.Watch(ctx, list, client.InNamespace(namespace))
	if err != nil {
		return fmt.Errorf("watching: %w", err)
	}
	defer w.Stop()
	var last any
	for {
		select {
		case e, open := <-w.ResultChan():
			if !open {
				return fmt.Errorf("the watch ended: %w; last seen: %s", context.Cause(ctx), show(last))
			}
			if until(e) {
				return nil
			}
			last = e.Object
		case <-ctx.Done():
			return fmt.Errorf("%w; last seen: %s", ctx.Err(), show(last))
		}
	}
}

// show prints the status of an object, for people.
func show(o any) string {
	status := o
	switch o := o.(type) {
	case *v1alpha1.Instance:
		status = o.Status
	case *v1alpha1.FrameworkVersion:
		status = map[string]any{o.Name: o.Status.Instances}
	}
	raw, err := json.Marshal(status)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// awaitUsers waits until the versions' status tells how many Instances use them.
func (h *harness) awaitUsers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var instances v1alpha1.InstanceList
	if err := h.cluster.Client.List(ctx, &instances); err != nil {
		return fmt.Errorf("listing Instances: %w", err)
	}
	users := map[string]int32{"app-1.0.0": 0, "app-2.0.0": 0, "app-3.0.0": 0}
	for i := range instances.Items {
		inst := &instances.Items[i]
		users["app-"+inst.Spec.Version]++
		runs := "app-" + inst.Status.Version
		// A mutant leaves an Instance that claims to run what never was.
		if _, published := users[runs]; published && inst.Status.Version != inst.Spec.Version {
			users[runs]++ // on its way to the other
		}
	}
	right := map[string]bool{}
	err := h.follow(ctx, &v1alpha1.FrameworkVersionList{}, "", func(e watch.Event) bool {
		if fwv, ok := e.Object.(*v1alpha1.FrameworkVersion); ok {
			right[fwv.Name] = fwv.Status.Instances == users[fwv.Name]
		}
		for version := range users {
			if !right[version] {
				return false
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("the number of users in the versions' status is not %v: %w", users, err)
	}
	return nil
}
