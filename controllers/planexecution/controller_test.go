// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// A lost race is no error: someone else wrote the execution, or it went with its Instance.
func TestConflict(t *testing.T) {
	executions := v1alpha1.Resource("planexecutions")
	tests := map[string]struct {
		err   error
		again bool
		fails bool
	}{
		"none":               {},
		"written by another": {err: apierrors.NewConflict(executions, "a", errors.New("modified")), again: true},
		"it is gone":         {err: fmt.Errorf("writing: %w", apierrors.NewNotFound(executions, "a"))},
		"something else is":  {err: apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "a"), fails: true},
		"anything else":      {err: errors.New("boom"), fails: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			result, err := (&Reconciler{}).conflict(ctrl.Result{}, tc.err)
			if (result.RequeueAfter > 0) != tc.again || (err != nil) != tc.fails {
				t.Errorf("%+v, %v", result, err)
			}
		})
	}
}
