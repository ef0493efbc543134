// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// text is a template as it was written.
type text struct {
	name, file string
	lines      []string
	// blocks are the names that it defines, its own apart, with what each includes.
	blocks map[string][]string
	// includes are what it includes outside of blocks.
	includes []string
	// words are the names of fields that it reads anywhere, and constant keys.
	words map[string]bool
	// whole names what it reads as a whole, such as Params.
	whole map[string]bool
	// computed says that it includes blocks whose names it puts together.
	computed  bool
	documents []*document
}

// document is an object in the text of a template.
type document struct {
	text *text
	kind string
	// block is the name of the block that it stands in; empty outside of blocks.
	block string
	// from and to are its first line and the one after its last.
	from, to int
}

func readTexts(templates []v1alpha1.Template) (map[string]*text, []string) {
	out := map[string]*text{}
	for _, t := range templates {
		x := &text{
			name: t.Name, file: "templates/" + t.Name, lines: strings.Split(t.Content, "\n"),
			blocks: map[string][]string{}, words: map[string]bool{}, whole: map[string]bool{},
		}
		x.parse(t.Content)
		x.findDocuments()
		out[t.Name] = x
	}
	return out, slices.Sorted(maps.Keys(out))
}

// parse collects names. A text that does not parse has none, and the compiler says why.
func (x *text) parse(content string) {
	if len(blockOpens.FindAllStringIndex(content, maxBlocks)) == maxBlocks {
		return // nested that deep, it could exhaust the parser
	}
	trees := map[string]*parse.Tree{}
	tree := parse.New(x.name)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(content, "", "", trees); err != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		w := &walker{text: x}
		w.node(trees[name].Root)
		if name == x.name {
			x.includes = w.includes
		} else {
			x.blocks[name] = w.includes
		}
	}
}

const maxBlocks = 10_000

var blockOpens = regexp.MustCompile(`\{\{-?\s*(if|with|range|define|block)\b`)

// walker collects what one tree reads and includes.
type walker struct {
	text     *text
	includes []string
}

func (w *walker) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		w.node(n)
	}
}

func (w *walker) branch(b *parse.BranchNode) {
	w.pipe(b.Pipe)
	w.list(b.List)
	w.list(b.ElseList)
}

func (w *walker) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for _, c := range p.Cmds {
		w.command(c)
	}
}

func (w *walker) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		w.list(n)
	case *parse.ActionNode:
		w.pipe(n.Pipe)
	case *parse.IfNode:
		w.branch(&n.BranchNode)
	case *parse.WithNode:
		w.branch(&n.BranchNode)
	case *parse.RangeNode:
		w.branch(&n.BranchNode)
	case *parse.TemplateNode:
		w.includes = append(w.includes, n.Name)
		w.pipe(n.Pipe)
	case *parse.PipeNode:
		w.pipe(n)
	case *parse.FieldNode:
		w.path(n.Ident)
	case *parse.VariableNode:
		w.path(n.Ident[1:])
	case *parse.ChainNode:
		w.node(n.Node)
		w.path(n.Field)
	case *parse.StringNode:
		w.text.words[n.Text] = true
	}
}

// command knows that get, index and dig name what they take.
func (w *walker) command(c *parse.CommandNode) {
	first, call := c.Args[0].(*parse.IdentifierNode)
	if call && first.Ident == "include" && len(c.Args) > 1 {
		switch name := c.Args[1].(type) {
		case *parse.StringNode:
			w.includes = append(w.includes, name.Text)
		case *parse.PipeNode:
			w.text.computed = true
		}
	}
	keyed := call && (first.Ident == "get" || first.Ident == "index" || first.Ident == "dig" || first.Ident == "hasKey") && len(c.Args) > 2
	before := maps.Clone(w.text.whole)
	constant := false
	for _, arg := range c.Args {
		w.node(arg)
		_, is := arg.(*parse.StringNode)
		constant = constant || is
	}
	if keyed && constant {
		w.text.whole = before
	}
}

func (w *walker) path(names []string) {
	for _, name := range names {
		w.text.words[name] = true
	}
	if len(names) > 0 {
		w.text.whole[names[len(names)-1]] = true
	}
}

var (
	kindLine  = regexp.MustCompile(`^["']?kind["']?\s*:\s*["']?([A-Z][A-Za-z0-9]*)`)
	blockLine = regexp.MustCompile(`\{\{-?\s*define\s+"([^"]+)"`)
	endLine   = regexp.MustCompile(`^\{\{-?\s*end\s*-?\}\}`)
	headLine  = regexp.MustCompile(`^["']?(apiVersion|kind)["']?\s*:`)
)

// findDocuments finds objects by their kind at the start of a line.
func (x *text) findDocuments() {
	block := ""
	var last *document
	end := func(line int) {
		if last != nil {
			last.to, last = line, nil
		}
	}
	for i, line := range x.lines {
		switch {
		case blockLine.MatchString(line):
			block = blockLine.FindStringSubmatch(line)[1]
			end(i + 1)
		case endLine.MatchString(line), strings.HasPrefix(line, "---"):
			end(i + 1)
			if !strings.HasPrefix(line, "---") {
				block = ""
			}
		case kindLine.MatchString(line):
			end(i + 1)
			from := i + 1
			for from > 1 && headLine.MatchString(x.lines[from-2]) {
				from--
			}
			last = &document{text: x, kind: kindLine.FindStringSubmatch(line)[1], block: block, from: from}
			x.documents = append(x.documents, last)
		}
	}
	end(len(x.lines) + 1)
}

// computes says whether any template includes blocks by names that can not be told.
func (s *subject) computes() bool {
	return slices.ContainsFunc(s.names, func(n string) bool { return s.texts[n].computed })
}

// mentioned are the blocks that a template names as a constant anywhere: it may hand the name
// to another block, which includes it.
func (s *subject) mentioned(x *text) []string {
	var out []string
	for _, n := range s.names {
		for block := range s.texts[n].blocks {
			if x.words[block] {
				out = append(out, block)
			}
		}
	}
	slices.Sort(out)
	return out
}

// reach lists the blocks and templates that a name includes, itself first, near ones first.
func (s *subject) reach(name string) []string {
	out := []string{name}
	for i := 0; i < len(out); i++ {
		var more []string
		if x := s.texts[out[i]]; x != nil {
			more = append(slices.Clone(x.includes), s.mentioned(x)...)
		}
		for _, n := range s.names {
			more = append(slices.Clone(more), s.texts[n].blocks[out[i]]...)
		}
		for _, m := range more {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

func hasName(name string) func(v1alpha1.Template) bool {
	return func(t v1alpha1.Template) bool { return t.Name == name }
}
