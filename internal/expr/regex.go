// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"regexp"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

const maxRegex = 1024

// regexes declares the functions of Kubernetes' regex library.
func regexes() cel.EnvOption {
	two := []*cel.Type{cel.StringType, cel.StringType}
	three := []*cel.Type{cel.StringType, cel.StringType, cel.IntType}
	return options(
		cel.Function("find", cel.MemberOverload("string_find_string", two, cel.StringType, cel.BinaryBinding(findFirst))),
		cel.Function("findAll",
			cel.MemberOverload("string_find_all_string", two, cel.ListType(cel.StringType),
				cel.BinaryBinding(func(s, re ref.Val) ref.Val { return findAll(s, re, types.Int(-1)) })),
			cel.MemberOverload("string_find_all_string_int", three, cel.ListType(cel.StringType),
				cel.FunctionBinding(findAll))),
	)
}

func findFirst(s, expression ref.Val) ref.Val {
	text, re, err := matcher(s, expression)
	if err != nil {
		return err
	}
	return types.String(re.FindString(text))
}

func findAll(args ...ref.Val) ref.Val {
	text, re, err := matcher(args[0], args[1])
	if err != nil {
		return err
	}
	n, ok := args[2].(types.Int)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[2])
	}
	found := re.FindAllString(text, int(max(n, -1)))
	if found == nil {
		found = []string{}
	}
	return types.DefaultTypeAdapter.NativeToValue(found)
}

func matcher(s, expression ref.Val) (string, *regexp.Regexp, ref.Val) {
	text, ok1 := s.(types.String)
	source, ok2 := expression.(types.String)
	if !ok1 || !ok2 {
		return "", nil, types.MaybeNoSuchOverloadErr(s)
	}
	if len(source) > maxRegex {
		return "", nil, types.NewErr("a regular expression may have %d bytes", maxRegex)
	}
	re, err := regexp.Compile(string(source))
	if err != nil {
		return "", nil, types.NewErr("the argument is not a regular expression of RE2")
	}
	return string(text), re, nil
}

// regexCosts charge find and findAll like matches: text times expression.
func regexCosts() []interpreter.CostTrackerOption {
	cost := func(args []ref.Val, _ ref.Val) *uint64 {
		text, _ := args[0].(types.String)
		source, _ := args[1].(types.String)
		c := uint64(1+len(text)/10) * uint64(1+len(source)/4)
		return &c
	}
	var out []interpreter.CostTrackerOption
	for _, id := range []string{"string_find_string", "string_find_all_string", "string_find_all_string_int"} {
		out = append(out, interpreter.OverloadCostTracker(id, cost))
	}
	return out
}
