// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// function is one function that templates may call.
type function struct {
	min, max int
	// lazy functions get their arguments as they are and charge for themselves;
	// the others get plain data whose size has been paid for.
	lazy bool
	impl impl
}

type impl func(x *execution, args []any) (any, error)

const many = 64

// functionTable is the allow-list. What is not in it does not exist: no
// environment, files, network, clock or randomness.
var functionTable = func() map[string]function {
	table := map[string]function{}
	for _, group := range []map[string]function{
		textFunctions(), layoutFunctions(), flowFunctions(), numberFunctions(), listFunctions(),
		mapFunctions(), codecFunctions(), regexFunctions(), quantityFunctions(), compareFunctions(),
	} {
		for name, f := range group {
			if _, twice := table[name]; twice {
				panic("function " + name + " is declared twice")
			}
			table[name] = f
		}
	}
	for alias, name := range aliases {
		table[alias] = table[name]
	}
	return table
}()

// aliases are Sprig's other names; every function here is a must variant.
var aliases = map[string]string{
	"mustToJson": "toJson", "mustFromJson": "fromJson", "mustToPrettyJson": "toPrettyJson", "toRawJson": "toJson", "mustToRawJson": "toJson",
	"mustToYaml": "toYaml", "mustFromYaml": "fromYaml", "mustMerge": "merge", "mustMergeOverwrite": "mergeOverwrite", "mustDeepCopy": "deepCopy",
	"mustAppend": "append", "push": "append", "mustPush": "append", "mustPrepend": "prepend", "mustFirst": "first", "mustLast": "last",
	"mustRest": "rest", "mustInitial": "initial", "mustReverse": "reverse", "mustUniq": "uniq", "mustWithout": "without", "mustHas": "has",
	"mustSlice": "slice", "mustChunk": "chunk", "mustCompact": "compact", "tuple": "list", "biggest": "max", "trimall": "trimAll",
	"mustRegexMatch": "regexMatch", "mustRegexFind": "regexFind", "mustRegexFindAll": "regexFindAll", "mustRegexSplit": "regexSplit",
	"mustRegexReplaceAll": "regexReplaceAll", "mustRegexReplaceAllLiteral": "regexReplaceAllLiteral",
}

// sprigFuncs are called only through the entries of functionTable.
var sprigFuncs = sprig.GenericFuncMap()

// sprigFunc panics at start-up, and so in every test, if Sprig changes a signature.
func sprigFunc[F any](name string) F {
	f, ok := sprigFuncs[name].(F)
	if !ok {
		panic("Sprig's " + name + " has another signature")
	}
	return f
}

// FunctionNames lists what templates may call, and, or and not included, sorted.
func FunctionNames() []string {
	names := slices.Collect(maps.Keys(functionTable))
	names = append(names, "and", "or", "not")
	slices.Sort(names)
	return names
}

// callable is what the parser accepts.
func callable() map[string]any {
	out := map[string]any{}
	for _, name := range FunctionNames() {
		out[name] = true
	}
	return out
}

// functions binds to this execution the functions that the set uses. and, or and
// not are text/template's own: they only choose, and and/or must short-circuit.
func (x *execution) functions() template.FuncMap {
	out := template.FuncMap{
		fnStep: x.step, fnEnter: x.enter, fnLeave: x.leave, fnAt: x.position, fnEmit: x.emit, fnRange: x.ranged,
	}
	for name := range x.set.used {
		if f, found := functionTable[name]; found {
			out[name] = x.bind(name, f)
		}
	}
	return out
}

func (x *execution) bind(name string, f function) func(args ...any) (any, error) {
	return func(args ...any) (out any, err error) {
		// Sprig panics where Go would return an error.
		defer func() {
			if recover() != nil {
				out, err = nil, fault("check its arguments", "%s does not accept these arguments", name)
			}
		}()
		if len(args) < f.min || len(args) > f.max {
			return nil, fault("", "%s takes %s, not %d", name, arity(f), len(args))
		}
		for i, arg := range args {
			if args[i], err = x.argument(arg, f.lazy); err != nil {
				return nil, named(name, i, err)
			}
		}
		if out, err = f.impl(x, args); err != nil {
			return nil, named(name, -1, err)
		}
		return out, x.pay(out)
	}
}

// pay charges what a function made of its arguments.
func (x *execution) pay(out any) error {
	switch out := out.(type) {
	case string:
		return x.charge(len(out))
	case markup:
		return x.charge(len(out))
	}
	return nil
}

func named(function string, arg int, err error) error {
	var own *Error
	if !errors.As(err, &own) {
		return fault("check its arguments", "%s does not accept these arguments", function)
	}
	if own.Template != "" {
		return own
	}
	out := *own
	out.Msg = function + ": " + own.Msg
	if arg >= 0 {
		out.Msg = function + ": argument " + ordinal(arg) + ": " + own.Msg
	}
	return &out
}

func ordinal(i int) string { return strconv.Itoa(i + 1) }

func arity(f function) string {
	switch {
	case f.min == 1 && f.max == 1:
		return "1 argument"
	case f.min == f.max:
		return strconv.Itoa(f.min) + " arguments"
	case f.max == many:
		return "at least " + strconv.Itoa(f.min) + " arguments (at most 64)"
	}
	return strconv.Itoa(f.min) + " to " + strconv.Itoa(f.max) + " arguments"
}
