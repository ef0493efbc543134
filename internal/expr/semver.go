// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"math"
	"strings"

	"github.com/blang/semver/v4"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

var semverType = cel.OpaqueType("kubernetes.Semver")

// semvers declares the functions of Kubernetes' semver library.
func semvers() cel.EnvOption {
	text, one := []*cel.Type{cel.StringType}, []*cel.Type{semverType}
	lenient := []*cel.Type{cel.StringType, cel.BoolType}
	number := func(n uint64) ref.Val {
		if n > math.MaxInt64 {
			return types.NewErr("the version's number is too big")
		}
		return types.Int(int64(n))
	}
	all := append(comparisons("semver", semverType, func(a, b semver.Version) int { return a.Compare(b) }),
		cel.Function("semver",
			cel.Overload("string_to_semver", text, semverType, onText(func(s string) ref.Val { return newSemver(s, false) })),
			cel.Overload("string_bool_to_semver", lenient, semverType, onVersion(newSemver))),
		cel.Function("isSemver",
			cel.Overload("is_semver_string", text, cel.BoolType, onText(func(s string) ref.Val { return isSemver(s, false) })),
			cel.Overload("is_semver_string_bool", lenient, cel.BoolType, onVersion(isSemver))),
		cel.Function("major", cel.MemberOverload("semver_major", one, cel.IntType, on1(func(v semver.Version) ref.Val { return number(v.Major) }))),
		cel.Function("minor", cel.MemberOverload("semver_minor", one, cel.IntType, on1(func(v semver.Version) ref.Val { return number(v.Minor) }))),
		cel.Function("patch", cel.MemberOverload("semver_patch", one, cel.IntType, on1(func(v semver.Version) ref.Val { return number(v.Patch) }))),
	)
	return options(all...)
}

func onVersion(f func(s string, normalize bool) ref.Val) cel.OverloadOpt {
	return cel.BinaryBinding(func(v, w ref.Val) ref.Val {
		s, ok1 := v.(types.String)
		normalize, ok2 := w.(types.Bool)
		if !ok1 || !ok2 {
			return types.MaybeNoSuchOverloadErr(w)
		}
		return f(string(s), bool(normalize))
	})
}

func newSemver(s string, normalize bool) ref.Val {
	v, err := parseSemver(s, normalize)
	if err != nil {
		return types.NewErr("the argument of semver() is not a semantic version such as 3.8.4; semver(x, true) reads v3.8 too")
	}
	return &opaque[semver.Version]{
		value: v, kind: semverType,
		text:  func(v semver.Version) string { return v.String() },
		equal: func(a, b semver.Version) bool { return a.EQ(b) },
	}
}

func isSemver(s string, normalize bool) ref.Val {
	_, err := parseSemver(s, normalize)
	return types.Bool(err == nil)
}

// parseSemver with normalize reads a leading v, missing minor and patch
// numbers, and leading zeros.
func parseSemver(s string, normalize bool) (semver.Version, error) {
	if !normalize {
		return semver.Parse(s)
	}
	s = strings.TrimPrefix(s, "v")
	end := strings.IndexAny(s, "-+")
	if end < 0 {
		end = len(s)
	}
	numbers := strings.Split(s[:end], ".")
	for i, n := range numbers {
		if trimmed := strings.TrimLeft(n, "0"); trimmed != "" {
			numbers[i] = trimmed
		} else if n != "" {
			numbers[i] = "0"
		}
	}
	for len(numbers) < 3 {
		numbers = append(numbers, "0")
	}
	return semver.Parse(strings.Join(numbers, ".") + s[end:])
}
