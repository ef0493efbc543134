// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// References are the names that an expression reads, sorted. A variable that is
// read as a whole is listed as "*".
type References struct {
	Params, OldParams, Changed, Objects []string
}

// References lists what the expression reads.
func (p *Program) References() References { return p.refs }

// collector walks an expression from the outside in. A part is seen once its
// parent has said what it takes from it.
type collector struct {
	lists map[string]*[]string
	seen  map[int64]bool
}

func references(checked *cel.Ast) References {
	var refs References
	c := &collector{seen: map[int64]bool{}, lists: map[string]*[]string{
		"params": &refs.Params, "old": &refs.OldParams, "old.params": &refs.OldParams,
		"changed": &refs.Changed, "objects": &refs.Objects,
	}}
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(c.visit))
	refs.sort()
	return refs
}

func (c *collector) visit(e ast.Expr) {
	path := pathOf(e)
	if list, ok := c.lists[path]; ok && !c.seen[e.ID()] {
		*list = append(*list, "*")
	}
	switch e.Kind() {
	case ast.SelectKind:
		c.take(e.AsSelect().Operand(), e.AsSelect().FieldName())
	case ast.CallKind:
		c.call(e.AsCall())
	default:
	}
}

func (c *collector) take(operand ast.Expr, field string) {
	c.seen[operand.ID()] = true
	path := pathOf(operand)
	if list, ok := c.lists[path]; ok && path != "old" {
		*list = append(*list, field)
	}
}

// call knows x.?name, and that a comparison with null reads nothing else.
func (c *collector) call(call ast.CallExpr) {
	args := call.Args()
	if len(args) != 2 {
		return
	}
	switch call.FunctionName() {
	case operators.OptSelect:
		if args[1].Kind() == ast.LiteralKind {
			if name, ok := args[1].AsLiteral().Value().(string); ok {
				c.take(args[0], name)
			}
		}
	case operators.Equals, operators.NotEquals:
		for i, arg := range args {
			if other := args[1-i]; other.Kind() == ast.LiteralKind && other.AsLiteral() == types.NullValue {
				c.seen[arg.ID()] = true
			}
		}
	}
}

// pathOf is "params" or "old.params" for such an expression, else empty or meaningless.
func pathOf(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent()
	case ast.SelectKind:
		if sel := e.AsSelect(); sel.Operand().Kind() == ast.IdentKind {
			return sel.Operand().AsIdent() + "." + sel.FieldName()
		}
	default:
	}
	return ""
}

func (r *References) add(other References) {
	r.Params = append(r.Params, other.Params...)
	r.OldParams = append(r.OldParams, other.OldParams...)
	r.Changed = append(r.Changed, other.Changed...)
	r.Objects = append(r.Objects, other.Objects...)
	r.sort()
}

func (r *References) sort() {
	for _, list := range []*[]string{&r.Params, &r.OldParams, &r.Changed, &r.Objects} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

// Source is the expression as it was written.
func (p *Program) Source() string { return p.checked.Source().Content() }
