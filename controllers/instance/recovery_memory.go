// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"time"

	"kudo.dev/kudo/internal/dynamic"
)

// evaluated is what came out of the recovery rules of an Instance.
type evaluated struct {
	trace trace
	at    time.Time
	// holds says which rules hold, of those that were looked at.
	holds map[string]bool
	// refused are the watches that were reported as refused.
	refused map[dynamic.Key]bool
	// told are messages that events were made of.
	told map[string]bool
}

// trace tells what the rules observe apart from what they observed before.
type trace struct {
	// objects that they ask for, by UID and resourceVersion.
	objects string
	// inputs of the last completed run.
	inputs string
	// ended is the newest run that has: watches may not have seen yet what it did.
	ended int64
	// held says that a run holds the Instance, so that only some rules are looked at.
	held bool
}

func newEvaluated() evaluated { return evaluated{told: map[string]bool{}} }
