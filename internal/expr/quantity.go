// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/api/resource"

	"kudo.dev/kudo/internal/params"
)

var quantityType = cel.OpaqueType("kubernetes.Quantity")

func newQuantity(q resource.Quantity) ref.Val {
	return &opaque[resource.Quantity]{
		value: q, kind: quantityType,
		text:  func(q resource.Quantity) string { return q.String() },
		equal: func(a, b resource.Quantity) bool { return a.Cmp(b) == 0 },
	}
}

// quantities declares the functions of Kubernetes' quantity library.
func quantities() cel.EnvOption {
	text, one := []*cel.Type{cel.StringType}, []*cel.Type{quantityType}
	type q = resource.Quantity
	all := append(comparisons("quantity", quantityType, func(a, b q) int { return a.Cmp(b) }),
		cel.Function("quantity", cel.Overload("string_to_quantity", text, quantityType, onText(parseQuantity))),
		cel.Function("isQuantity", cel.Overload("is_quantity_string", text, cel.BoolType, onText(func(s string) ref.Val {
			_, err := params.ParseQuantity(s)
			return types.Bool(err == nil)
		}))),
		cel.Function("sign", cel.MemberOverload("quantity_sign", one, cel.IntType,
			on1(func(v q) ref.Val { return types.Int(v.Sign()) }))),
		cel.Function("asInteger", cel.MemberOverload("quantity_get_int", one, cel.IntType, on1(asInteger))),
		cel.Function("isInteger", cel.MemberOverload("quantity_is_integer", one, cel.BoolType, on1(func(v q) ref.Val {
			_, ok := v.AsInt64()
			return types.Bool(ok)
		}))),
		cel.Function("asApproximateFloat", cel.MemberOverload("quantity_get_float", one, cel.DoubleType,
			on1(func(v q) ref.Val { return types.Double(v.AsApproximateFloat64()) }))),
		quantityArithmetic("add", func(a *q, b q) { a.Add(b) }),
		quantityArithmetic("sub", func(a *q, b q) { a.Sub(b) }),
	)
	return options(all...)
}

func parseQuantity(s string) ref.Val {
	v, err := params.ParseQuantity(s)
	if err != nil {
		return types.NewErr("the argument of quantity() is not a quantity such as 512Mi")
	}
	return newQuantity(v)
}

func asInteger(v resource.Quantity) ref.Val {
	i, ok := v.AsInt64()
	if !ok {
		return types.NewErr("the quantity is no integer of 64 bits")
	}
	return types.Int(i)
}

func quantityArithmetic(name string, change func(a *resource.Quantity, b resource.Quantity)) cel.EnvOption {
	apply := func(a, b resource.Quantity) ref.Val {
		sum := a.DeepCopy()
		change(&sum, b)
		return newQuantity(sum)
	}
	return cel.Function(name,
		cel.MemberOverload("quantity_"+name, []*cel.Type{quantityType, quantityType}, quantityType, on2(apply)),
		cel.MemberOverload("quantity_"+name+"_int", []*cel.Type{quantityType, cel.IntType}, quantityType,
			cel.BinaryBinding(func(v, w ref.Val) ref.Val {
				a, ok1 := v.(*opaque[resource.Quantity])
				b, ok2 := w.(types.Int)
				if !ok1 || !ok2 {
					return types.MaybeNoSuchOverloadErr(w)
				}
				return apply(a.value, *resource.NewQuantity(int64(b), resource.DecimalExponent))
			})))
}
