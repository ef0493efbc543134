// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzCompile: whatever the source, nothing panics, and what compiles gives
// the same answer twice.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`params.replicas > 3`, `objects.pods.filter(p, p.ready()).first().value().metadata.name`, `old == null`,
		`quantity(params.storage).add(3)`, `semver('1.2', true).major()`, `'a'.findAll('(a+)+', 3)`,
		`${params.zone} $${`, `${{'a': 1}.a}`, `lists.range(9999).map(i, i)`, `[[1]].flatten().distinct() == [1]`,
		`timestamp('2026-01-01T00:00:00Z').getHours()`, `'%s'.format([objects.pods])`, `has(self.status)`,
	} {
		f.Add(seed)
	}
	e, v := env(f), vars()
	f.Fuzz(func(t *testing.T, source string) {
		for _, kind := range []Kind{When, ReadyWhen, Rule, Objects, Value} {
			if p, err := e.Compile(kind, source); err == nil {
				same(t, p.Eval(v), p.Eval(v))
			}
		}
		if text, err := e.CompileString(Value, source); err == nil {
			same(t, text.Eval(v), text.Eval(v))
		}
	})
}

func same(t *testing.T, a, b Result) {
	t.Helper()
	if a.Outcome != b.Outcome || a.Note != b.Note || !cmp.Equal(a.Value, b.Value) {
		t.Fatalf("two answers: %+v and %+v", a, b)
	}
	if (a.Problem() == nil) != (a.Outcome == Done) {
		t.Fatalf("a problem and an outcome that disagree: %+v", a)
	}
}
