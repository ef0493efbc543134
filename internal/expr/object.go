// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// objectFunctions declares our own functions on Kubernetes objects.
func objectFunctions() cel.EnvOption {
	object := cel.MapType(cel.StringType, cel.DynType)
	// An object that does not exist is null: it is not ready and has no conditions.
	return options(
		cel.Function("ready",
			cel.MemberOverload("object_ready", []*cel.Type{object}, cel.BoolType, cel.UnaryBinding(ready)),
			cel.MemberOverload("null_ready", []*cel.Type{cel.NullType}, cel.BoolType,
				cel.UnaryBinding(func(ref.Val) ref.Val { return types.False }))),
		cel.Function("condition",
			cel.MemberOverload("object_condition", []*cel.Type{object, cel.StringType}, cel.DynType, cel.BinaryBinding(condition)),
			cel.MemberOverload("null_condition", []*cel.Type{cel.NullType, cel.StringType}, cel.DynType,
				cel.BinaryBinding(func(ref.Val, ref.Val) ref.Val { return types.NullValue }))),
		cel.Function("ordinal",
			cel.MemberOverload("object_ordinal", []*cel.Type{object}, cel.IntType, cel.UnaryBinding(ordinal))),
		cel.Function("restarts",
			cel.MemberOverload("pod_restarts", []*cel.Type{object}, cel.IntType, cel.UnaryBinding(restarts))),
		cel.Function("outdated",
			cel.MemberOverload("pod_outdated", []*cel.Type{object, object}, cel.BoolType, cel.BinaryBinding(outdated)),
			cel.MemberOverload("pod_outdated_null", []*cel.Type{object, cel.NullType}, cel.BoolType,
				cel.BinaryBinding(func(ref.Val, ref.Val) ref.Val { return notYet("the StatefulSet given to outdated()") }))),
	)
}

// notYet is an error that reads as Missing.
func notYet(what string) ref.Val {
	return types.WrapErr(fmt.Errorf("%s is %w", what, errMissing))
}

// field reads a nested field; nil if there is none or it is null.
func field(v ref.Val, path ...string) ref.Val {
	for _, name := range path {
		m, ok := v.(traits.Mapper)
		if !ok {
			return nil
		}
		if v, ok = m.Find(types.String(name)); !ok {
			return nil
		}
	}
	if v == types.NullValue {
		return nil
	}
	return v
}

// ready is true if the condition Ready is and the object is not being deleted.
func ready(object ref.Val) ref.Val {
	if field(object, "metadata", "deletionTimestamp") != nil {
		return types.False
	}
	c := condition(object, types.String("Ready"))
	return types.Bool(field(c, "status") == types.String("True"))
}

// condition gives the condition of a type, or null.
func condition(object, name ref.Val) ref.Val {
	list, ok := field(object, "status", "conditions").(traits.Lister)
	if !ok {
		return types.NullValue
	}
	for it := list.Iterator(); it.HasNext() == types.True; {
		if c := it.Next(); field(c, "type") == name {
			return c
		}
	}
	return types.NullValue
}

// ordinal is the number at the end of the name.
func ordinal(object ref.Val) ref.Val {
	name, ok := field(object, "metadata", "name").(types.String)
	if !ok {
		return notYet("metadata.name")
	}
	digits := string(name)[strings.LastIndex(string(name), "-")+1:]
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || !strings.Contains(string(name), "-") {
		return types.NewErr("ordinal() needs an object whose name ends in a number, such as zk-0")
	}
	return types.Int(int64(n))
}

// restarts counts those of all containers.
func restarts(pod ref.Val) ref.Val {
	total := types.Int(0)
	list, ok := field(pod, "status", "containerStatuses").(traits.Lister)
	if !ok {
		return total
	}
	for it := list.Iterator(); it.HasNext() == types.True; {
		if n, ok := field(it.Next(), "restartCount").(types.Int); ok {
			total += n
		}
	}
	return total
}

// outdated is true if the pod is of another revision than the StatefulSet
// wants. Until the StatefulSet's controller has seen its newest spec, the
// revision that its status names is the old one, so nothing is known.
func outdated(pod, sts ref.Val) ref.Val {
	generation, _ := field(sts, "metadata", "generation").(types.Int)
	observed, _ := field(sts, "status", "observedGeneration").(types.Int)
	if observed < generation {
		return notYet("a status of the StatefulSet's newest generation")
	}
	want, ok := field(sts, "status", "updateRevision").(types.String)
	if !ok || want == "" {
		return notYet("status.updateRevision of the StatefulSet")
	}
	return types.Bool(field(pod, "metadata", "labels", "controller-revision-hash") != want)
}
