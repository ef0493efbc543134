// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"math"
	"regexp/syntax"
	"strings"
)

// end is the end of a range that a sample is taken from.
type end int

const (
	least end = iota
	greatest
)

const (
	// maxSampleText and maxSampleItems keep the greatest samples small enough to render;
	// maxSampleLeast is how far a schema's own lower bound is followed.
	maxSampleText  = 64
	maxSampleItems = 3
	maxSampleLeast = 4096
	maxSampleDepth = 8
)

// sample guesses a value at an end of what the schema allows. The caller checks that it fits.
func (n *node) sample(at end) any { return n.sampleAt(at, 0) }

func (n *node) sampleAt(at end, depth int) any {
	if depth > maxSampleDepth {
		return nil
	}
	if len(n.enum) > 0 {
		return n.enumEnd(at)
	}
	switch {
	case n.intOrString || n.typ == typeInteger || n.typ == typeNumber:
		return n.sampleNumber(at)
	case n.typ == typeBoolean:
		return at == greatest
	case n.typ == typeArray:
		return n.sampleList(at, depth)
	case n.typ == typeObject:
		return n.sampleObject(at, depth)
	}
	return n.sampleText(at)
}

// enumEnd is the least or greatest number, or the first or last of other values.
func (n *node) enumEnd(at end) any {
	best := n.enum[0]
	for _, v := range n.enum[1:] {
		if !isNumber(v) || !isNumber(best) {
			if at == greatest {
				best = v
			}
			continue
		}
		if c := compareNumbers(v, best); at == least && c < 0 || at == greatest && c > 0 {
			best = v
		}
	}
	return best
}

// sampleNumber stays at the known bound where the other end is open: what is
// huge only because nobody set a maximum would fail templates that are right.
func (n *node) sampleNumber(at end) any {
	bound, exclusive, inward := n.minimum, n.aboveMin, 1.0
	if at == greatest || bound == nil {
		if n.maximum != nil {
			bound, exclusive, inward = n.maximum, n.belowMax, -1.0
		}
		if at == least && n.minimum == nil && (n.maximum == nil || compareNumbers(int64(0), n.maximum) < 0) {
			bound, exclusive = int64(0), false
		}
	}
	if bound == nil {
		return int64(1)
	}
	step := 1.0
	if n.multipleOf != nil {
		step = float(n.multipleOf)
	}
	v := float(bound)
	if n.multipleOf != nil {
		rounded := math.Ceil(v / step)
		if inward < 0 {
			rounded = math.Floor(v / step)
		}
		v = rounded * step
	}
	if exclusive && v == float(bound) {
		v += inward * step
	}
	if v == float(bound) {
		return bound
	}
	if n.typ != typeNumber || v == math.Trunc(v) {
		return int64(v)
	}
	return v
}

func (n *node) sampleText(at end) any {
	if n.format != "" && stringFormats[n.format] != "" {
		return stringFormats[n.format]
	}
	if n.pattern != nil {
		re, err := syntax.Parse(n.pattern.String(), syntax.Perl)
		if err != nil {
			return nil
		}
		return matching(re, at, 0)
	}
	size := bounded(at, n.minLength, n.maxLength, maxSampleText)
	if size == 0 && at == least && n.minLength == nil {
		size = 1
		if n.maxLength != nil && *n.maxLength == 0 {
			size = 0
		}
	}
	return strings.Repeat("a", size)
}

func (n *node) sampleList(at end, depth int) any {
	out := []any{}
	for range bounded(at, n.minItems, n.maxItems, maxSampleItems) {
		item := n.items.sampleAt(at, depth+1)
		if n.unique && contains(out, item) {
			break
		}
		out = append(out, item)
	}
	return out
}

// sampleObject sets the required properties, or all of them.
func (n *node) sampleObject(at end, depth int) any {
	out := map[string]any{}
	for _, name := range n.required {
		if p := n.property(name); p != nil {
			out[name] = p.sampleAt(at, depth+1)
		}
	}
	if at == greatest {
		for name, p := range n.properties {
			if v := p.sampleAt(at, depth+1); v != nil && len(p.check(v, nil)) == 0 {
				out[name] = v
			}
		}
	}
	if n.additional != nil {
		keys := []string{"a", "b", "c"}
		for _, key := range keys[:min(len(keys), bounded(at, n.minProperties, n.maxProperties, 1))] {
			out[key] = n.additional.sampleAt(at, depth+1)
		}
	}
	return out
}

// bounded is a size at an end of a range, kept small.
func bounded(at end, low, high *int64, usual int) int {
	from := 0
	if low != nil {
		from = int(min(*low, maxSampleLeast))
	}
	if at == least {
		return from
	}
	to := usual
	if high != nil {
		to = int(min(*high, int64(usual)))
	}
	return max(from, to)
}
