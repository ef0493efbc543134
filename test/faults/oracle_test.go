// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
)

// maxLines bounds how much of one problem is shown.
const maxLines = 12

// complaints are the lines of the manager's log that say that something went wrong. A
// process that is killed has no time to complain, so there is nothing to forgive; one
// that was refused or got no answer may say so.
func (h *harness) complaints(from int64, namespace string, f *fault) []string {
	raw, err := h.logSince(from)
	if err != nil {
		return []string{"reading the manager's log: " + err.Error()}
	}
	var out []string
	for in := bufio.NewScanner(bytes.NewReader(raw)); in.Scan(); {
		if line := in.Text(); wrong(line) && !f.explains(line) {
			out = append(out, "logged while "+namespace+" ran: "+line)
		}
	}
	return out[:min(len(out), maxLines)]
}

// explains says whether a complaint is about nothing but the fault itself.
func (f *fault) explains(line string) bool {
	return f != nil && f.crash == nil && (strings.Contains(line, faultMessage) || strings.Contains(line, "stream error") || strings.Contains(line, "EOF"))
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

// ledger is what the API server saw the manager do, by namespace.
type ledger map[string][]cluster.Request

func (h *harness) ledger() (ledger, error) {
	requests, err := h.cluster.Audit.Since(h.since)
	if err != nil {
		return nil, err
	}
	out := ledger{}
	for _, r := range cluster.Work(cluster.By(install.ManagerUser, requests)) {
		switch r.Verb {
		case "create", "update", "patch", "delete", "deletecollection":
			out[r.Namespace] = append(out[r.Namespace], r)
		}
	}
	return out, nil
}

// effects counts how often each object was made and removed.
func (l ledger) effects(namespace string) map[string]int {
	out := map[string]int{}
	for _, r := range l[namespace] {
		switch {
		case r.Code == 201:
			out["times that "+r.Resource+" "+stable(r.Name)+" was made"]++
		case r.Verb == "delete" && r.Code == 200:
			out["times that "+r.Resource+" "+stable(r.Name)+" was removed"]++
		}
	}
	return out
}

// late are the writes that came after a run had come to its end.
func (l ledger) late(r *run) []string {
	var out []string
	for _, w := range l[r.namespace] {
		after := w.At.Sub(r.settledAt)
		if w.Code == http.StatusConflict && after < time.Second {
			continue // a write whose answer was lost is tried again, and refused
		}
		if after > 0 {
			out = append(out, fmt.Sprintf("not at rest: %s %s %s %s after the end (%d)",
				w.Verb, w.Resource, stable(w.Name), after.Round(time.Millisecond), w.Code))
		}
	}
	return out[:min(len(out), maxLines)]
}

// repeated names attempts of job tasks that had more than one Job.
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
func (h *harness) judge(reference *run, runs []*run) error {
	l, err := h.ledger()
	if err != nil {
		return err
	}
	want := l.effects(reference.namespace)
	for _, r := range runs {
		if found := differences(reference.state, r.state); len(found) > 0 {
			r.fail("another end state:\n\t\t%s", strings.Join(found[:min(len(found), maxLines)], "\n\t\t"))
		}
		r.problems = append(r.problems, differences(want, l.effects(r.namespace))...)
		r.problems = append(r.problems, h.repeated(r.namespace)...)
		r.problems = append(r.problems, l.late(r)...)
	}
	return nil
}
