// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// The hidden functions. Sources cannot call them: the parser does not know them.
const (
	fnStep  = "_step"  // charges the nodes of a list before they run
	fnEnter = "_enter" // the same at the root of a template, and counts depth
	fnLeave = "_leave"
	fnAt    = "_at"    // notes which source text comes next
	fnEmit  = "_emit"  // prints a value safely
	fnRange = "_range" // vets what is ranged over
)

// stepUnit is the cost of an action; cheaper nodes cost a fraction of it.
const stepUnit = 2

type instrumenter struct {
	set  *Set
	tree *parse.Tree
}

// check finds the names of templates and functions that do not exist, which the
// parser leaves to the execution.
func (s *Set) check() []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(s.trees)) {
		tree := s.trees[name]
		w := &checker{set: s, tree: tree}
		w.list(tree.Root, 0)
		errs = append(errs, w.errs...)
	}
	return errs
}

// instrument rewrites every tree once, at compile time.
func (s *Set) instrument() error {
	s.base = template.New("").Option("missingkey=error")
	for _, name := range slices.Sorted(maps.Keys(s.trees)) {
		in := &instrumenter{set: s, tree: s.trees[name]}
		in.list(in.tree.Root, fnEnter)
		in.tree.Root.Nodes = append(in.tree.Root.Nodes, in.action(fnLeave, 0))
		if _, err := s.base.AddParseTree(name, in.tree); err != nil {
			return &Error{Reason: ReasonSyntax, Template: name, Msg: "cannot be added to the set"}
		}
	}
	return nil
}

// list puts the charge in front of the nodes, and positions before texts.
func (in *instrumenter) list(l *parse.ListNode, charge string) {
	if l == nil {
		return
	}
	p := placeOf(in.tree, l)
	out := make([]parse.Node, 1, 2*len(l.Nodes)+2)
	for _, n := range l.Nodes {
		p.cost += in.node(n)
		if text, ok := n.(*parse.TextNode); ok {
			out = append(out, in.action(fnAt, in.keep(placeOf(in.tree, text))))
		}
		out = append(out, n)
	}
	p.cost += stepUnit
	out[0] = in.action(charge, in.keep(p))
	l.Nodes = out
}

// node instruments one node and returns what it costs to reach it.
func (in *instrumenter) node(n parse.Node) int {
	switch n := n.(type) {
	case *parse.ActionNode:
		cost := in.pipe(n.Pipe)
		in.emit(n)
		return cost
	case *parse.IfNode:
		return in.branch(&n.BranchNode)
	case *parse.WithNode:
		return in.branch(&n.BranchNode)
	case *parse.RangeNode:
		cost := in.branch(&n.BranchNode)
		p := placeOf(in.tree, n)
		p.expr = n.Pipe.String()
		n.Pipe.Cmds = append(n.Pipe.Cmds, in.command(n.Pipe.Pos, fnRange, in.keep(p)))
		return cost
	case *parse.TemplateNode:
		return stepUnit + in.pipe(n.Pipe)
	}
	return 1
}

func (in *instrumenter) branch(b *parse.BranchNode) int {
	in.list(b.List, fnStep)
	in.list(b.ElseList, fnStep)
	return in.pipe(b.Pipe)
}

// pipe counts the commands of a pipeline and notes the functions it calls.
func (in *instrumenter) pipe(p *parse.PipeNode) int {
	if p == nil {
		return 0
	}
	cost := stepUnit - 1
	for _, cmd := range p.Cmds {
		cost++
		for _, arg := range cmd.Args {
			cost += in.arg(arg)
		}
	}
	return cost
}

func (in *instrumenter) arg(n parse.Node) int {
	switch n := n.(type) {
	case *parse.IdentifierNode:
		in.set.used[n.Ident] = true
	case *parse.PipeNode:
		return in.pipe(n)
	case *parse.ChainNode:
		return in.arg(n.Node)
	}
	return 0
}

// emit ends an action that prints. A lone string literal is the author's text.
func (in *instrumenter) emit(n *parse.ActionNode) {
	if len(n.Pipe.Decl) > 0 || literal(n.Pipe) {
		return
	}
	p := placeOf(in.tree, n)
	p.expr = clip(n.Pipe.String())
	n.Pipe.Cmds = append(n.Pipe.Cmds, in.command(n.Pos, fnEmit, in.keep(p)))
}

func literal(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	text, ok := p.Cmds[0].Args[0].(*parse.StringNode)
	return ok && !strings.ContainsAny(text.Text, holeOpen+holeClose)
}

func (in *instrumenter) keep(p place) int {
	in.set.places = append(in.set.places, p)
	return len(in.set.places) - 1
}

func (in *instrumenter) action(name string, arg int) *parse.ActionNode {
	pos := in.tree.Root.Pos
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: pos, Pipe: &parse.PipeNode{
		NodeType: parse.NodePipe, Pos: pos, Cmds: []*parse.CommandNode{in.command(pos, name, arg)},
	}}
}

func (in *instrumenter) command(pos parse.Pos, name string, arg int) *parse.CommandNode {
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{
		parse.NewIdentifier(name).SetPos(pos).SetTree(in.tree),
		&parse.NumberNode{NodeType: parse.NodeNumber, Pos: pos, IsInt: true, Int64: int64(arg), Text: strconv.Itoa(arg)},
	}}
}
