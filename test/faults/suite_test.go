// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// suite is what shares a harness: reference runs of some workloads, and points.
type suite struct {
	h          *harness
	workloads  []*workloadCase
	references map[string]*run
	points     []*point
}

// refer runs every workload without a fault.
func (s *suite) refer(t *testing.T) {
	t.Helper()
	s.references = map[string]*run{}
	var all []*run
	for _, w := range s.workloads {
		r := &run{workload: w, namespace: s.h.prefix + "-" + w.name}
		all = append(all, r)
		s.references[w.name] = r
	}
	if err := s.h.prepare(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		s.h.perform(t.Context(), r, nil)
		if len(r.problems) > 0 {
			if settings.logs {
				t.Log(r.trace())
			}
			t.Fatalf("%s fails without any fault:\n\t%v", r.workload.name, r.problems)
		}
		time.Sleep(time.Second)
		if late := s.h.proxy.writes()[len(r.log):]; len(late) > 0 {
			t.Fatalf("%s: writes after its end: %v", r.workload.name, late)
		}
		t.Logf("%s: %d writes in %s", r.workload.name, len(r.log), r.took.Round(time.Millisecond))
		if settings.logs {
			t.Log(r.trace())
		}
	}
}

// suffer runs the points one after the other, for a crash hits all that runs at its time;
// those of one workload are prepared together.
func (s *suite) suffer(t *testing.T) {
	t.Helper()
	for _, w := range s.workloads {
		var points []*point
		var runs []*run
		for _, p := range s.points {
			if p.workload == w {
				points, runs = append(points, p), append(runs, &p.run)
			}
		}
		if len(points) == 0 {
			continue
		}
		begun := time.Now()
		if err := s.h.ensure(t.Context()); err != nil {
			words, _ := s.h.logSince(max(s.h.logSize()-lastWords, 0))
			t.Fatalf("%v; its log ends so:\n%s", err, words)
		}
		if err := s.h.prepare(t.Context(), runs); err != nil {
			t.Fatal(err)
		}
		prepared := time.Now()
		for _, p := range points {
			s.h.perform(t.Context(), &p.run, p.fault)
		}
		t.Logf("%s: %d points prepared in %s, suffered in %s", w.name, len(points),
			prepared.Sub(begun).Round(time.Millisecond), time.Since(prepared).Round(time.Millisecond))
	}
}

// verdict waits until whatever is not at rest has had its chance, in a new process too,
// and reports the points that did not survive.
func (s *suite) verdict(t *testing.T, quiescence time.Duration) {
	t.Helper()
	if err := s.h.comeToRest(t.Context(), quiescence); err != nil {
		t.Error(err)
	}
	for name, reference := range s.references {
		points := []*point{{run: *reference}}
		for _, p := range s.points {
			if p.workload.name == name {
				points = append(points, p)
			}
		}
		if err := s.h.judge(reference, points); err != nil {
			t.Fatal(err)
		}
		if found := points[0].problems; len(found) > 0 {
			t.Errorf("%s without a fault:\n\t%s", name, list(found))
		}
	}
	for _, p := range s.points {
		take(p)
		if len(p.problems) > 0 {
			t.Errorf("%s, %s\n\treproduce: %s\n\t%s", p.workload.name, p.name, p.reproduce(), list(p.problems))
		}
	}
	if t.Failed() && settings.logs {
		raw, err := s.h.logSince(0)
		t.Logf("the manager's log (%v):\n%s", err, raw)
	}
}

// lastWords is how much of the log is shown of a manager that does not start.
const lastWords = 4096

func list(problems []problem) string {
	out := make([]string, 0, len(problems))
	for _, p := range problems {
		out = append(out, p.String())
	}
	return strings.Join(out, "\n\t")
}

// survived counts the points without a problem.
func (s *suite) survived() int {
	n := 0
	for _, p := range s.points {
		if len(p.problems) == 0 {
			n++
		}
	}
	return n
}

// comeToRest waits, then starts another manager and waits again.
func (h *harness) comeToRest(ctx context.Context, quiescence time.Duration) error {
	time.Sleep(quiescence)
	if err := h.kill(); err != nil {
		return err
	}
	if err := h.start(ctx); err != nil {
		return fmt.Errorf("starting the manager at the end: %w", err)
	}
	time.Sleep(quiescence)
	return nil
}
