// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"kudo.dev/kudo/internal/params"
)

// Error is what is wrong with an expression, and where. Line and Column count from 1.
type Error struct {
	Line, Column int
	Msg          string
}

// Error gives the place and the sentence.
func (e *Error) Error() string {
	if e.Line <= 0 {
		return e.Msg
	}
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Msg)
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']+)'`)
	undefined  = regexp.MustCompile(`^undefined field '([^']+)'`)
	unmatched  = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '(.*)'$`)
)

// firstIssue turns CEL's first complaint into a sentence that says what is known.
func (e *Env) firstIssue(issues *cel.Issues, parsed *cel.Ast, kind Kind) error {
	errs := issues.Errors()
	if len(errs) == 0 {
		return &Error{Msg: "the expression cannot be read"}
	}
	first := errs[0]
	out := &Error{Line: first.Location.Line(), Column: first.Location.Column() + 1}
	out.Msg = e.sentence(first.Message, first.ExprID, parsed, kind)
	return out
}

func (e *Env) sentence(text string, id int64, parsed *cel.Ast, kind Kind) string {
	if m := undeclared.FindStringSubmatch(text); m != nil {
		return e.unknownName(m[1], kind)
	}
	if m := undefined.FindStringSubmatch(text); m != nil {
		return e.unknownField(m[1], find(parsed, id))
	}
	if m := unmatched.FindStringSubmatch(text); m != nil {
		return unknownCall(m[1], m[2])
	}
	text = strings.TrimPrefix(text, "Syntax error: ")
	return strings.TrimSpace(strings.ReplaceAll(text, "\n", " "))
}

func (e *Env) unknownName(name string, kind Kind) string {
	known := e.variables(kind)
	if e.types.variables[name] != nil {
		return fmt.Sprintf("%s is not available here%s", name, params.Hint("", known))
	}
	return fmt.Sprintf("undeclared reference '%s'%s", name, params.Hint(name, known))
}

func (e *Env) variables(kind Kind) []string {
	switch kind {
	case Rule:
		return []string{"params", "old"}
	case ReadyWhen:
		return []string{"self", "params", "old", "changed", "version", "instance", "run", "objects"}
	default:
		return []string{"params", "old", "changed", "version", "instance", "run", "objects"}
	}
}

func (e *Env) unknownField(name string, at ast.Expr) string {
	if at == nil || at.Kind() != ast.SelectKind {
		return fmt.Sprintf("there is no field '%s'", name)
	}
	operand := at.AsSelect().Operand()
	known := e.types.siblings(operand)
	where := unparse(operand, nil)
	if len(known) == 0 {
		return fmt.Sprintf("there is no %s.%s", where, name)
	}
	return fmt.Sprintf("there is no %s.%s%s", where, name, params.Hint(name, known))
}

// methods are functions of objects, which are easily called like others.
var methods = map[string]bool{"ready": true, "ordinal": true, "outdated": true, "restarts": true, "condition": true}

func unknownCall(function, operands string) string {
	if symbol, ok := operators.FindReverse(function); ok && symbol != "" {
		operands = strings.TrimSuffix(strings.TrimPrefix(operands, "("), ")")
		hint := ""
		if mixed := strings.ReplaceAll(operands, "wrapper", ""); strings.Contains(mixed, "int") && strings.Contains(mixed, "double") {
			hint = "; write 2.0 instead of 2, or convert with double() or int()"
		}
		return fmt.Sprintf("%s does not work with %s%s", symbol, operands, hint)
	}
	if methods[function] && strings.HasPrefix(operands, "(") {
		return fmt.Sprintf("%s() is called on an object, as in x.%s()", function, function)
	}
	if function == operators.Conditional {
		return "the condition before ? must be true or false: " + operands
	}
	return fmt.Sprintf("%s() does not work with %s", function, operands)
}

// find gives the part of an expression with an id, within macros too.
func find(parsed *cel.Ast, id int64) ast.Expr {
	if parsed == nil {
		return nil
	}
	var found ast.Expr
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == id && found == nil {
			found = e
		}
	}))
	return found
}

const maxQuoted = 120

// unparse writes a part of an expression as source.
func unparse(e ast.Expr, info *ast.SourceInfo) string {
	if info == nil {
		info = ast.NewSourceInfo(nil)
	}
	text, err := cel.ExprToString(e, info)
	if err != nil {
		return "the expression"
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxQuoted {
		text = strings.ToValidUTF8(text[:maxQuoted], "") + "…"
	}
	return text
}

// quoted is what an error of a function may quote from its arguments. They may
// come from objects, so they are not shown.
var quoted = regexp.MustCompile("\"(\\\\.|[^\"\\\\])*\"|'[^']*'|`[^`]*`")

func scrub(text string) string {
	text = quoted.ReplaceAllString(text, "…")
	if len(text) > maxQuoted {
		text = strings.ToValidUTF8(text[:maxQuoted], "") + "…"
	}
	return text
}
