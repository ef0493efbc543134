// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// opaque is a value of a type that only our own functions know.
type opaque[T any] struct {
	value T
	kind  *cel.Type
	text  func(T) string
	equal func(a, b T) bool
}

// ConvertToNative implements ref.Val.
func (o *opaque[T]) ConvertToNative(t reflect.Type) (any, error) {
	if reflect.TypeOf(o.value).AssignableTo(t) {
		return o.value, nil
	}
	return nil, fmt.Errorf("type conversion error from %s to %s", o.kind.TypeName(), t)
}

// ConvertToType implements ref.Val.
func (o *opaque[T]) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case o.kind:
		return o
	case types.TypeType:
		return o.kind
	case types.StringType:
		return types.String(o.text(o.value))
	}
	return types.NewErr("type conversion error from %s to %s", o.kind.TypeName(), t.TypeName())
}

// Equal implements ref.Val.
func (o *opaque[T]) Equal(other ref.Val) ref.Val {
	b, ok := other.(*opaque[T])
	return types.Bool(ok && o.equal(o.value, b.value))
}

// Type implements ref.Val.
func (o *opaque[T]) Type() ref.Type { return o.kind }

// Value implements ref.Val.
func (o *opaque[T]) Value() any { return o.value }

// String is the value in a result.
func (o *opaque[T]) String() string { return o.text(o.value) }

// on1 and on2 bind functions of one or two opaque values.
func on1[T any](f func(T) ref.Val) cel.OverloadOpt {
	return cel.UnaryBinding(func(v ref.Val) ref.Val {
		o, ok := v.(*opaque[T])
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		return f(o.value)
	})
}

func on2[T any](f func(a, b T) ref.Val) cel.OverloadOpt {
	return cel.BinaryBinding(func(v, w ref.Val) ref.Val {
		a, ok1 := v.(*opaque[T])
		b, ok2 := w.(*opaque[T])
		if !ok1 || !ok2 {
			return types.MaybeNoSuchOverloadErr(w)
		}
		return f(a.value, b.value)
	})
}

// onText binds a function of a string.
func onText(f func(string) ref.Val) cel.OverloadOpt {
	return cel.UnaryBinding(func(v ref.Val) ref.Val {
		s, ok := v.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		return f(string(s))
	})
}

// comparisons declares isGreaterThan, isLessThan and compareTo.
func comparisons[T any](name string, t *cel.Type, compare func(a, b T) int) []cel.EnvOption {
	args := []*cel.Type{t, t}
	return []cel.EnvOption{
		cel.Function("isGreaterThan", cel.MemberOverload(name+"_is_greater_than", args, cel.BoolType,
			on2(func(a, b T) ref.Val { return types.Bool(compare(a, b) > 0) }))),
		cel.Function("isLessThan", cel.MemberOverload(name+"_is_less_than", args, cel.BoolType,
			on2(func(a, b T) ref.Val { return types.Bool(compare(a, b) < 0) }))),
		cel.Function("compareTo", cel.MemberOverload(name+"_compare_to", args, cel.IntType,
			on2(func(a, b T) ref.Val { return types.Int(compare(a, b)) }))),
	}
}

// options joins declarations into one.
func options(all ...cel.EnvOption) cel.EnvOption {
	return func(env *cel.Env) (*cel.Env, error) {
		var err error
		for _, option := range all {
			if env, err = option(env); err != nil {
				return nil, err
			}
		}
		return env, nil
	}
}
