// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
)

const (
	// maxLines bounds how much of one problem is shown.
	maxLines = 12
	// grace is how much longer than without a fault a run may take once the fault is over.
	grace = 5 * time.Second
)

// complaints are the lines of the managers' log that say that something went wrong. A
// process that is killed has no time to complain, so there is nothing to forgive; one
// that was refused or got no answer may say so.
func (h *harness) complaints(from int64, namespace string, f *fault) []string {
	raw, err := h.logSince(from)
	if err != nil {
		return []string{"reading the manager's log: " + err.Error()}
	}
	var out []string
	in := bufio.NewScanner(bytes.NewReader(raw))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		if h.lenient && strings.Contains(line, h.prefix+"-") && !strings.Contains(line, namespace) {
			continue // an earlier mutant's debris
		}
		if wrong(line) && !f.explains(line) {
			out = append(out, "logged while "+namespace+" ran: "+line)
		}
	}
	return out[:min(len(out), maxLines)]
}

// explains says whether a complaint is about nothing but the fault itself.
func (f *fault) explains(line string) bool {
	for ; f != nil; f = f.next {
		if slices.ContainsFunc(f.excuses, func(e string) bool { return strings.Contains(line, e) }) {
			return true
		}
	}
	return false
}

// wrong knows the lines of zap, of klog and of the Go runtime.
func wrong(line string) bool {
	for _, mark := range []string{`"level":"error"`, `"level":"dpanic"`, `"level":"panic"`, `"level":"fatal"`, "panic:", "fatal error:", "DATA RACE"} {
		if strings.Contains(line, mark) {
			return true
		}
	}
	return len(line) > 5 && line[0] == 'E' && strings.Trim(line[1:5], "0123456789") == ""
}

// ledger is what the API server saw, by namespace.
type ledger struct {
	// managers' own writes, and those that they made as someone.
	managers map[string][]cluster.Request
	// others are the writes of everyone else: of the player, of people.
	others map[string][]cluster.Request
}

func (h *harness) ledger() (*ledger, error) {
	requests, err := h.cluster.Audit.Since(h.since)
	if err != nil {
		return nil, err
	}
	out := &ledger{managers: map[string][]cluster.Request{}, others: map[string][]cluster.Request{}}
	for _, r := range cluster.Work(requests) {
		switch r.Verb {
		case "create", "update", "patch", "delete", "deletecollection":
			if r.User == install.ManagerUser {
				out.managers[r.Namespace] = append(out.managers[r.Namespace], r)
			} else {
				out.others[r.Namespace] = append(out.others[r.Namespace], r)
			}
		}
	}
	return out, nil
}

// effects counts how often each object was made and removed.
func (l *ledger) effects(namespace string) map[string]int {
	out := map[string]int{}
	for _, r := range l.managers[namespace] {
		switch {
		case r.Code == http.StatusCreated && r.Verb != "update":
			out["times that "+r.Resource+" "+stable(r.Name)+" was made"]++
		case r.Verb == "delete" && r.Code == http.StatusOK:
			out["times that "+r.Resource+" "+stable(r.Name)+" was removed"]++
		}
	}
	return out
}

// again counts removals that only repeat one of the same object, whose answer was lost.
func (r *run) again() map[string]int {
	out, seen := map[string]int{}, map[string]bool{}
	for i := range r.log {
		w := &r.log[i]
		if w.method != http.MethodDelete || !w.committed() {
			continue
		}
		key := "times that " + w.resource + " " + stable(w.name) + " was removed"
		if one := w.resource + "/" + w.name + "@" + string(w.precondition()); seen[one] {
			out[key]++
		} else {
			seen[one] = true
		}
	}
	return out
}

// late are the writes that came after a run had come to its end.
func (l *ledger) late(r *run) []string {
	var out []string
	for _, w := range l.managers[r.namespace] {
		after := w.At.Sub(r.calm)
		done := w.Code == http.StatusConflict || w.Code == http.StatusNotFound
		if done && after < time.Second {
			continue // one that was not told of its own success, or of the end, tries again
		}
		if after > 0 {
			out = append(out, fmt.Sprintf("%s %s %s %s after the end (%d)",
				w.Verb, w.Resource, stable(w.Name), after.Round(time.Millisecond), w.Code))
		}
	}
	return out[:min(len(out), maxLines)]
}

// repeated names attempts of job tasks that had more than one Job, as the player saw them.
func (h *harness) repeated(namespace string) []string {
	var out []string
	seen := map[string]bool{}
	for _, job := range h.player.Jobs() {
		key := job.Execution + " " + stable(job.Name) + " attempt " + job.Attempt
		if job.Namespace != namespace {
			continue
		}
		if seen[key] {
			out = append(out, "a second Job ran for "+stable(key))
		}
		seen[key] = true
	}
	return out
}

// judge compares runs with the reference run of their workload, once all have ended.
func (h *harness) judge(reference *run, points []*point) error {
	l, err := h.ledger()
	if err != nil {
		return err
	}
	want := l.effects(reference.namespace)
	for _, p := range points {
		r := &p.run
		state := differences(without(reference.state, p.fault), without(r.state, p.fault))
		if len(state) > 0 {
			r.fail(ruleState, "%s", strings.Join(state[:min(len(state), maxLines)], "\n\t\t"))
		}
		got := l.effects(r.namespace)
		for key, times := range r.again() {
			got[key] -= times
		}
		r.add(ruleEffect, differences(without(want, p.fault), without(got, p.fault)))
		if p.fault != nil && p.fault.slack >= 0 && r.took > reference.took+grace+p.fault.slack {
			r.fail(ruleEnd, "it took %s after the last fault, without one %s", r.took.Round(time.Millisecond), reference.took.Round(time.Millisecond))
		}
		h.judgeAlone(l, r)
	}
	return nil
}

// judgeAlone checks what needs no reference.
func (h *harness) judgeAlone(l *ledger, r *run) {
	r.add(ruleEffect, h.repeated(r.namespace))
	r.add(ruleQuiet, l.late(r))
	r.add(ruleSafety, h.unsafe(l, r))
	if generation, observed := r.state["Instance one metadata generation"], r.state["Instance one status observedGeneration"]; generation != observed {
		r.fail(ruleState, "the Instance's generation is %s, observed is %s", generation, observed)
	}
}

// without drops what a fault changes by right.
func without[V any](all map[string]V, f *fault) map[string]V {
	out := maps.Clone(all)
	for ; f != nil; f = f.next {
		if f.differs != nil {
			maps.DeleteFunc(out, func(path string, _ V) bool { return f.differs.MatchString(path) })
		}
	}
	return out
}
