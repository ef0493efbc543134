// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package requeue says when controllers look again.
package requeue

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Pause lets the cache catch up with whoever wrote in between.
const Pause = 200 * time.Millisecond

// OnConflict makes a lost race a new try instead of an error in the log.
func OnConflict(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: Pause}, nil
	}
	return ctrl.Result{}, err
}
