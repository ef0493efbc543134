// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"slices"
	"strings"
	"text/template/parse"
)

// Reference is one place where a template reads a value by a constant path.
type Reference struct {
	// Path starts with a name of ValueNames; an element of a list is "[]".
	Path         []string
	Template     string
	Line, Column int
}

// String is the path as a template writes it.
func (r Reference) String() string { return "." + strings.Join(r.Path, ".") }

// References lists what a source reads, templates that it includes too, sorted
// by place. What is read through a computed key is not in it.
func (s *Set) References(name string) []Reference {
	return slices.Clone(s.refs[name])
}

// origin is where a value comes from, as far as the source tells.
type origin struct {
	known bool
	path  []string
}

func (o origin) at(steps ...string) origin {
	if !o.known {
		return o
	}
	return origin{true, append(slices.Clone(o.path), steps...)}
}

// tracer follows dot and variables through a template and what it includes.
type tracer struct {
	set     *Set
	tree    *parse.Tree
	vars    map[string]origin
	found   *[]Reference
	visited map[string]bool
}

const maxTraces = 1000

func (s *Set) collect(name string) []Reference {
	found := []Reference{}
	t := &tracer{set: s, found: &found, visited: map[string]bool{}}
	t.template(name, origin{known: true})
	slices.SortStableFunc(found, func(a, b Reference) int {
		return cmp.Or(cmp.Compare(a.Template, b.Template), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), slices.Compare(a.Path, b.Path))
	})
	return slices.CompactFunc(found, func(a, b Reference) bool {
		return a.Template == b.Template && a.Line == b.Line && a.Column == b.Column && slices.Equal(a.Path, b.Path)
	})
}

func (t *tracer) template(name string, dot origin) {
	key := name + "\x00" + strings.Join(dot.path, ".")
	if !dot.known {
		key = name
	}
	tree := t.set.trees[name]
	// A recursion on ever deeper paths ends here.
	if tree == nil || t.visited[key] || len(t.visited) > maxTraces || len(dot.path) > maxValueDepth {
		return
	}
	t.visited[key] = true
	inner := &tracer{set: t.set, tree: tree, vars: map[string]origin{"$": dot}, found: t.found, visited: t.visited}
	inner.list(tree.Root, dot)
}

func (t *tracer) list(l *parse.ListNode, dot origin) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			t.pipe(n.Pipe, dot)
		case *parse.IfNode:
			t.pipe(n.Pipe, dot)
			t.list(n.List, dot)
			t.list(n.ElseList, dot)
		case *parse.WithNode:
			t.list(n.List, t.pipe(n.Pipe, dot))
			t.list(n.ElseList, dot)
		case *parse.RangeNode:
			t.ranged(n, dot)
		case *parse.TemplateNode:
			t.template(n.Name, t.pipe(n.Pipe, dot))
		}
	}
}

func (t *tracer) ranged(n *parse.RangeNode, dot origin) {
	element := t.pipe(n.Pipe, dot).at("[]")
	for i, v := range n.Pipe.Decl {
		t.vars[v.Ident[0]] = origin{}
		if i == len(n.Pipe.Decl)-1 {
			t.vars[v.Ident[0]] = element
		}
	}
	t.list(n.List, element)
	t.list(n.ElseList, dot)
}

func (t *tracer) pipe(p *parse.PipeNode, dot origin) origin {
	if p == nil {
		return origin{}
	}
	var out origin
	for _, cmd := range p.Cmds {
		out = t.command(cmd, dot)
	}
	for _, v := range p.Decl {
		t.vars[v.Ident[0]] = out
	}
	return out
}

// command follows a plain value, index and get with constant keys, and include.
func (t *tracer) command(cmd *parse.CommandNode, dot origin) origin {
	args := make([]origin, len(cmd.Args))
	for i, arg := range cmd.Args {
		args[i] = t.arg(arg, dot)
	}
	if len(args) == 1 {
		return args[0]
	}
	fn, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok {
		return origin{}
	}
	switch fn.Ident {
	case "include":
		if name := constantInclude(cmd); name != nil && len(args) > 2 {
			t.template(name.Text, args[2])
		}
	case "index", "get":
		return t.lookup(cmd, args[1])
	}
	return origin{}
}

func (t *tracer) lookup(cmd *parse.CommandNode, from origin) origin {
	for _, arg := range cmd.Args[2:] {
		switch key := arg.(type) {
		case *parse.StringNode:
			from = from.at(key.Text)
		case *parse.NumberNode:
			from = from.at("[]")
		default:
			return origin{}
		}
	}
	t.record(cmd, from)
	return from
}

func (t *tracer) arg(n parse.Node, dot origin) origin {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return t.record(n, dot.at(n.Ident...))
	case *parse.VariableNode:
		from := t.vars[n.Ident[0]]
		if len(n.Ident) == 1 {
			return from
		}
		return t.record(n, from.at(n.Ident[1:]...))
	case *parse.ChainNode:
		return t.record(n, t.arg(n.Node, dot).at(n.Field...))
	case *parse.PipeNode:
		return t.pipe(n, dot)
	}
	return origin{}
}

func (t *tracer) record(n parse.Node, o origin) origin {
	if o.known && len(o.path) > 0 {
		p := placeOf(t.tree, n)
		*t.found = append(*t.found, Reference{Path: o.path, Template: p.template, Line: p.line, Column: p.column})
	}
	return o
}
