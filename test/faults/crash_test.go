// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// quiet time that shows that a run has come to its end.
const quiescence = 2 * time.Second

// point is a run with its fault.
type point struct {
	run
	fault fault
	// reproduce is the value of FAULTS_ONLY.
	reproduce string
}

// TestCrash kills the manager before and after every write of a deploy, an update, an
// upgrade and a delete, starts it again, and expects the same end as without a crash.
func TestCrash(t *testing.T) {
	begun := time.Now()
	h := newHarness(t, build(t), "crash")
	references := h.references(t)
	points := h.crashPoints(references)
	survived := h.survivors(t, references, points)
	t.Logf("took %s; the manager is ready after %s", time.Since(begun).Round(time.Second), h.startup())
	summary = append(summary, fmt.Sprintf("%d crash points, %d survived", len(points), survived))
}

// references runs every workload without a fault.
func (h *harness) references(t *testing.T) map[string]*run {
	t.Helper()
	out := map[string]*run{}
	var all []*run
	for i := range workloads {
		r := &run{workload: &workloads[i], namespace: h.prefix + "-" + workloads[i].name}
		all = append(all, r)
		out[r.workload.name] = r
	}
	if err := h.prepare(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		begun := time.Now()
		h.perform(t.Context(), r, nil)
		took := r.settledAt.Sub(begun)
		if len(r.problems) > 0 {
			t.Fatalf("%s fails without any fault:\n\t%s", r.workload.name, strings.Join(r.problems, "\n\t"))
		}
		time.Sleep(quiescence)
		if late := len(h.proxy.writes()) - len(r.trace); late > 0 {
			t.Fatalf("%s: %d writes after its end: %v", r.workload.name, late, h.proxy.writes()[len(r.trace):])
		}
		t.Logf("%s: %d writes in %s", r.workload.name, len(r.trace), took.Round(time.Millisecond))
		if os.Getenv("FAULTS_LOGS") != "" {
			t.Log(r.trace)
		}
	}
	return out
}

// crashPoints are all the moments around the writes of the reference runs, but for those
// that the environment does not ask for.
func (h *harness) crashPoints(references map[string]*run) []*point {
	var out []*point
	for i := range workloads {
		w := &workloads[i]
		for _, before := range []bool{true, false} {
			side := map[bool]string{true: "before", false: "after"}[before]
			for k, write := range references[w.name].trace {
				crash := func() { _ = h.kill() }
				out = append(out, h.newPoint(w, side, k+1, fault{write: write, before: before, crash: crash}))
			}
		}
	}
	only := os.Getenv("FAULTS_ONLY")
	return slices.DeleteFunc(out, func(p *point) bool {
		return only != "" && p.reproduce != only && !strings.HasPrefix(p.reproduce, only+"/")
	})
}

func (h *harness) newPoint(w *workloadCase, class string, k int, f fault) *point {
	return &point{fault: f, reproduce: w.name + "/" + class + "/" + strconv.Itoa(k), run: run{
		workload: w, name: class + " " + f.write.String(),
		namespace: h.prefix + "-" + w.name + "-" + class + "-" + strconv.Itoa(k),
	}}
}

// survivors runs the points, one workload after the other, reports those that did not
// survive and counts those that did.
func (h *harness) survivors(t *testing.T, references map[string]*run, points []*point) int {
	t.Helper()
	for i := range workloads {
		h.suffer(t, slices.DeleteFunc(slices.Clone(points), func(p *point) bool { return p.workload != &workloads[i] }))
	}
	verdict(t, h, references, points)
	survived := 0
	for _, p := range points {
		if len(p.problems) == 0 {
			survived++
		}
	}
	return survived
}

// suffer runs points one after the other: a crash hits all that runs at its time.
func (h *harness) suffer(t *testing.T, points []*point) {
	t.Helper()
	if len(points) == 0 {
		return
	}
	runs := make([]*run, len(points))
	for i, p := range points {
		runs[i] = &p.run
	}
	begun := time.Now()
	if err := h.prepare(t.Context(), runs); err != nil {
		t.Fatal(err)
	}
	prepared := time.Now()
	for _, p := range points {
		h.perform(t.Context(), &p.run, &p.fault)
	}
	t.Logf("%s: %d points prepared in %s, suffered in %s", points[0].workload.name, len(points),
		prepared.Sub(begun).Round(time.Millisecond), time.Since(prepared).Round(time.Millisecond))
}

// verdict waits until whatever is not at rest has had its chance, in a new process too,
// and reports the points that did not survive.
func verdict(t *testing.T, h *harness, references map[string]*run, points []*point) {
	t.Helper()
	if err := comeToRest(t.Context(), h); err != nil {
		t.Error(err)
	}
	for name, reference := range references {
		var runs []*run
		for _, p := range points {
			if p.workload.name == name {
				runs = append(runs, &p.run)
			}
		}
		if err := h.judge(reference, append(runs, reference)); err != nil {
			t.Fatal(err)
		}
		if len(reference.problems) > 0 {
			t.Errorf("%s without a fault:\n\t%s", name, strings.Join(reference.problems, "\n\t"))
		}
	}
	for _, p := range points {
		if len(p.problems) > 0 {
			t.Errorf("%s, %s\n\treproduce: FAULTS_ONLY=%s go test -tags faults -count=1 -v ./test/faults -run %s\n\t%s",
				p.workload.name, p.name, p.reproduce, t.Name(), strings.Join(p.problems, "\n\t"))
		}
	}
	if t.Failed() && os.Getenv("FAULTS_LOGS") != "" {
		raw, err := h.logSince(0)
		t.Logf("the manager's log (%v):\n%s", err, raw)
	}
}

func comeToRest(ctx context.Context, h *harness) error {
	if err := h.kill(); err != nil {
		return err
	}
	if err := h.start(ctx); err != nil {
		return err
	}
	time.Sleep(quiescence)
	return nil
}
