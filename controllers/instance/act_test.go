// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
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
