// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

// Program is a compiled expression, safe for concurrent use.
type Program struct {
	env *Env
	// want is the kind whose result the program must give.
	want    Kind
	checked *cel.Ast
	run     cel.Program
	traced  func() (cel.Program, error)
	refs    References
}

// Compile checks an expression against what its kind sees and must yield.
func (e *Env) Compile(kind Kind, source string) (*Program, error) {
	if strings.TrimSpace(source) == "" {
		return nil, &Error{Msg: "the expression is empty"}
	}
	if n := utf8.RuneCountInString(source); n > MaxLength {
		return nil, &Error{Msg: fmt.Sprintf("the expression has %d characters; at most %d are allowed", n, MaxLength)}
	}
	return e.compile(kind, source, false)
}

// compile makes a program that sees what kind sees. One within a text may yield anything.
func (e *Env) compile(kind Kind, source string, text bool) (*Program, error) {
	env := e.of(kind)
	parsed, issues := env.Parse(source)
	if issues.Err() != nil {
		return nil, e.firstIssue(issues, nil, kind)
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, e.firstIssue(issues, parsed, kind)
	}
	want := kind
	if text {
		want = Value
	}
	if err := yields(want, checked.OutputType()); err != nil {
		return nil, err
	}
	p := &Program{env: e, want: want, checked: checked, refs: references(checked)}
	var err error
	if p.run, err = env.Program(checked, programOptions(env)...); err != nil {
		return nil, &Error{Msg: scrub(err.Error())}
	}
	p.traced = sync.OnceValues(func() (cel.Program, error) {
		return env.Program(checked, append(programOptions(env), cel.EvalOptions(cel.OptTrackState))...)
	})
	return p, nil
}

func programOptions(env *cel.Env) []cel.ProgramOption {
	return []cel.ProgramOption{
		cel.CostLimit(CostLimit),
		cel.EvalOptions(cel.OptTrackCost),
		cel.CostTrackerOptions(regexCosts()...),
		cel.CustomDecoratorV2(guard(env)),
	}
}

// yields checks the type of the result where it is known.
func yields(kind Kind, t *cel.Type) error {
	if t.Kind() == types.DynKind {
		return nil
	}
	switch kind {
	case When, Until, ReadyWhen, Rule:
		if !t.IsAssignableType(cel.BoolType) {
			return &Error{Msg: fmt.Sprintf("the expression must yield true or false, not %s", cel.FormatCELType(t))}
		}
	case Objects:
		if t.Kind() != types.ListKind {
			return &Error{Msg: fmt.Sprintf("the expression must yield a list of objects, not %s", cel.FormatCELType(t))}
		}
	case Value:
	}
	return nil
}
