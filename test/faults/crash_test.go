// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"kudo.dev/kudo/internal/testing/cluster"
)

// few is how many of the kills before a write are part of make test-crash, by workload. To
// the cluster they look like the kill after the write before.
const few = 5

// TestCrash kills the manager after every write of the quick workloads, and before some,
// starts it again, and expects the same end as without a crash.
func TestCrash(t *testing.T) {
	begun := time.Now()
	s := &suite{h: newHarness(t, cluster.Get(t), build(t), "crash", false)}
	for i := range workloads {
		if w := &workloads[i]; w.quick && w.wanted() {
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
			if c.name == "killed-before" && !settings.all && settings.only == "" {
				points = points[:min(few, len(points))]
			}
			s.points = append(s.points, points...)
		}
	}
	s.suffer(t)
	s.verdict(t, 2*time.Second)
	t.Logf("took %s; the manager is ready after %s", time.Since(begun).Round(time.Second), s.h.startup())
	summary = append(summary, fmt.Sprintf("%d crash points, %d survived", len(s.points), s.survived()))
}

// TestFaults runs every class with every workload, each class on an API server of its own.
func TestFaults(t *testing.T) {
	if !settings.all {
		t.Skip("set FAULTS_ALL=1: it takes hours")
	}
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS is not set: the faults need API servers of their own")
	}
	binary := build(t)
	for _, c := range classes() {
		if c.wanted() {
			t.Run(c.name, func(t *testing.T) { c.test(t, binary) })
		}
	}
}

// most is how many runs share an API server: the more Instances, the slower each restart.
const most = 120

func (c *class) test(t *testing.T, binary string) {
	var queue []*point
	for part, ok := 1, true; ok && (part == 1 || len(queue) > 0); part++ {
		ok = t.Run("part"+strconv.Itoa(part), func(t *testing.T) {
			own, err := cluster.Start()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := own.Stop(); err != nil {
					t.Error(err)
				}
			})
			s := &suite{h: newHarness(t, own, binary, "f", c.apart, c.env...), workloads: c.usable()}
			s.refer(t)
			if part == 1 {
				for _, w := range s.workloads {
					queue = append(queue, s.h.points(c, w, s.references[w.name].trace())...)
				}
			}
			n := min(most, len(queue))
			s.points, queue = queue[:n], queue[n:]
			s.suffer(t)
			s.verdict(t, 10*time.Second)
		})
	}
}

// usable are the workloads of a class that the environment asks for.
func (c *class) usable() []*workloadCase {
	var out []*workloadCase
	for i := range workloads {
		if w := &workloads[i]; w.wanted() && (c.workloads == nil || slices.Contains(c.workloads, w.name)) {
			out = append(out, w)
		}
	}
	return out
}
