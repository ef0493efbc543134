// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"kudo.dev/kudo/internal/testing/cluster"
)

// summary is what is said at the very end, rows are those of the table.
var (
	summary []string
	rows    []*row
)

// row counts what became of the runs of a class.
type row struct {
	class     *class
	workloads []string
	runs      int
	violated  map[string]int
}

// take counts a run.
func take(p *point) {
	i := slices.IndexFunc(rows, func(r *row) bool { return r.class.name == p.class.name })
	if i < 0 {
		i = len(rows)
		rows = append(rows, &row{class: p.class, violated: map[string]int{}})
	}
	r := rows[i]
	r.runs++
	if !slices.Contains(r.workloads, p.workload.name) {
		r.workloads = append(r.workloads, p.workload.name)
	}
	rules := map[string]bool{}
	for _, problem := range p.problems {
		rules[problem.rule] = true
	}
	for rule := range rules {
		r.violated[rule]++
	}
}

// table shows the rows, as in docs/faults.md.
func table() string {
	if len(rows) == 0 {
		return ""
	}
	place := map[string]int{}
	for i, c := range classes() {
		place[c.name] = i
	}
	slices.SortFunc(rows, func(a, b *row) int { return cmp.Compare(place[a.class.name], place[b.class.name]) })
	rules := []string{ruleEnd, ruleState, ruleEffect, ruleSafety, ruleQuiet, ruleLog}
	var out strings.Builder
	fmt.Fprintf(&out, "| class | fault | workloads | runs | %s |\n|---|---|---|---|%s\n", strings.Join(rules, " | "), strings.Repeat("---|", len(rules)))
	for _, r := range rows {
		slices.Sort(r.workloads)
		fmt.Fprintf(&out, "| %s | %s | %s | %d |", r.class.letter, r.class.title, strings.Join(r.workloads, ", "), r.runs)
		for _, rule := range rules {
			fmt.Fprintf(&out, " %d |", r.violated[rule])
		}
		out.WriteString("\n")
	}
	return out.String()
}

func TestMain(m *testing.M) {
	fmt.Printf("seed: FAULTS_SEED=%d\n", settings.seed)
	code := cluster.Run(m)
	text := table()
	fmt.Print(text)
	if path := os.Getenv("FAULTS_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	for _, line := range summary {
		fmt.Println(line)
	}
	os.Exit(code)
}
