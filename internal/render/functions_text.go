// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"crypto/sha1" //nolint:gosec // checksums of content, not security
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash/adler32"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// text1 adapts a function of one string.
func text1(f func(string) string) function {
	return function{min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) {
		s, err := toText(a[0])
		if err != nil {
			return nil, err
		}
		return f(s), nil
	}}
}

// text2 adapts a function of two strings; the subject comes last, for pipelines.
func text2[R any](f func(arg, subject string) R) function {
	return function{min: 2, max: 2, impl: func(_ *execution, a []any) (any, error) {
		arg, err := toText(a[0])
		if err != nil {
			return nil, err
		}
		subject, err := toText(a[1])
		if err != nil {
			return nil, err
		}
		return f(arg, subject), nil
	}}
}

// counted adapts a function of a number and a string.
func counted(f func(x *execution, n int, s string) (any, error)) function {
	return function{min: 2, max: 2, impl: func(x *execution, a []any) (any, error) {
		n, err := small(a[0], 1<<20)
		if err != nil {
			return nil, err
		}
		s, err := toText(a[1])
		if err != nil {
			return nil, err
		}
		return f(x, n, s)
	}}
}

func sprigText(name string) function { return text1(sprigFunc[func(string) string](name)) }

// sprigCounted pays twice: wrapping and abbreviating add to the text.
func sprigCounted(name string) function {
	f := sprigFunc[func(int, string) string](name)
	return counted(func(x *execution, n int, s string) (any, error) {
		if n < 1 {
			return nil, fault("", "the width must be positive")
		}
		if err := x.charge(2 * len(s)); err != nil {
			return nil, err
		}
		return f(n, s), nil
	})
}

func textFunctions() map[string]function {
	return map[string]function{
		"upper": text1(strings.ToUpper), "lower": text1(strings.ToLower),
		"title": sprigText("title"), "untitle": sprigText("untitle"), "swapcase": sprigText("swapcase"),
		"snakecase": sprigText("snakecase"), "camelcase": sprigText("camelcase"), "kebabcase": sprigText("kebabcase"),
		"initials": sprigText("initials"), "nospace": sprigText("nospace"),
		"abbrev": sprigCounted("abbrev"), "wrap": sprigCounted("wrap"),
		"trimAll":    text2(func(set, s string) string { return strings.Trim(s, set) }),
		"trimPrefix": text2(func(p, s string) string { return strings.TrimPrefix(s, p) }),
		"trimSuffix": text2(func(p, s string) string { return strings.TrimSuffix(s, p) }),
		"contains":   text2(func(sub, s string) bool { return strings.Contains(s, sub) }),
		"hasPrefix":  text2(func(p, s string) bool { return strings.HasPrefix(s, p) }),
		"hasSuffix":  text2(func(p, s string) bool { return strings.HasSuffix(s, p) }),
		"splitList":  {min: 2, max: 2, impl: splitList}, "split": {min: 2, max: 2, impl: splitMap},
		"join": {min: 2, max: 2, impl: join}, "replace": {min: 3, max: 3, impl: replace},
		"cat": {min: 1, max: many, impl: cat}, "plural": {min: 3, max: 3, impl: plural},
		"trunc": counted(trunc), "repeat": counted(repeat), "substr": {min: 3, max: 3, impl: substr},
		"toString": {min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) { return toText(a[0]) }},
		"sha1sum": text1(func(s string) string {
			h := sha1.Sum([]byte(s)) //nolint:gosec // a checksum of content, not security
			return hex.EncodeToString(h[:])
		}),
		"sha256sum": text1(func(s string) string {
			h := sha256.Sum256([]byte(s))
			return hex.EncodeToString(h[:])
		}),
		"sha512sum": text1(func(s string) string {
			h := sha512.Sum512([]byte(s))
			return hex.EncodeToString(h[:])
		}),
		"adler32sum": text1(func(s string) string { return strconv.FormatUint(uint64(adler32.Checksum([]byte(s))), 10) }),
		"base":       text1(path.Base), "dir": text1(path.Dir), "clean": text1(path.Clean), "ext": text1(path.Ext),
		"isAbs": {min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) {
			s, err := toText(a[0])
			return path.IsAbs(s), err
		}},
	}
}

func texts(values []any) ([]string, error) {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if v == nil {
			continue
		}
		s, err := toText(v)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func split(x *execution, a []any) ([]string, error) {
	parts, err := texts(a)
	if err != nil || len(parts) != 2 {
		return nil, fault("give a default", "two strings are expected")
	}
	n := strings.Count(parts[1], parts[0]) + 1
	if parts[0] == "" {
		n = utf8.RuneCountInString(parts[1])
	}
	if err := x.charge(48 * n); err != nil {
		return nil, err
	}
	return strings.Split(parts[1], parts[0]), nil
}

func splitList(x *execution, a []any) (any, error) {
	parts, err := split(x, a)
	return anyList(parts), err
}

// splitMap gives Sprig's map of _0, _1 and so on.
func splitMap(x *execution, a []any) (any, error) {
	parts, err := split(x, a)
	if err == nil {
		err = x.charge(64 * len(parts))
	}
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(parts))
	for i, part := range parts {
		out["_"+strconv.Itoa(i)] = part
	}
	return out, nil
}

func anyList(parts []string) []any {
	out := make([]any, len(parts))
	for i, part := range parts {
		out[i] = part
	}
	return out
}

func join(x *execution, a []any) (any, error) {
	sep, err := toText(a[0])
	if err != nil {
		return nil, err
	}
	list, ok := a[1].([]any)
	if !ok {
		list = []any{a[1]}
	}
	parts, err := texts(list)
	if err != nil {
		return nil, err
	}
	size := len(sep) * len(parts)
	for _, part := range parts {
		size += len(part)
	}
	if err := x.charge(size); err != nil {
		return nil, err
	}
	return strings.Join(parts, sep), nil
}

func replace(x *execution, a []any) (any, error) {
	parts, err := texts(a)
	if err != nil || len(parts) != 3 {
		return nil, fault("give a default", "three strings are expected")
	}
	from, to, s := parts[0], parts[1], parts[2]
	n := strings.Count(s, from)
	if err := x.charge(len(s) + n*len(to)); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(s, from, to), nil
}

func cat(_ *execution, a []any) (any, error) {
	parts, err := texts(a)
	return strings.Join(parts, " "), err
}

func plural(_ *execution, a []any) (any, error) {
	n, err := toInt(a[2])
	if err != nil {
		return nil, err
	}
	if n == 1 {
		return toText(a[0])
	}
	return toText(a[1])
}

// trunc keeps the first n characters, or the last with a negative n. Unlike
// Sprig's it never cuts through a character.
func trunc(_ *execution, n int, s string) (any, error) {
	runes := []rune(s)
	switch {
	case n >= 0 && n < len(runes):
		return string(runes[:n]), nil
	case n < 0 && -n < len(runes):
		return string(runes[len(runes)+n:]), nil
	}
	return s, nil
}

func repeat(x *execution, n int, s string) (any, error) {
	if n < 0 {
		return nil, fault("", "the count is negative")
	}
	if err := x.charge(n * len(s)); err != nil {
		return nil, err
	}
	return strings.Repeat(s, n), nil
}

func substr(_ *execution, a []any) (any, error) {
	start, err := small(a[0], 1<<20)
	if err != nil {
		return nil, err
	}
	end, err := small(a[1], 1<<20)
	if err != nil {
		return nil, err
	}
	s, err := toText(a[2])
	if err != nil {
		return nil, err
	}
	runes := []rune(s)
	if end < 0 || end > len(runes) {
		end = len(runes)
	}
	start = min(max(start, 0), end)
	return string(slices.Clone(runes[start:end])), nil
}
