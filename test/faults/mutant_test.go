// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kudo.dev/kudo/internal/testing/cluster"
)

// mutant is a manager with a fault of its own that the harness must find.
type mutant struct {
	name  string
	edits []edit
	// quick ones are part of make test-crash.
	quick bool
	// workload and class that bring it to light; without a class, no fault is needed.
	workload, class string
	// write that the fault strikes: the nth of that key, or counted from the end below 0.
	write write
	// shown is the write before which a manager that lags is shown the cluster.
	shown write
	// lagging is the resource that it is shown so; empty for all.
	lagging string
	// detail chooses a point that is about no write.
	detail string
	// loose ones may show without the fault too, by chance.
	loose bool
	// finds is a part of the problem that must be among those found.
	finds string
}

// TestMutants proves that the harness can see: each mutant breaks a rule of the design,
// and the fault must bring it to light. As far as it needs one, it must work without.
func TestMutants(t *testing.T) {
	chosen := slices.DeleteFunc(mutants(), func(m *mutant) bool {
		return !(m.quick || settings.all) || (settings.only != "" && settings.only != m.label()) || len(settings.classes) > 0
	})
	if len(chosen) == 0 {
		t.Skip("none is asked for")
	}
	sane := build(t)
	caught := 0
	for _, apart := range []bool{false, true} {
		group := slices.DeleteFunc(slices.Clone(chosen), func(m *mutant) bool { return m.by().apart != apart })
		if len(group) == 0 {
			continue
		}
		t.Run(map[bool]string{false: "alone", true: "apart"}[apart], func(t *testing.T) {
			c := cluster.Get(t)
			if apart { // what the others left behind would go on there
				c = startOwn(t)
			}
			caught += hunt(t, c, sane, group, apart)
		})
	}
	summary = append(summary, fmt.Sprintf("%d mutants, %d caught", len(chosen), caught))
}

// hunt looks for mutants, with one harness for all of them.
func hunt(t *testing.T, c *cluster.Cluster, sane string, group []*mutant, apart bool) (caught int) {
	t.Helper()
	h := newHarness(t, c, sane, "mutant", apart)
	h.lenient = true
	s := &suite{h: h}
	for i := range workloads {
		if slices.ContainsFunc(group, func(m *mutant) bool { return m.workload == workloads[i].name }) {
			s.workloads = append(s.workloads, &workloads[i])
		}
	}
	s.refer(t)
	for i, m := range group {
		if t.Run(m.label(), func(t *testing.T) {
			h.options.Binary = build(t, m.edits...)
			defer func() {
				h.options.Binary, h.options.Env = sane, nil
				if err := h.kill(); err != nil {
					t.Error(err)
				}
			}()
			m.test(t, h, s.references[m.workload], i)
		}) {
			caught++
		}
	}
	return caught
}

// by is the class that finds it; an empty one where no fault is needed.
func (m *mutant) by() *class {
	for _, c := range classes() {
		if c.name == m.class {
			return c
		}
	}
	return &class{}
}

func (m *mutant) label() string { return strings.ReplaceAll(m.name, " ", "-") }

func (m *mutant) test(t *testing.T, h *harness, reference *run, i int) {
	t.Helper()
	w := find(m.workload)
	own := &point{class: &class{}, run: run{workload: w, namespace: fmt.Sprintf("%s-%s-own-%d", h.prefix, w.name, i)}}
	points := []*point{own}
	runs := []*run{&own.run}
	var c *class
	if m.class != "" {
		c = m.by()
		h.options.Env = c.env
	}
	faulty := &point{class: c, run: run{workload: w, namespace: fmt.Sprintf("%s-%s-faulty-%d", h.prefix, w.name, i)}}
	if c != nil {
		points, runs = append(points, faulty), append(runs, &faulty.run)
	}
	// The mutant prepares its own runs too: what it leaves behind is part of it.
	if err := h.kill(); err != nil {
		t.Fatal(err)
	}
	if err := h.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.prepare(t.Context(), runs); err != nil {
		t.Fatal(err)
	}
	h.perform(t.Context(), &own.run, nil)
	if c != nil {
		faulty.fault = m.fault(t, c, own.trace())
		h.perform(t.Context(), &faulty.run, faulty.fault)
	}
	if err := h.judge(reference, points); err != nil {
		t.Fatal(err)
	}
	last := points[len(points)-1]
	if c != nil && !m.loose && len(own.problems) > 0 {
		t.Errorf("it does not even work without a fault:\n\t%s", list(own.problems))
	}
	if found := list(last.problems); !strings.Contains(found, m.finds) {
		t.Errorf("the harness did not find %q; found:\n\t%s", m.finds, found)
		if settings.logs {
			raw, err := h.logSince(0)
			t.Logf("the manager's log (%v):\n%s", err, raw)
			t.Logf("writes: %s", last.trace())
		}
	} else {
		t.Logf("found, as it should be:\n\t%s", found)
	}
}

// fault is the one of its class that finds the mutant.
func (m *mutant) fault(t *testing.T, c *class, trace []write) *fault {
	t.Helper()
	if m.write.key == "" {
		for _, f := range c.faults(find(m.workload), trace) {
			if f.detail == m.detail {
				return f
			}
		}
		t.Fatalf("the class %s has no fault %q", c.name, m.detail)
	}
	w := m.write
	if w.nth < 0 {
		n := 0
		for _, seen := range trace {
			if seen.key == w.key {
				n++
			}
		}
		w.nth += n + 1
	}
	if !slices.Contains(trace, w) {
		t.Fatalf("there is no write %s among %v", w, trace)
	}
	if m.shown.key != "" {
		return lagging(m.shown, w, m.lagging)
	}
	for _, f := range c.faults(find(m.workload), trace) {
		if f.write == w {
			return f
		}
	}
	t.Fatalf("the class %s has no fault at %s", c.name, w)
	return nil
}
