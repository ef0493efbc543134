// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

const (
	maxText  = 1 << 20
	maxItems = 100_000
	maxPairs = 4_000_000
)

// guards say what a call would make or walk, before it does: CEL charges the
// cost of a call after it, which is too late for one call that makes gigabytes.
var guards = map[string]func(args []ref.Val) (size, limit int){
	"replace":           guardReplace,
	"join":              guardJoin,
	"format":            func(args []ref.Val) (int, int) { return 16 * weighAll(args, maxText/16), maxText },
	"flatten":           func(args []ref.Val) (int, int) { return weighAll(args, maxItems), maxItems },
	"distinct":          func(args []ref.Val) (int, int) { return pairs(args[0], args[0]), maxPairs },
	"sets.contains":     func(args []ref.Val) (int, int) { return pairs(args[0], args[1]), maxPairs },
	"sets.equivalent":   func(args []ref.Val) (int, int) { return pairs(args[0], args[1]), maxPairs },
	"sets.intersects":   func(args []ref.Val) (int, int) { return pairs(args[0], args[1]), maxPairs },
	operators.Equals:    guardEquals,
	operators.NotEquals: guardEquals,
	operators.In:        guardEquals,
}

// guard replaces calls of the guarded functions.
func guard(env *cel.Env) interpreter.InterpretableDecoratorV2 {
	return func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		call, ok := i.(interpreter.InterpretableCall)
		if !ok || guards[call.Function()] == nil {
			return i, nil
		}
		apply, err := implementation(env, call.Function())
		if err != nil || apply == nil {
			return i, err
		}
		measure := guards[call.Function()]
		name := strings.Trim(call.Function(), "@")
		return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(args ...ref.Val) ref.Val {
			if size, limit := measure(args); size > limit {
				return types.NewErr("the values are too big for %s", describe(name))
			}
			return apply(args...)
		}), nil
	}
}

func describe(function string) string {
	if symbol, ok := operators.FindReverse(function); ok && symbol != "" {
		return symbol
	}
	return function + "()"
}

// implementation finds the dispatcher of a function. Equality is built into the
// interpreter and has none.
func implementation(env *cel.Env, name string) (functions.FunctionOp, error) {
	switch name {
	case operators.Equals:
		return func(args ...ref.Val) ref.Val { return types.Equal(args[0], args[1]) }, nil
	case operators.NotEquals:
		return func(args ...ref.Val) ref.Val { return types.Bool(types.Equal(args[0], args[1]) != types.True) }, nil
	}
	decl := env.Functions()[name]
	bindings, err := decl.Bindings()
	if err != nil {
		return nil, fmt.Errorf("binding %s: %w", name, err)
	}
	for _, b := range bindings {
		if b.Operator == name {
			return dispatch(b), nil
		}
	}
	return nil, nil
}

func dispatch(b *functions.Overload) functions.FunctionOp {
	return func(args ...ref.Val) ref.Val {
		switch {
		case len(args) == 1 && b.Unary != nil:
			return b.Unary(args[0])
		case len(args) == 2 && b.Binary != nil:
			return b.Binary(args[0], args[1])
		case b.Function != nil:
			return b.Function(args...)
		}
		return types.NewErr("no such overload")
	}
}

func guardReplace(args []ref.Val) (int, int) {
	text, ok1 := args[0].(types.String)
	from, ok2 := args[1].(types.String)
	to, ok3 := args[2].(types.String)
	if !ok1 || !ok2 || !ok3 {
		return 0, maxText
	}
	return len(text) + strings.Count(string(text), string(from))*len(to), maxText
}

func guardJoin(args []ref.Val) (int, int) {
	separator := 0
	if len(args) > 1 {
		if s, ok := args[1].(types.String); ok {
			separator = len(s)
		}
	}
	total := 0
	if list, ok := args[0].(traits.Lister); ok {
		for it := list.Iterator(); total <= maxText && it.HasNext() == types.True; {
			total += separator
			if s, ok := it.Next().(types.String); ok {
				total += len(s)
			}
		}
	}
	return total, maxText
}

// guardEquals bounds lists that hold themselves many times over, which are
// cheap to make and endless to compare.
func guardEquals(args []ref.Val) (int, int) { return weighAll(args, 2*maxItems), 2 * maxItems }

func weighAll(args []ref.Val, limit int) int {
	total := 0
	for _, arg := range args {
		if total < limit {
			total += weight(arg, limit+1-total)
		}
	}
	return total
}

func pairs(a, b ref.Val) int { return weight(a, maxPairs) * length(b) }

func length(v ref.Val) int {
	if list, ok := v.(traits.Lister); ok {
		if n, ok := list.Size().(types.Int); ok {
			return int(n)
		}
	}
	return 1
}
