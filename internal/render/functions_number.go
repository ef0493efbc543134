// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

func numberFunctions() map[string]function {
	return map[string]function{
		"int":     {min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) { return toInt(a[0]) }},
		"int64":   {min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) { return toInt(a[0]) }},
		"atoi":    {min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) { return toInt(a[0]) }},
		"float64": {min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) { return toFloat(a[0]) }},
		"add":     fold(1, addInt), "sub": fold(2, subInt), "mul": fold(1, mulInt), "div": fold(2, divInt), "mod": fold(2, modInt),
		"add1": {min: 1, max: 1, impl: func(x *execution, a []any) (any, error) { return fold(2, addInt).impl(x, []any{a[0], int64(1)}) }},
		"max":  fold(1, func(a, b int64) (int64, error) { return max(a, b), nil }),
		"min":  fold(1, func(a, b int64) (int64, error) { return min(a, b), nil }),
		"addf": decimal("addf"), "subf": decimal("subf"), "mulf": decimal("mulf"), "divf": decimal("divf"),
		"maxf": foldFloat(math.Max), "minf": foldFloat(math.Min),
		"ceil": float1(math.Ceil), "floor": float1(math.Floor), "round": {min: 2, max: 2, impl: round},
		"until": {min: 1, max: 1, impl: until}, "untilStep": {min: 3, max: 3, impl: untilStep}, "seq": {min: 1, max: 3, impl: seq},
	}
}

// fold adapts an operation on integers to any number of them.
func fold(least int, op func(a, b int64) (int64, error)) function {
	return function{min: least, max: many, impl: func(_ *execution, a []any) (any, error) {
		out, err := toInt(a[0])
		for _, v := range a[1:] {
			if err != nil {
				break
			}
			var next int64
			if next, err = toInt(v); err == nil {
				out, err = op(out, next)
			}
		}
		return out, err
	}}
}

var errOverflow = fault("", "the result does not fit in 64 bits")

func addInt(a, b int64) (int64, error) {
	c := a + b
	if (c > a) != (b > 0) && b != 0 {
		return 0, errOverflow
	}
	return c, nil
}

func subInt(a, b int64) (int64, error) {
	c := a - b
	if (c < a) != (b > 0) && b != 0 {
		return 0, errOverflow
	}
	return c, nil
}

func mulInt(a, b int64) (int64, error) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	negative := (a < 0) != (b < 0)
	if high != 0 || low > math.MaxInt64+1 || (low > math.MaxInt64 && !negative) {
		return 0, errOverflow
	}
	return a * b, nil
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func divInt(a, b int64) (int64, error) {
	if b == 0 {
		return 0, fault("", "division by zero")
	}
	if b == -1 {
		return subInt(0, a)
	}
	return a / b, nil
}

func modInt(a, b int64) (int64, error) {
	if b == 0 {
		return 0, fault("", "division by zero")
	}
	if b == -1 {
		return 0, nil
	}
	return a % b, nil
}

func floats(a []any) ([]any, error) {
	out := make([]any, len(a))
	for i, v := range a {
		f, err := toFloat(v)
		if err != nil {
			return nil, err
		}
		if math.Abs(f) > 1e18 || (f != 0 && math.Abs(f) < 1e-18) {
			return nil, limit("", "a number is out of the range of decimal arithmetic")
		}
		out[i] = f
	}
	return out, nil
}

// decimal computes with Sprig's decimals, so that 0.1 plus 0.2 is 0.3. Range and
// number of operands are bounded, so the digits are.
func decimal(name string) function {
	least := 2
	return function{min: least, max: 16, impl: func(x *execution, a []any) (any, error) {
		values, err := floats(a)
		if err != nil {
			return nil, err
		}
		if err := x.charge(4096); err != nil {
			return nil, err
		}
		switch f := sprigFuncs[name].(type) {
		case func(...any) float64:
			return floatData(f(values...)), nil
		case func(any, ...any) float64:
			return floatData(f(values[0], values[1:]...)), nil
		}
		return nil, fault("", "is not available")
	}}
}

func foldFloat(op func(a, b float64) float64) function {
	return function{min: 1, max: many, impl: func(_ *execution, a []any) (any, error) {
		out, err := toFloat(a[0])
		for _, v := range a[1:] {
			next, nextErr := toFloat(v)
			if nextErr != nil {
				return nil, nextErr
			}
			out = op(out, next)
		}
		return floatData(out), err
	}}
}

func float1(op func(float64) float64) function {
	return function{min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) {
		f, err := toFloat(a[0])
		return floatData(op(f)), err
	}}
}

func round(_ *execution, a []any) (any, error) {
	f, err := toFloat(a[0])
	if err != nil {
		return nil, err
	}
	places, err := small(a[1], 15)
	if err != nil {
		return nil, err
	}
	if places < 0 {
		return nil, fault("", "the number of decimals is negative")
	}
	out, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', places, 64), 64)
	return floatData(out), nil
}

func until(x *execution, a []any) (any, error) {
	stop, err := toInt(a[0])
	if err != nil {
		return nil, err
	}
	step := int64(1)
	if stop < 0 {
		step = -1
	}
	return steps(x, 0, stop, step)
}

func untilStep(x *execution, a []any) (any, error) {
	var n [3]int64
	for i, v := range a {
		var err error
		if n[i], err = toInt(v); err != nil {
			return nil, err
		}
	}
	return steps(x, n[0], n[1], n[2])
}

const maxNumbers = 10_000

// steps lists start, start+step, … before stop.
func steps(x *execution, start, stop, step int64) ([]any, error) {
	out := []any{}
	if step == 0 {
		return out, nil
	}
	for i := start; (step > 0 && i < stop) || (step < 0 && i > stop); {
		if len(out) == maxNumbers {
			return nil, limit("", "more than %d numbers are asked for", maxNumbers)
		}
		if err := x.charge(2 * slot); err != nil {
			return nil, err
		}
		out = append(out, i)
		if (step > 0 && i > stop-step) || (step < 0 && i < stop-step) {
			break
		}
		i += step
	}
	return out, nil
}

// seq is the shell's: seq last, seq first last, seq first step last.
func seq(x *execution, a []any) (any, error) {
	n := make([]int64, len(a))
	for i, v := range a {
		value, err := small(v, 1<<40)
		if err != nil {
			return nil, err
		}
		n[i] = int64(value)
	}
	first, last, step := int64(1), n[len(n)-1], int64(1)
	if len(n) > 1 {
		first = n[0]
	}
	if last < first {
		step = -1
	}
	if len(n) == 3 {
		step = n[1]
	}
	end := last + 1
	if step < 0 {
		end = last - 1
	}
	list, err := steps(x, first, end, step)
	if err != nil {
		return nil, err
	}
	words, err := texts(list)
	return strings.Join(words, " "), err
}
