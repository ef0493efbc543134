// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"
	celenv "github.com/google/cel-go/common/env"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/ext"

	"kudo.dev/kudo/internal/params"
)

// Bounds of an expression.
const (
	// MaxLength is the longest source, in characters.
	MaxLength = 4096
	// CostLimit bounds one evaluation, in the units of CEL.
	CostLimit = 1_000_000

	maxParseDepth    = 100
	maxRange         = 10_000
	maxRecoveredErrs = 8
)

// Observation is an entry of the version's observe list.
type Observation struct {
	// Name under which expressions see it.
	Name string
	// Single observations are an object or null; all others are lists.
	Single bool
}

// Options say what the expressions of a version can see.
type Options struct {
	// Parameters of the version; nil for none.
	Parameters *params.Schema
	// Run are the parameters of a run of the plan; nil for none.
	Run *params.Schema
	// Observations are the names within objects.
	Observations []Observation
}

// Kind is the use of an expression: it decides what it sees and what it must yield.
type Kind int

// The kinds of expressions.
const (
	// When decides whether something runs, or whether a requirement is met: true or false.
	When Kind = iota
	// Until ends a wait: true or false.
	Until
	// ReadyWhen judges the applied object self: true or false.
	ReadyWhen
	// Rule checks params and old: true or false.
	Rule
	// Objects yields a list of objects.
	Objects
	// Value yields anything.
	Value
)

// Env compiles the expressions of one version. It is safe for concurrent use.
type Env struct {
	types   *structs
	options Options
	general *cel.Env
	self    *cel.Env
	rule    *cel.Env
}

// NewEnv makes the environment of a version.
func NewEnv(options Options) (*Env, error) {
	base, err := library()
	if err != nil {
		return nil, err
	}
	e := &Env{options: options, types: newStructs(base.CELTypeProvider(), options)}
	rule := []cel.EnvOption{cel.CustomTypeProvider(e.types)}
	for _, name := range []string{"params", "old"} {
		rule = append(rule, cel.Variable(name, e.types.variables[name]))
	}
	if e.rule, err = base.Extend(rule...); err != nil {
		return nil, fmt.Errorf("declaring parameters: %w", err)
	}
	var rest []cel.EnvOption
	for _, name := range []string{"changed", "version", "instance", "run", "objects"} {
		rest = append(rest, cel.Variable(name, e.types.variables[name]))
	}
	if e.general, err = e.rule.Extend(rest...); err != nil {
		return nil, fmt.Errorf("declaring variables: %w", err)
	}
	if e.self, err = e.general.Extend(cel.Variable("self", e.types.variables["self"])); err != nil {
		return nil, fmt.Errorf("declaring self: %w", err)
	}
	return e, nil
}

func (e *Env) of(kind Kind) *cel.Env {
	switch kind {
	case ReadyWhen:
		return e.self
	case Rule:
		return e.rule
	default:
		return e.general
	}
}

// library is what all versions share. Time zones by name are left out: they
// would be read from files.
var library = sync.OnceValues(func() (*cel.Env, error) {
	env, err := cel.NewCustomEnv(
		cel.StdLib(cel.StdLibSubset(celenv.NewLibrarySubset().AddExcludedFunctions(timeZoneFunctions()...))),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableIdentifierEscapeSyntax(),
		cel.EnableMacroCallTracking(),
		cel.ParserExpressionSizeLimit(MaxLength),
		cel.ParserRecursionLimit(maxParseDepth),
		cel.ParserErrorRecoveryLimit(maxRecoveredErrs),
		cel.OptionalTypes(),
		ext.Strings(), ext.Lists(ext.ListsMaxRangeSize(maxRange)), ext.Sets(), ext.Math(),
		ext.Bindings(), ext.TwoVarComprehensions(),
		cel.ASTValidators(
			cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals()),
		quantities(), semvers(), urls(), regexes(), objectFunctions(),
	)
	if err != nil {
		return nil, fmt.Errorf("making the CEL library: %w", err)
	}
	return env, nil
})

func timeZoneFunctions() []*celenv.Function {
	withZone := map[string]string{
		overloads.TimeGetFullYear:     overloads.TimestampToYearWithTz,
		overloads.TimeGetMonth:        overloads.TimestampToMonthWithTz,
		overloads.TimeGetDayOfYear:    overloads.TimestampToDayOfYearWithTz,
		overloads.TimeGetDayOfMonth:   overloads.TimestampToDayOfMonthZeroBasedWithTz,
		overloads.TimeGetDate:         overloads.TimestampToDayOfMonthOneBasedWithTz,
		overloads.TimeGetDayOfWeek:    overloads.TimestampToDayOfWeekWithTz,
		overloads.TimeGetHours:        overloads.TimestampToHoursWithTz,
		overloads.TimeGetMinutes:      overloads.TimestampToMinutesWithTz,
		overloads.TimeGetSeconds:      overloads.TimestampToSecondsWithTz,
		overloads.TimeGetMilliseconds: overloads.TimestampToMillisecondsWithTz,
	}
	var out []*celenv.Function
	for name, id := range withZone {
		out = append(out, celenv.NewFunction(name, celenv.NewOverload(id, nil, nil)))
	}
	return out
}
