// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"slices"
)

// maxBeside bounds how many executions run beside others at once.
const maxBeside = 16

// share lists the executions that run beside others: those that do already, also when the
// Instance's status was wiped, and those of people that wait, oldest first. A new one
// starts once the Instance was deployed, and not while it is suspended or deleted.
func (f InstanceFacts) share() []Run {
	var out, waiting []Run
	for _, r := range f.Runs {
		switch {
		case !r.Shared || r.State.Terminal():
		case r.Epoch > 0 || slices.Contains(f.Beside, r.UID):
			out = append(out, r)
		case r.ByUser:
			waiting = append(waiting, r)
		}
	}
	byAge := func(a, b Run) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) }
	slices.SortFunc(out, byAge)
	slices.SortFunc(waiting, byAge)
	if f.Deleting || f.Suspended || f.Desired == nil || !f.deployed() {
		return out
	}
	return append(out, waiting[:max(0, min(len(waiting), maxBeside-len(out)))]...)
}
