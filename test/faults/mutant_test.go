// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"slices"
	"strings"
	"testing"
)

// mutant is a manager with a fault of its own that the harness must find.
type mutant struct {
	name  string
	edits []edit
	// workload and write after which it is killed.
	workload, write string
	// finds is a part of the problem that must be among those found.
	finds string
}

// mutants break one rule of the design each, and work as long as nothing crashes.
var mutants = []mutant{
	{
		name: "names that are not derived",
		edits: []edit{
			{"internal/revision/name.go", `	"strings"`, `	"strings"
	"time"`},
			{"internal/revision/name.go", `func derive(`, `func derive(prefix string, parts ...string) string {
	return deriveFrom(prefix, append(parts, process)...)
}

// process makes names stable while a manager runs, and others in the next one.
var process = time.Now().String()

func deriveFrom(`},
		},
		workload: "deploy", write: "POST jobs#1",
		finds: "times that jobs one-verify-HASH was made: 2, in the reference 1",
	},
	{
		name: "effects before write-ahead",
		edits: []edit{
			{"controllers/planexecution/proceed.go", `d.WriteAhead && len(ready) > 0`, `false && d.WriteAhead && len(ready) > 0`},
		},
		workload: "upgrade", write: "DELETE statefulsets/one#1",
		finds: "another end state",
	},
}

// TestMutants proves that the harness can see: each mutant breaks a rule, and a crash at
// the right moment must bring it to light.
func TestMutants(t *testing.T) {
	for i := range mutants {
		m := &mutants[i]
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) { m.test(t, i) })
	}
}

func (m *mutant) test(t *testing.T, i int) {
	t.Helper()
	h := newHarness(t, build(t, m.edits...), "mutant"+string(rune('a'+i)))
	w := &workloads[slices.IndexFunc(workloads, func(w workloadCase) bool { return w.name == m.workload })]
	reference := &run{workload: w, namespace: h.prefix + "-reference"}
	k := strings.LastIndex(m.write, "#")
	p := h.newPoint(w, "mutant", 1, fault{
		write: write{key: m.write[:k], nth: 1}, crash: func() { _ = h.kill() },
	})
	if err := h.prepare(t.Context(), []*run{reference, &p.run}); err != nil {
		t.Fatal(err)
	}
	h.perform(t.Context(), reference, nil)
	h.perform(t.Context(), &p.run, &p.fault)
	if err := h.judge(reference, []*run{&p.run}); err != nil {
		t.Fatal(err)
	}
	if len(reference.problems) > 0 {
		t.Errorf("it does not even work without a crash:\n\t%s", strings.Join(reference.problems, "\n\t"))
	}
	found := strings.Join(p.problems, "\n\t")
	if !strings.Contains(found, m.finds) {
		t.Errorf("the harness did not find %q; found:\n\t%s", m.finds, found)
	}
	t.Logf("found, as it should:\n\t%s", found)
}
