// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"time"

	"kudo.dev/kudo/internal/dynamic"
)

// evaluated is what came out of the recovery rules of an Instance.
type evaluated struct {
	// trace of what was observed.
	trace string
	at    time.Time
	// holds says which rules hold, of those that were looked at.
	holds map[string]bool
	// refused are the watches that were reported as refused.
	refused map[dynamic.Key]bool
	// told are messages that events were made of.
	told map[string]bool
}

func newEvaluated() evaluated { return evaluated{told: map[string]bool{}} }
