// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// fault is what happens to a run: to one of its writes, or as long as it takes.
type fault struct {
	// write at which it strikes. Without a key it is the nth since the fault before.
	write write
	// strike happens to that write. Nil: the fault is not about a write.
	strike func(*harness, *exchange)
	// sticky strikes each further write of that key too, until it is lifted.
	sticky bool
	// fresh starts another manager first: one that lost its watches before waits longer
	// each time before it asks again.
	fresh bool
	// optional: the run may end without that write.
	optional bool
	// begin happens before the user acts.
	begin func(context.Context, *harness, *run) error
	// heal lets the run go on, once the fault has struck.
	heal func(context.Context, *harness, *run) error
	// next strikes after this one was healed.
	next *fault
	// excuses are parts of complaints in the log that are only about the fault.
	excuses []string
	// differs are lines of the end state that it changes by right, and counts of effects.
	differs *regexp.Regexp
	// slack is how much later than others a run may converge; negative: as late as it likes.
	slack time.Duration
	// stale lets someone go on for a moment with what was announced before, and is done.
	stale bool
	// detail is said beside the write, for people.
	detail string
	// id within the class and workload; empty for its position.
	id string
}

func (f *fault) String() string {
	out := f.detail
	if f.write.key != "" {
		out = strings.TrimSpace(f.write.String() + " " + f.detail)
	}
	if f.next != nil {
		out += ", then " + f.next.String()
	}
	return out
}

// exchange is a write and its answer, in the hands of a fault.
type exchange struct {
	answer  http.ResponseWriter
	request *http.Request
	// pass hands the write on to the API server, and the answer to whom it is given.
	pass func(http.ResponseWriter)
	// hit says that the fault has happened, where that is before the strike is over.
	hit func()
}

// commit lets the API server do it, and nobody hear of it.
func (x *exchange) commit() { x.pass(httptest.NewRecorder()) }

// abort breaks the connection.
func (x *exchange) abort() { panic(http.ErrAbortHandler) }

// class is one way in which things go wrong.
type class struct {
	// letter of reliability.md, section 3.
	letter, name string
	// title says it in words, for the table.
	title string
	// workloads that it is run with; nil for all.
	workloads []string
	// apart serves the webhooks from a process that no fault hits.
	apart bool
	// env is added to the manager's environment.
	env []string
	// faults of a workload with these writes.
	faults func(w *workloadCase, trace []write) []*fault
}

// classes are all of them.
func classes() []*class {
	var out []*class
	for _, of := range [][]*class{kills(), errorsOf(), viewsOf(), servers(), leaders(), atRest()} {
		out = append(out, of...)
	}
	return out
}

// point is a run with its fault.
type point struct {
	run
	class *class
	fault *fault
	// path names it: workload/class/number.
	path string
}

// points are all faults of a class with a workload, but for those not asked for.
func (h *harness) points(c *class, w *workloadCase, trace []write) []*point {
	var out []*point
	maybe := lastOf(trace, "PUT planexecutions/"+manual+"/status")
	for i, f := range c.faults(w, trace) {
		f.optional = f.optional || f.write == maybe
		number := f.id
		if number == "" {
			number = strconv.Itoa(i + 1)
		}
		out = append(out, &point{class: c, fault: f, path: w.name + "/" + c.name + "/" + number, run: run{
			workload: w, name: c.name + " " + f.String(), namespace: h.prefix + "-" + w.name + "-" + c.name + "-" + number,
		}})
	}
	return choose(out)
}

// lastOf is the last write of a key. That what a person created waits is written only if it
// does, for the moment until the Instance knows of it.
func lastOf(trace []write, key string) write {
	out := write{key: key}
	for _, w := range trace {
		if w.key == key {
			out = w
		}
	}
	return out
}

// each makes one fault for every write, in the order of their names: that of the writes
// themselves is not the same in every run.
func each(makeFault func(write) *fault) func(*workloadCase, []write) []*fault {
	return func(_ *workloadCase, trace []write) []*fault {
		out := make([]*fault, 0, len(trace))
		for _, w := range sorted(trace) {
			out = append(out, makeFault(w))
		}
		return out
	}
}
