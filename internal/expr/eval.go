// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Outcome is how an evaluation ended.
type Outcome int

// The outcomes.
const (
	// Done gave a value.
	Done Outcome = iota
	// Missing read a field or an object that does not exist, or is null.
	Missing
	// Failed is any other error.
	Failed
)

// Result is what an evaluation gave.
type Result struct {
	Outcome Outcome
	// Value is JSON, if the outcome is Done.
	Value any
	// Note says what is missing, if the outcome is Missing.
	Note string
	// Err is set if the outcome is Failed.
	Err error
}

// True is whether the value is true. Missing and Failed are not.
func (r Result) True() bool { return r.Outcome == Done && r.Value == true }

// Problem is the error of a result that had to be a value: Err, or what is missing.
func (r Result) Problem() error {
	switch r.Outcome {
	case Missing:
		return errors.New(r.Note)
	case Failed:
		return r.Err
	default:
		return nil
	}
}

// Eval evaluates the expression. It ends within CostLimit and never panics.
func (p *Program) Eval(vars Vars) Result {
	input := activation{options: p.env.options, vars: &vars}
	out, _, err := p.run.Eval(input)
	if err != nil {
		return p.failure(out, err, input)
	}
	v, err := native(out)
	if err != nil {
		return Result{Outcome: Failed, Err: &Error{Msg: err.Error()}}
	}
	return p.expected(v, out)
}

// expected checks the value's type where the checker could not.
func (p *Program) expected(v any, out ref.Val) Result {
	source := unparse(p.checked.NativeRep().Expr(), p.checked.NativeRep().SourceInfo())
	if opt, ok := out.(*types.Optional); ok && !opt.HasValue() {
		return Result{Outcome: Missing, Note: source + " has no value"}
	}
	want := ""
	switch p.want {
	case When, Until, ReadyWhen, Rule:
		if _, ok := v.(bool); !ok {
			want = "true or false"
		}
	case Objects:
		if _, ok := v.([]any); !ok {
			want = "a list of objects"
		}
	case Value:
	}
	switch {
	case want != "" && v == nil:
		return Result{Outcome: Missing, Note: source + " is null"}
	case want != "":
		return Result{Outcome: Failed, Err: &Error{Msg: fmt.Sprintf("the expression must yield %s, not %s", want, kindOf(v))}}
	}
	return Result{Outcome: Done, Value: v}
}

// failure tells what is missing from what is wrong.
func (p *Program) failure(out ref.Val, err error, input activation) Result {
	text := err.Error()
	id := int64(0)
	if e, ok := out.(*types.Err); ok {
		id = e.NodeID()
	}
	at := find(p.checked, id)
	info := p.checked.NativeRep().SourceInfo()
	switch {
	case errors.Is(err, errMissing):
		return Result{Outcome: Missing, Note: err.Error()}
	case at != nil && strings.HasPrefix(text, "no such key: "):
		return Result{Outcome: Missing, Note: unparse(at, info) + " is not set"}
	case at != nil && strings.HasPrefix(text, "index out of bounds: "):
		return Result{Outcome: Missing, Note: unparse(at, info) + " is past the end of the list"}
	case strings.HasPrefix(text, "optional.none() dereference"):
		return Result{Outcome: Missing, Note: unparse(receiver(at), info) + " has no value"}
	case strings.HasPrefix(text, "no such overload"), strings.HasPrefix(text, "got 'types.Null'"):
		if null := p.nullOperand(at, input); null != nil {
			return Result{Outcome: Missing, Note: unparse(null, info) + " is null"}
		}
		if strings.HasPrefix(text, "got 'types.Null'") {
			return Result{Outcome: Missing, Note: "a list that the expression walks over is null"}
		}
	case strings.Contains(text, "cost limit exceeded"):
		text = "the expression costs too much: it walks over too many values"
	}
	failed := &Error{Msg: runtimeSentence(text, at)}
	if at != nil {
		start := info.GetStartLocation(id)
		failed.Line, failed.Column = start.Line(), start.Column()+1
	}
	return Result{Outcome: Failed, Err: failed}
}

func runtimeSentence(text string, at ast.Expr) string {
	if strings.HasPrefix(text, "no such overload") && at != nil && at.Kind() == ast.CallKind {
		return unknownCall(at.AsCall().FunctionName(), "values of these types")
	}
	return scrub(text)
}

func receiver(e ast.Expr) ast.Expr {
	if e != nil && e.Kind() == ast.CallKind && e.AsCall().IsMemberFunction() {
		return e.AsCall().Target()
	}
	return e
}

// nullOperand finds the operand of a failed call that was null, by evaluating
// again with a trace.
func (p *Program) nullOperand(at ast.Expr, input activation) ast.Expr {
	if at == nil || at.Kind() != ast.CallKind {
		return nil
	}
	traced, err := p.traced()
	if err != nil {
		return nil
	}
	_, details, _ := traced.Eval(input)
	if details == nil || details.State() == nil {
		return nil
	}
	operands := at.AsCall().Args()
	if at.AsCall().IsMemberFunction() {
		operands = append([]ast.Expr{at.AsCall().Target()}, operands...)
	}
	for _, operand := range operands {
		if v, ok := details.State().Value(operand.ID()); ok && v == types.NullValue && operand.Kind() != ast.LiteralKind {
			return operand
		}
	}
	return nil
}
