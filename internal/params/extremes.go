// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import "slices"

const maxExtremes = 16

// Extremes gives a few valid sets of values to try templates with: the
// defaults, the least and the greatest that the schemas allow, and one set for
// each further alternative of enumerations and booleans. Rules over several
// parameters are not considered. There are none if a required parameter has a
// schema for which no sample is found, and no example: see Unsampled.
func (s *Schema) Extremes() []Values {
	base := s.sampled(func(*parameter) []any { return nil })
	if base == nil {
		return nil
	}
	sets := []Values{base}
	add := func(set Values) {
		same := func(other Values) bool { return equalObjects(set, other) }
		if set != nil && len(sets) < maxExtremes && !slices.ContainsFunc(sets, same) {
			sets = append(sets, set)
		}
	}
	add(s.sampled(func(p *parameter) []any { return []any{p.node.sample(least)} }))
	add(s.sampled(func(p *parameter) []any { return []any{p.node.sample(greatest)} }))
	for i := range maxExtremes {
		add(s.sampled(func(p *parameter) []any { return p.node.alternative(i) }))
	}
	return sets
}

// Unsampled names the required parameters for which no valid value is found.
func (s *Schema) Unsampled() []string {
	var out []string
	for _, name := range s.names {
		p := s.parameters[name]
		if p.required && !p.hasValue && !slices.ContainsFunc(p.node.samples(), func(v any) bool { return v != nil && len(p.check(v, nil)) == 0 }) {
			out = append(out, name)
		}
	}
	return out
}

// sampled makes a set from candidates, falling back to the default and then to
// the least sample, whichever is the first that fits. It is nil if nothing fits
// a required parameter.
func (s *Schema) sampled(candidates func(*parameter) []any) Values {
	set := make(map[string]any, len(s.names))
	for _, name := range s.names {
		p := s.parameters[name]
		tries := candidates(p)
		if p.hasValue {
			tries = append(tries, p.fallback)
		}
		if p.required {
			tries = append(tries, p.node.samples()...)
		}
		i := slices.IndexFunc(tries, func(v any) bool { return v != nil && len(p.check(v, nil)) == 0 })
		switch {
		case i >= 0:
			set[name] = deepCopy(tries[i])
		case p.required:
			return nil
		}
	}
	return s.complete(set)
}

// samples are guesses for a value: the author's example, the ends of the range, then what
// the branches of allOf, anyOf and oneOf speak about and its neighbours.
func (n *node) samples() []any {
	out := []any{n.sample(least), n.sample(greatest)}
	if n.example != nil {
		out = slices.Insert(out, 0, n.normalise(deepCopy(n.example)))
	}
	for _, branch := range slices.Concat(n.allOf, n.anyOf, n.oneOf) {
		typed := *branch
		typed.typ, typed.intOrString = n.typ, n.intOrString
		for _, v := range []any{typed.sample(least), typed.sample(greatest)} {
			out = append(out, v)
			if i, ok := v.(int64); ok {
				out = append(out, i-1, i+1)
			}
		}
	}
	return out
}

// alternative gives the i-th value of an enumeration or of a boolean.
func (n *node) alternative(i int) []any {
	switch {
	case i < len(n.enum):
		return []any{n.enum[i]}
	case len(n.enum) == 0 && n.typ == typeBoolean:
		return []any{i%2 == 0}
	}
	return nil
}
