// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"strconv"
	"strings"
	"text/template/parse"
)

// conditional is the condition around all that a template renders, if there is one that an
// expression can say too, and the text within.
func (im *importer) conditional(s *source) (when string, within piece, ok bool) {
	tree := s.trees[s.name]
	if tree == nil || tree.Root == nil || len(s.trees) > 1 {
		return "", piece{}, false
	}
	var around *parse.IfNode
	for _, n := range tree.Root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			if !blank(string(n.Text)) {
				return "", piece{}, false
			}
		case *parse.IfNode:
			if around != nil || n.ElseList != nil {
				return "", piece{}, false
			}
			around = n
		default:
			return "", piece{}, false
		}
	}
	if around == nil {
		return "", piece{}, false
	}
	for _, a := range s.actions {
		switch {
		case a.depth == 0 && a.word == "if":
			within.start = a.end
		case a.depth == 0 && a.word == "end":
			within.end = a.start
		}
	}
	when, ok = im.expression(around.Pipe)
	return when, within, ok && within.start < within.end
}

// blank says whether a text holds no YAML: nothing, comments or separators.
func blank(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if body := strings.TrimSpace(line); body != "" && body[0] != '#' && strings.Trim(body, "-") != "" {
			return false
		}
	}
	return true
}

// expression is a condition of a template in CEL.
func (im *importer) expression(n parse.Node) (string, bool) {
	switch n := n.(type) {
	case *parse.PipeNode:
		if len(n.Cmds) != 1 || len(n.Decl) > 0 {
			return "", false
		}
		if len(n.Cmds[0].Args) == 1 {
			return im.expression(n.Cmds[0].Args[0])
		}
		return im.comparison(n.Cmds[0])
	case *parse.BoolNode:
		return strconv.FormatBool(n.True), true
	}
	text, ok := im.operand(n)
	return text + ` != ""`, ok
}

func (im *importer) comparison(cmd *parse.CommandNode) (string, bool) {
	fn, args := identifier(cmd), cmd.Args[1:]
	operands := make([]string, len(args))
	for i, arg := range args {
		read := im.expression
		if fn == "eq" || fn == "ne" {
			read = im.operand
		}
		text, ok := read(arg)
		if !ok {
			return "", false
		}
		if operands[i] = text; fn != "eq" && fn != "ne" {
			operands[i] = "(" + text + ")"
		}
	}
	switch {
	case fn == "eq" && len(args) == 2:
		return operands[0] + " == " + operands[1], true
	case fn == "ne" && len(args) == 2:
		return operands[0] + " != " + operands[1], true
	case fn == "and":
		return strings.Join(operands, " && "), true
	case fn == "or":
		return strings.Join(operands, " || "), true
	case fn == "not" && len(args) == 1:
		return "!" + operands[0], true
	}
	return "", false
}

// operand is a parameter, as the string that templates of KUDO saw, or a literal.
func (im *importer) operand(n parse.Node) (string, bool) {
	var ident []string
	switch n := n.(type) {
	case *parse.StringNode:
		return strconv.Quote(n.Text), true
	case *parse.FieldNode:
		ident = n.Ident
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			ident = n.Ident[1:]
		}
	}
	if len(ident) != 2 || ident[0] != "Params" {
		return "", false
	}
	p := im.byName[ident[1]]
	switch {
	case p == nil || p.kind.structured():
		return "", false
	case p.kind.typed():
		return "string(params." + p.name + ")", true
	}
	return "params." + p.name, true
}
