// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"regexp"
	"regexp/syntax"
)

const (
	maxPattern    = 1 << 10
	maxRegexInput = 1 << 20
	// maxScanInput bounds functions that look for all matches: their cost is
	// quadratic for some patterns.
	maxScanInput = 64 << 10
)

// regexFunctions are Sprig's must variants: a pattern that does not compile is
// an error and not "no match".
func regexFunctions() map[string]function {
	return map[string]function{
		"regexMatch":             {min: 2, max: 2, impl: regexMatch},
		"regexFind":              {min: 2, max: 2, impl: regexFind},
		"regexFindAll":           {min: 3, max: 3, impl: regexFindAll},
		"regexSplit":             {min: 3, max: 3, impl: regexSplit},
		"regexReplaceAll":        {min: 3, max: 3, impl: func(x *execution, a []any) (any, error) { return regexReplace(x, a, true) }},
		"regexReplaceAllLiteral": {min: 3, max: 3, impl: func(x *execution, a []any) (any, error) { return regexReplace(x, a, false) }},
		"regexQuoteMeta":         text1(regexp.QuoteMeta),
	}
}

// pattern is a compiled regular expression and the price of matching a byte.
type pattern struct {
	*regexp.Regexp
	price int
}

// compilePattern charges for one pass over the input: matching is linear in the
// input times the size of the program.
func (x *execution) compilePattern(expr, input any, largest int) (*pattern, string, error) {
	text, err := toText(expr)
	if err != nil {
		return nil, "", err
	}
	subject, err := toText(input)
	if err != nil {
		return nil, "", err
	}
	if len(text) > maxPattern {
		return nil, "", limit("", "the pattern is longer than 1 kB")
	}
	if len(subject) > largest {
		return nil, "", limit("", "the input is longer than %d kB", largest>>10)
	}
	if err := x.charge(16 << 10); err != nil {
		return nil, "", err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, "", fault("use the syntax of RE2", "the pattern does not compile")
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, "", fault("use the syntax of RE2", "the pattern does not compile")
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, "", fault("use the syntax of RE2", "the pattern does not compile")
	}
	price := 1 + len(program.Inst)/8
	return &pattern{re, price}, subject, x.charge(price*len(subject) + 64*len(program.Inst))
}

// scan calls found for every match, or the first n, once all have been paid.
func (x *execution) scan(p *pattern, s string, n int, found func(loc []int)) error {
	if err := x.payMatches(p, s, n); err != nil {
		return err
	}
	for _, loc := range p.FindAllStringSubmatchIndex(s, n) {
		found(loc)
	}
	return nil
}

// payMatches charges every match as if the search for it had read all of the
// input, because it may have. Only a panic ends a search that cannot be paid.
func (x *execution) payMatches(p *pattern, s string, n int) (err error) {
	stop := new(int)
	defer func() {
		if r := recover(); r != nil && r != any(stop) {
			panic(r)
		}
	}()
	count := 0
	p.ReplaceAllStringFunc(s, func(string) string {
		if count++; n >= 0 && count > n {
			panic(stop)
		}
		if err = x.charge(p.price*len(s) + 64); err != nil {
			panic(stop)
		}
		return ""
	})
	return err
}

func regexMatch(x *execution, a []any) (any, error) {
	p, s, err := x.compilePattern(a[0], a[1], maxRegexInput)
	if err != nil {
		return nil, err
	}
	return p.MatchString(s), nil
}

func regexFind(x *execution, a []any) (any, error) {
	p, s, err := x.compilePattern(a[0], a[1], maxRegexInput)
	if err != nil {
		return nil, err
	}
	return p.FindString(s), nil
}

func regexFindAll(x *execution, a []any) (any, error) {
	p, s, n, err := scanned(x, a)
	if err != nil {
		return nil, err
	}
	out := []any{}
	err = x.scan(p, s, n, func(loc []int) { out = append(out, s[loc[0]:loc[1]]) })
	return out, err
}

func scanned(x *execution, a []any) (*pattern, string, int, error) {
	n, err := small(a[2], 1<<20)
	if err != nil {
		return nil, "", 0, err
	}
	p, s, err := x.compilePattern(a[0], a[1], maxScanInput)
	return p, s, n, err
}

func regexSplit(x *execution, a []any) (any, error) {
	p, s, n, err := scanned(x, a)
	if err != nil {
		return nil, err
	}
	if err := x.scan(p, s, n, func([]int) {}); err != nil {
		return nil, err
	}
	return anyList(p.Split(s, n)), nil
}

// regexReplace takes the pattern, the subject and the replacement, in which $1
// stands for a group if expand is set.
func regexReplace(x *execution, a []any, expand bool) (any, error) {
	replacement, err := toText(a[2])
	if err != nil {
		return nil, err
	}
	p, s, err := x.compilePattern(a[0], a[1], maxScanInput)
	if err != nil {
		return nil, err
	}
	var out []byte
	var paid error
	end := 0
	err = x.scan(p, s, -1, func(loc []int) {
		size := len(out)
		out = append(out, s[end:loc[0]]...)
		end = loc[1]
		if paid == nil && expand {
			out = p.ExpandString(out, replacement, s, loc)
		} else if paid == nil {
			out = append(out, replacement...)
		}
		if paid == nil {
			paid = x.charge(len(out) - size)
		}
	})
	if err == nil {
		err = paid
	}
	return string(append(out, s[end:]...)), err
}
