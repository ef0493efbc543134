// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Changes are the lines that tell what became of an execution since it was seen last,
// for an output that can not be redrawn. before may be nil.
func Changes(before, after *v1alpha1.PlanExecution, now time.Time) []string {
	seen := map[string]v1alpha1.RunState{}
	if before != nil {
		for _, p := range Parts(before) {
			seen[p.path] = p.state
		}
	}
	changed := slices.DeleteFunc(Parts(after), func(p Part) bool {
		return p.state == v1alpha1.RunPending || p.state == seen[p.path]
	})
	slices.SortStableFunc(changed, inOrder)
	out := make([]string, 0, len(changed))
	for _, p := range changed {
		line := fmt.Sprintf("%-32s %-9s", p.path, p.state)
		if p.state != v1alpha1.RunRunning {
			line += fmt.Sprintf(" %7s", p.Took(now))
		}
		if p.state == v1alpha1.RunStalled || p.state == v1alpha1.RunFailed {
			line += "  " + cut(p.note, 0, false)
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	return out
}

// inOrder sorts by when it happened. Within one moment a part starts before what it
// consists of, and ends or stalls after it.
func inOrder(a, b Part) int {
	if c := a.when().Compare(b.when()); c != 0 {
		return c
	}
	if a.state != v1alpha1.RunRunning && b.state != v1alpha1.RunRunning {
		return cmp.Compare(b.depth, a.depth)
	}
	return cmp.Compare(a.depth, b.depth)
}

// never is later than everything else.
var never = time.Unix(1<<40, 0)

func (p Part) when() time.Time {
	switch {
	case p.to != nil:
		return p.to.Time
	case p.state == v1alpha1.RunStalled: // when is not recorded, but nothing came after it
		return never
	case p.from != nil:
		return p.from.Time
	}
	return time.Time{}
}
