// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"text/template/parse"
)

// checker refuses, at compile time, names of templates that do not exist and
// expressions that are nested without measure.
type checker struct {
	set  *Set
	tree *parse.Tree
	errs []error
}

func (c *checker) list(l *parse.ListNode, depth int) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			c.pipe(n.Pipe, depth)
		case *parse.IfNode:
			c.branch(&n.BranchNode, depth)
		case *parse.WithNode:
			c.branch(&n.BranchNode, depth)
		case *parse.RangeNode:
			c.branch(&n.BranchNode, depth)
		case *parse.TemplateNode:
			c.target(n, n.Name)
			c.pipe(n.Pipe, depth)
		}
	}
}

func (c *checker) branch(b *parse.BranchNode, depth int) {
	c.pipe(b.Pipe, depth)
	c.list(b.List, depth)
	c.list(b.ElseList, depth)
}

func (c *checker) pipe(p *parse.PipeNode, depth int) {
	if p == nil {
		return
	}
	if depth > maxParenDepth {
		c.errs = append(c.errs, placeOf(c.tree, p).err(ReasonSyntax, "", "parentheses are nested more than 200 levels deep"))
		return
	}
	for _, cmd := range p.Cmds {
		if name := constantInclude(cmd); name != nil {
			c.target(name, name.Text)
		}
		for _, arg := range cmd.Args {
			switch arg := arg.(type) {
			case *parse.PipeNode:
				c.pipe(arg, depth+1)
			case *parse.ChainNode:
				if inner, ok := arg.Node.(*parse.PipeNode); ok {
					c.pipe(inner, depth+1)
				}
			}
		}
	}
}

func (c *checker) target(n parse.Node, name string) {
	if c.set.trees[name] == nil {
		c.errs = append(c.errs, placeOf(c.tree, n).err(ReasonSyntax, "name a source or a define block of this version", "there is no template "+clip(name)))
	}
}

// constantInclude is the name in {{ include "name" … }}.
func constantInclude(cmd *parse.CommandNode) *parse.StringNode {
	if len(cmd.Args) < 2 {
		return nil
	}
	fn, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok || fn.Ident != "include" {
		return nil
	}
	name, _ := cmd.Args[1].(*parse.StringNode)
	return name
}
