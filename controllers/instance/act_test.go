// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// executions stands for an API server that has one execution, and knows what a delete
// insists on.
type executions struct {
	client.Client
	there *v1alpha1.PlanExecution
}

func (e *executions) Delete(_ context.Context, o client.Object, opts ...client.DeleteOption) error {
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	resource := v1alpha1.Resource("planexecutions")
	p := options.Preconditions
	switch {
	case e.there == nil:
		return apierrors.NewNotFound(resource, o.GetName())
	case p != nil && p.UID != nil && *p.UID != e.there.UID,
		p != nil && p.ResourceVersion != nil && *p.ResourceVersion != e.there.ResourceVersion:
		return apierrors.NewConflict(resource, o.GetName(), nil)
	}
	e.there = nil
	return nil
}

// TestDiscardMeansWhatWasSeen: a manager with an old view must not remove an execution that
// another one has admitted since.
func TestDiscardMeansWhatWasSeen(t *testing.T) {
	seen := ended("zk-deploy", "deploy", 0, v1alpha1.RunPending)
	seen.ResourceVersion = "5"
	admitted, another := *seen.DeepCopy(), *seen.DeepCopy()
	admitted.ResourceVersion, another.UID = "6", "another"
	tests := map[string]struct {
		there    *v1alpha1.PlanExecution
		stays    bool
		conflict bool
	}{
		"as it was seen":          {there: seen.DeepCopy()},
		"it has gone on since":    {there: &admitted, stays: true, conflict: true},
		"another one of its name": {there: &another, stays: true, conflict: true},
		"it is gone":              {},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			server := &executions{there: tc.there}
			err := (&Reconciler{Client: server}).discard(t.Context(), &seen)
			if apierrors.IsConflict(err) != tc.conflict || (err != nil) != tc.conflict {
				t.Errorf("error %v", err)
			}
			if (server.there != nil) != tc.stays {
				t.Errorf("what is left is %v", server.there)
			}
		})
	}
}

// server stands for an API server that is read: one object, or an error.
type server struct {
	client.Reader
	there client.Object
	err   error
}

func (s *server) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch into := into.(type) {
	case *v1alpha1.PlanExecution:
		if pe, ok := s.there.(*v1alpha1.PlanExecution); ok && pe.Name == key.Name {
			*into = *pe
			return s.err
		}
	case *v1alpha1.Instance:
		if inst, ok := s.there.(*v1alpha1.Instance); ok && inst.Name == key.Name {
			*into = *inst
			return s.err
		}
	}
	if s.err != nil {
		return s.err
	}
	return apierrors.NewNotFound(v1alpha1.Resource("any"), key.Name)
}

// TestDiscardByTheNewestInstance: what an Instance admits, in a status that the cache does not
// show yet, must not be taken for what nothing waits for.
func TestDiscardByTheNewestInstance(t *testing.T) {
	seen := zk()
	seen.ResourceVersion = "5"
	newer, another := seen.DeepCopy(), seen.DeepCopy()
	newer.ResourceVersion, another.UID = "6", "another"
	run := ended("zk-deploy", "deploy", 0, v1alpha1.RunPending)
	unread := errors.New("it can not be reached")
	tests := map[string]struct {
		live     server
		discards bool
		conflict bool
	}{
		"as it was seen":          {live: server{there: seen}, discards: true},
		"it has gone on since":    {live: server{there: newer}, conflict: true},
		"another one of its name": {live: server{there: another}, conflict: true},
		"it is gone":              {conflict: true},
		"it can not be read":      {live: server{err: unread}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			there := &executions{there: run.DeepCopy()}
			r := &Reconciler{Client: there, Live: &tc.live}
			o := &observed{runs: []v1alpha1.PlanExecution{run}}
			err := r.act(t.Context(), seen.DeepCopy(), o, engine.Choice{Discard: []engine.Run{{UID: string(run.UID)}}})
			if (there.there == nil) != tc.discards || apierrors.IsConflict(err) != tc.conflict || (err == nil) != tc.discards {
				t.Errorf("what is left is %v, error %v", there.there, err)
			}
		})
	}
}

// TestAnOldCacheLetsGoOfNothing: an execution that the cache does not show yet keeps the
// Instance; one that was removed does not.
func TestAnOldCacheLetsGoOfNothing(t *testing.T) {
	run := ended("zk-deploy", "deploy", 1, v1alpha1.RunRunning)
	again := run.DeepCopy()
	again.UID = "again"
	unread := errors.New("it can not be reached")
	tests := map[string]struct {
		cached           []v1alpha1.PlanExecution
		live             server
		conflict, failed bool
	}{
		"the cache shows it":       {cached: []v1alpha1.PlanExecution{run}},
		"it was removed":           {},
		"it was removed and again": {live: server{there: again}},
		"the cache is behind":      {live: server{there: &run}, conflict: true, failed: true},
		"it can not be read":       {live: server{err: unread}, failed: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			admitted := v1alpha1.ActiveExecution{Name: run.Name, UID: run.UID, Plan: "deploy", Epoch: 1}
			active, shared := zk(), zk()
			active.Status.Active = &admitted
			shared.Status.Shared = []v1alpha1.ActiveExecution{admitted}
			for _, inst := range []*v1alpha1.Instance{active, shared} {
				err := (&Reconciler{Live: &tc.live}).behind(t.Context(), inst, &observed{runs: tc.cached})
				if apierrors.IsConflict(err) != tc.conflict || (err != nil) != tc.failed {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}
