// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"slices"
	"strings"
	"text/template/parse"
)

// role says what a template does with a value.
type role int

const (
	printed  role = iota // prints it, and nothing else
	argument             // gives it to a function
	tested               // asks whether it is empty
	stored               // keeps it in a variable, ranges over it, hands it on
)

// use is a place where a template reads a parameter.
type use struct {
	src        *source
	parameter  string
	start, end int
	role       role
	// fn is the function that gets it, where the role is argument; place where it is
	// printed; ranged says that it is ranged over.
	fn     string
	place  place
	action *action
	ranged bool
	// indexed says that it is read with index and a constant key.
	indexed bool
	// fields says that a field of it is read.
	fields bool
}

// reference is a place where a template reads something else that KUDO gave it.
type reference struct {
	name       string
	start, end int
	action     *action
	// alone says that the action prints it and nothing else.
	alone bool
	// key is what is read of .Pipes.
	key string
}

// call is a call of a function.
type call struct {
	name       string
	start, end int
	action     *action
}

// walker follows one template and the blocks that it defines.
type walker struct {
	im  *importer
	src *source
	// root says that dot is what KUDO gave the template.
	root bool
	act  *action
}

func (im *importer) collectUses() {
	for _, name := range im.sourceNames() {
		s := im.sources[name]
		for _, tree := range s.treeNames() {
			w := &walker{im: im, src: s, root: true}
			if root := s.trees[tree].Root; root != nil {
				w.list(root)
			}
		}
		slices.SortFunc(s.uses, func(a, b use) int { return a.start - b.start })
		for _, a := range s.actions {
			s.variables = s.variables || a.assigns && a.depth == 0
		}
		for _, u := range s.uses {
			if p := im.byName[u.parameter]; p != nil {
				p.uses = append(p.uses, u)
			} else {
				im.blocked(s.file(), s.line(u.start), ".Params."+u.parameter, "there is no such parameter: KUDO could not render this", "declare it in params.yaml, or correct its name")
			}
		}
	}
}

func (w *walker) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		if w.act = w.src.actionAt(int(n.Position())); w.act == nil {
			w.act = &action{}
		}
		switch n := n.(type) {
		case *parse.ActionNode:
			r := printed
			if len(n.Pipe.Decl) > 0 {
				r = stored
			}
			w.pipe(n.Pipe, r)
		case *parse.IfNode:
			w.pipe(n.Pipe, tested)
			w.list(n.List)
			w.list(n.ElseList)
		case *parse.WithNode:
			w.pipe(n.Pipe, stored)
			w.within(n.List)
			w.list(n.ElseList)
		case *parse.RangeNode:
			w.ranges(n)
		case *parse.TemplateNode:
			if n.Pipe != nil {
				w.pipe(n.Pipe, stored)
			}
		}
	}
}

func (w *walker) ranges(n *parse.RangeNode) {
	before := len(w.src.uses)
	if len(n.Pipe.Cmds) == 1 && len(n.Pipe.Cmds[0].Args) == 1 {
		into := w.im.listed
		if len(n.Pipe.Decl) == 2 {
			into = w.im.paired
		}
		into[lastName(n.Pipe.Cmds[0].Args[0])] = true
	}
	w.pipe(n.Pipe, stored)
	if len(n.Pipe.Cmds) == 1 {
		for i := before; i < len(w.src.uses); i++ {
			w.src.uses[i].ranged = w.src.uses[i].role == stored
		}
	}
	w.within(n.List)
	w.list(n.ElseList)
}

// within walks a block in which dot is something else.
func (w *walker) within(l *parse.ListNode) {
	root := w.root
	w.root = false
	w.list(l)
	w.root = root
}

// pipe follows a pipeline; r is what becomes of its value.
func (w *walker) pipe(p *parse.PipeNode, r role) {
	for i, cmd := range p.Cmds {
		next := ""
		if i+1 < len(p.Cmds) {
			next = identifier(p.Cmds[i+1])
		}
		w.command(cmd, r, next, len(p.Cmds) == 1)
	}
}

func identifier(cmd *parse.CommandNode) string {
	if id, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		return id.Ident
	}
	return ""
}

// command follows one command; next is the function that gets its value.
func (w *walker) command(cmd *parse.CommandNode, r role, next string, only bool) {
	fn := identifier(cmd)
	if fn != "" {
		at := int(cmd.Args[0].Position())
		w.src.calls = append(w.src.calls, call{name: fn, start: at, end: at + len(fn), action: w.act})
	}
	if fn == "index" && w.indexed(cmd, r, next, only) {
		return
	}
	for _, arg := range cmd.Args {
		if gets := fn + next; slices.Contains(counting, fn) || fn == "" && slices.Contains(counting, gets) {
			w.im.counted[lastName(arg)] = true
		}
		switch {
		case len(cmd.Args) > 1:
			w.arg(arg, argument, fn, false)
		case next != "":
			w.arg(arg, argument, next, false)
		default:
			w.arg(arg, r, "", only)
		}
	}
}

func (w *walker) arg(n parse.Node, r role, fn string, only bool) {
	switch n := n.(type) {
	case *parse.FieldNode:
		if w.root {
			w.value(n, n.Ident, r, fn, only)
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			w.value(n, n.Ident[1:], r, fn, only)
		}
	case *parse.PipeNode:
		// A pipeline in parentheses hands its value on to whoever gets the parentheses.
		if len(n.Cmds) == 1 && len(n.Cmds[0].Args) == 1 {
			w.arg(n.Cmds[0].Args[0], r, fn, false)
			return
		}
		w.pipe(n, stored)
	case *parse.ChainNode:
		w.arg(n.Node, stored, "", false)
	}
}

// value is a field of what KUDO gave the template.
func (w *walker) value(n parse.Node, ident []string, r role, fn string, only bool) {
	start, end := w.extent(n)
	if start < 0 {
		return
	}
	switch {
	case ident[0] == "Params" && len(ident) == 1:
		w.im.dynamic = true
	case ident[0] == "Params":
		// What is below a parameter is read of its value.
		for range ident[2:] {
			end = start + strings.LastIndexByte(w.src.text[start:end], '.')
		}
		w.src.uses = append(w.src.uses, use{
			src: w.src, parameter: ident[1], start: start, end: end, role: r, fn: fn, place: w.act.place, action: w.act, fields: len(ident) > 2,
		})
	default:
		ref := reference{name: ident[0], start: start, end: end, action: w.act, alone: only && r == printed}
		if ident[0] == "Pipes" && len(ident) > 1 {
			ref.key = ident[1]
		}
		w.src.metadata = append(w.src.metadata, ref)
		if !slices.Contains(w.src.context, ident[0]) {
			w.src.context = append(w.src.context, ident[0])
		}
	}
}

// indexed is index .Params "NAME": how templates read names that are no identifiers.
func (w *walker) indexed(cmd *parse.CommandNode, r role, next string, only bool) bool {
	if len(cmd.Args) != 3 || !w.isParams(cmd.Args[1]) {
		return false
	}
	name, ok := cmd.Args[2].(*parse.StringNode)
	if !ok {
		return false
	}
	start := int(cmd.Args[0].Position())
	u := use{src: w.src, parameter: name.Text, start: start, end: int(name.Pos) + len(name.Quoted), role: r, place: w.act.place, action: w.act, indexed: true}
	if next != "" {
		u.role, u.fn = argument, next
	}
	if !only && u.role == printed {
		u.role = stored
	}
	w.src.uses = append(w.src.uses, u)
	return true
}

func (w *walker) isParams(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.FieldNode:
		return w.root && slices.Equal(n.Ident, []string{"Params"})
	case *parse.VariableNode:
		return slices.Equal(n.Ident, []string{"$", "Params"})
	}
	return false
}

// extent finds where a field or variable stands. The parser gives the place of its second
// part where it has several.
func (w *walker) extent(n parse.Node) (start, end int) {
	want, at := n.String(), int(n.Position())
	for start := at; start >= max(0, at-len(want)); start-- {
		if strings.HasPrefix(w.src.text[start:], want) {
			return start, start + len(want)
		}
	}
	return -1, -1
}

// lastName is the field that an expression ends with.
func lastName(n parse.Node) string {
	switch n := n.(type) {
	case *parse.FieldNode:
		return n.Ident[len(n.Ident)-1]
	case *parse.VariableNode:
		return n.Ident[len(n.Ident)-1]
	}
	return ""
}
