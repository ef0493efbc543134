// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"math"
	"math/big"
)

// maxExactFloat is the largest integer up to which every integer is a float64.
const maxExactFloat = 1 << 53

func isNumber(v any) bool {
	switch v.(type) {
	case int64, uint64, float64:
		return true
	}
	return false
}

// isInteger is true for integers and for floats that are one exactly, such as 1.0.
func isInteger(v any) bool {
	switch n := v.(type) {
	case int64, uint64:
		return true
	case float64:
		return n == math.Trunc(n) && math.Abs(n) <= maxExactFloat
	}
	return false
}

// compareNumbers compares exactly: no integer is rounded to a float.
func compareNumbers(a, b any) int {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	}
	return rational(a).Cmp(rational(b))
}

func rational(v any) *big.Rat {
	switch n := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(n)
	case uint64:
		return new(big.Rat).SetUint64(n)
	case float64:
		if r := new(big.Rat).SetFloat64(n); r != nil {
			return r
		}
	}
	return new(big.Rat)
}

func float(v any) float64 {
	switch n := v.(type) {
	case int64:
		return float64(n)
	case uint64:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

// isMultiple allows for the rounding of decimals: 0.3 is a multiple of 0.1.
func isMultiple(v, of any) bool {
	if i, ok := v.(int64); ok {
		if m, ok := of.(int64); ok {
			return i%m == 0
		}
	}
	if isInteger(v) && isInteger(of) {
		return new(big.Rat).Quo(rational(v), rational(of)).IsInt()
	}
	q := float(v) / float(of)
	return math.Abs(q-math.Round(q)) <= 1e-9*math.Max(1, math.Abs(q))
}

// finite numbers are the only ones that JSON has.
func finite(v any) bool {
	f, ok := v.(float64)
	return !ok || !math.IsNaN(f) && !math.IsInf(f, 0)
}
