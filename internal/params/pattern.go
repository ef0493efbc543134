// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"regexp/syntax"
	"strings"
)

const maxPatternDepth = 32

// matching gives a string that a regular expression likely matches: the
// shortest choice everywhere, or a slightly longer one.
func matching(re *syntax.Regexp, at end, depth int) string {
	if depth > maxPatternDepth {
		return ""
	}
	sub := func(i int) string { return matching(re.Sub[i], at, depth+1) }
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return string(pick(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpCapture:
		return sub(0)
	case syntax.OpConcat:
		var b strings.Builder
		for i := range re.Sub {
			if b.Len() > maxSampleLeast {
				break
			}
			b.WriteString(sub(i))
		}
		return b.String()
	case syntax.OpAlternate:
		if at == greatest {
			return sub(len(re.Sub) - 1)
		}
		return sub(0)
	case syntax.OpPlus:
		return sub(0)
	case syntax.OpStar, syntax.OpQuest:
		if at == greatest {
			return sub(0)
		}
	case syntax.OpRepeat:
		return repeated(sub(0), re, at)
	}
	return ""
}

func repeated(s string, re *syntax.Regexp, at end) string {
	n := re.Min
	if at == greatest && re.Max > n {
		n++
	}
	if len(s)*n > maxSampleLeast {
		return ""
	}
	return strings.Repeat(s, n)
}

// pick takes a letter or a digit of a class if it has one.
func pick(ranges []rune) rune {
	for _, usual := range "a0Abz19Z" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= usual && usual <= ranges[i+1] {
				return usual
			}
		}
	}
	if len(ranges) == 0 {
		return 'a'
	}
	return ranges[0]
}
