// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"
	"slices"
)

// kills are the class a: the manager dies, and another starts.
func kills() []*class {
	return []*class{
		{letter: "a", name: "killed-before", title: "killed before the write", faults: each(killBefore)},
		{letter: "a", name: "killed-after", title: "killed after the write was committed", faults: each(killAfter)},
		{
			letter: "a", name: "killed-twice", title: "every pair of kills, before or after by chance",
			workloads: []string{"deploy", "update", "delete"}, faults: pairs,
		},
	}
}

func restart(ctx context.Context, h *harness, _ *run) error { return h.start(ctx) }

func killBefore(w write) *fault {
	return &fault{write: w, heal: restart, strike: func(h *harness, x *exchange) {
		_ = h.kill()
		x.abort()
	}}
}

func killAfter(w write) *fault {
	return &fault{write: w, heal: restart, strike: func(h *harness, x *exchange) {
		x.commit()
		_ = h.kill()
		x.abort()
	}}
}

// pairs kills at each write, and again at each write that follows.
func pairs(w *workloadCase, trace []write) []*fault {
	chance := dice("pairs " + w.name)
	kill := func(w write, detail string) *fault {
		if chance.IntN(2) == 0 {
			f := killBefore(w)
			f.detail = "before" + detail
			return f
		}
		f := killAfter(w)
		f.detail = "after" + detail
		return f
	}
	names := sorted(trace)
	var out []*fault
	for i, first := range trace {
		for k := 1; k <= len(trace)-i; k++ {
			f := kill(first, "")
			f.id = fmt.Sprintf("%d-%d", slices.Index(names, first)+1, k)
			f.next = kill(write{nth: k}, fmt.Sprintf(" write %d after the restart", k))
			f.next.optional = true
			out = append(out, f)
		}
	}
	return out
}
