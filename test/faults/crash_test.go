// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kudo.dev/kudo/internal/testing/cluster"
)

// few is how many of the kills before a write are part of make test-crash, by workload. To
// the cluster they look like the kill after the write before.
const few = 3

// TestCrash kills the manager after the writes of the quick workloads, and before some,
// starts it again, and expects the same end as without a crash.
func TestCrash(t *testing.T) {
	begun := time.Now()
	s := &suite{h: newHarness(t, cluster.Get(t), build(t), "crash", false)}
	for i := range workloads {
		if w := &workloads[i]; w.quick > 0 && w.wanted() {
			s.workloads = append(s.workloads, w)
		}
	}
	s.refer(t)
	for _, c := range kills()[:2] {
		for _, w := range s.workloads {
			if !c.wanted() {
				continue
			}
			points := s.h.points(c, w, s.references[w.name].trace())
			n := w.quick
			if c.name == "killed-before" {
				n = few
			}
			if !settings.all && settings.only == "" {
				points = points[:min(n, len(points))]
			}
			s.points = append(s.points, points...)
		}
	}
	s.suffer(t)
	s.verdict(t, 2*time.Second)
	t.Logf("took %s; the manager is ready after %s", time.Since(begun).Round(time.Second), s.h.startup())
	summary = append(summary, fmt.Sprintf("%d crash points, %d survived", len(s.points), s.survived()))
}

// TestFaults runs every class with every workload.
func TestFaults(t *testing.T) {
	if !settings.all {
		t.Skip("set FAULTS_ALL=1: it takes hours")
	}
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS is not set: the faults need API servers of their own")
	}
	binary := build(t)
	for _, g := range groups() {
		t.Run(g.name(), func(t *testing.T) { g.test(t, binary) })
	}
}

// group is classes that share API servers: all want the same of the manager, and the
// control plane crashes in all of them or in none.
type group []*class

// groups are the classes that the environment asks for.
func groups() []group {
	var out []group
	for _, c := range classes() {
		if !c.wanted() {
			continue
		}
		i := slices.IndexFunc(out, func(g group) bool {
			return g[0].apart == c.apart && slices.Equal(g[0].env, c.env) && (g[0].letter == "d") == (c.letter == "d")
		})
		if i < 0 {
			i, out = len(out), append(out, nil)
		}
		out[i] = append(out[i], c)
	}
	return out
}

func (g group) name() string {
	names := make([]string, 0, len(g))
	for _, c := range g {
		names = append(names, c.name)
	}
	return strings.Join(names, "+")
}

// most is how many runs share an API server: the more Instances, the slower each restart.
const most = 120

func (g group) test(t *testing.T, binary string) {
	var queue []*point
	for part := 1; part == 1 || len(queue) > 0; part++ {
		left := len(queue)
		ok := t.Run("part"+strconv.Itoa(part), func(t *testing.T) { queue = g.part(t, binary, part, queue) })
		if !ok && len(queue) == left {
			return // there was nothing to run them with
		}
	}
}

// part runs the beginning of a queue on an API server of its own, and returns the rest.
// The first part finds out what there is to run.
func (g group) part(t *testing.T, binary string, part int, queue []*point) []*point {
	own := startOwn(t)
	s := &suite{h: newHarness(t, own, binary, "f", g[0].apart, g[0].env...), workloads: g.usable()}
	if part > 1 {
		next := queue[:min(most, len(queue))]
		s.workloads = slices.DeleteFunc(s.workloads, func(w *workloadCase) bool {
			return !slices.ContainsFunc(next, func(p *point) bool { return p.workload == w })
		})
	}
	s.refer(t)
	if part == 1 {
		queue = g.points(s)
	}
	n := min(most, len(queue))
	s.points, queue = queue[:n], queue[n:]
	s.suffer(t)
	s.verdict(t, 10*time.Second)
	return queue
}

// startOwn starts an API server that ends with the test.
func startOwn(t *testing.T) *cluster.Cluster {
	t.Helper()
	own, err := cluster.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := own.Stop(); err != nil {
			t.Error(err)
		}
	})
	return own
}

// points are those of all classes, by workload: those of one are prepared together.
func (g group) points(s *suite) []*point {
	var out []*point
	for _, w := range s.workloads {
		for _, c := range g {
			if c.uses(w) {
				out = append(out, s.h.points(c, w, s.references[w.name].trace())...)
			}
		}
	}
	return out
}

// usable are the workloads of the classes that the environment asks for.
func (g group) usable() []*workloadCase {
	var out []*workloadCase
	for i := range workloads {
		w := &workloads[i]
		if w.wanted() && slices.ContainsFunc(g, func(c *class) bool { return c.uses(w) }) {
			out = append(out, w)
		}
	}
	return out
}

// uses says whether a class is run with a workload.
func (c *class) uses(w *workloadCase) bool {
	return c.workloads == nil || slices.Contains(c.workloads, w.name)
}
