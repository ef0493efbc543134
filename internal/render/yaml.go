// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// document is one YAML document with the line on which it starts.
type document struct {
	value any
	line  int
}

// yamlError is a mistake at a line of the rendered text.
func yamlError(line int, hint, msg string) *Error {
	return &Error{Reason: ReasonYAML, Line: line, Msg: msg, Hint: hint}
}

// documents reads strict YAML with holes. A line of --- inside a block scalar is
// text, because a real parser reads it. Empty documents are skipped.
func (x *execution) documents(text string) (out []document, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, yamlError(0, "", "the YAML parser cannot read the text")
		}
	}()
	if crowded(text, x.set.limits.Nodes) {
		return nil, &Error{Reason: ReasonLimit, Msg: "the text has too many YAML nodes", Hint: "split the template"}
	}
	dec := yaml.NewDecoder(strings.NewReader(text))
	r := &reader{x: x, nodes: x.set.limits.Nodes, bytes: 2 * x.set.limits.Output}
	for {
		var node yaml.Node
		err := dec.Decode(&node)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, parserError(err)
		}
		if node.Kind != yaml.DocumentNode || len(node.Content) != 1 {
			continue
		}
		value, err := r.value(node.Content[0], 0)
		if err != nil {
			return nil, err
		}
		if value != nil {
			out = append(out, document{value, node.Content[0].Line})
		}
	}
}

// crowded estimates the nodes from above, before memory is spent on them.
func crowded(text string, most int) bool {
	n := 0
	for i := range len(text) {
		switch text[i] {
		case '\n', ',', '[', '{', ':', '-', '?':
			n++
		}
	}
	return n > most
}

var parserLine = regexp.MustCompile(`^yaml: line (\d+): `)

// parserError keeps the parser's words: it has seen no values, only holes.
func parserError(err error) *Error {
	msg := err.Error()
	line := 0
	if m := parserLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = msg[len(m[0]):]
	}
	msg = strings.TrimPrefix(msg, "yaml: ")
	return yamlError(line, "check indentation and quotes around it", "the rendered text is not YAML: "+clip(withoutHoles(msg)))
}

func withoutHoles(s string) string {
	return strings.NewReplacer(holeOpen, "⟨", holeClose, "⟩").Replace(s)
}

// reader turns nodes into data, within budgets that count aliases every time.
type reader struct {
	x            *execution
	nodes, bytes int
}

const maxYAMLDepth = 100

func (r *reader) value(n *yaml.Node, depth int) (any, error) {
	if r.nodes--; r.nodes < 0 {
		return nil, &Error{Reason: ReasonLimit, Line: n.Line, Msg: "the YAML has too many nodes, aliases expanded", Hint: "write less with aliases"}
	}
	if depth > maxYAMLDepth {
		return nil, &Error{Reason: ReasonLimit, Line: n.Line, Msg: "the YAML is nested more than 100 levels deep"}
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.value(n.Alias, depth+1)
	case yaml.MappingNode:
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		if n.Tag != "!!seq" {
			return nil, badTag(n)
		}
		out := make([]any, 0, len(n.Content))
		for _, child := range n.Content {
			v, err := r.value(child, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	return r.scalar(n)
}

func (r *reader) mapping(n *yaml.Node, depth int) (any, error) {
	if n.Tag != "!!map" {
		return nil, badTag(n)
	}
	out := make(map[string]any, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag == "!!merge" {
			merged = append(merged, n.Content[i+1])
			continue
		}
		key, err := r.key(n.Content[i])
		if err != nil {
			return nil, err
		}
		if _, twice := out[key]; twice {
			return nil, yamlError(n.Content[i].Line, "keep one of them", "the key "+keyName(n.Content[i])+" stands twice in a map")
		}
		if out[key], err = r.value(n.Content[i+1], depth+1); err != nil {
			return nil, err
		}
	}
	for _, m := range merged {
		if err := r.merge(out, m, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keyName names a key in an error only if it is the author's own text.
func keyName(n *yaml.Node) string {
	if strings.Contains(n.Value, holeOpen) {
		return "that a value gives"
	}
	return strconv.Quote(clip(n.Value))
}

// merge is the << key: what the map has itself wins.
func (r *reader) merge(into map[string]any, n *yaml.Node, depth int) error {
	v, err := r.value(n, depth)
	if err != nil {
		return err
	}
	sources, ok := v.([]any)
	if !ok {
		sources = []any{v}
	}
	for _, source := range sources {
		m, ok := source.(map[string]any)
		if !ok {
			return yamlError(n.Line, "", "<< merges a value that is no map")
		}
		for key, item := range m {
			if _, own := into[key]; !own {
				into[key] = item
			}
		}
	}
	return nil
}

// key reads a key as JSON needs it. Integers become text, as kubectl has it;
// what else is no string is a mistake more often than a wish.
func (r *reader) key(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return "", yamlError(n.Line, "use a string", "a map or list is used as a key")
	}
	if n.Tag == "!!int" || n.Tag == "!!float" {
		return r.text(n)
	}
	v, err := r.scalar(n)
	if err != nil {
		return "", err
	}
	key, ok := v.(string)
	if !ok {
		return "", yamlError(n.Line, "put it in quotes", "the key "+keyName(n)+" is no string")
	}
	return key, nil
}

func (r *reader) text(n *yaml.Node) (string, error) {
	text, err := r.x.fillNode(n.Value, n.Style)
	if err != nil {
		return "", err
	}
	if r.bytes -= len(text); r.bytes < 0 {
		return "", &Error{Reason: ReasonLimit, Line: n.Line, Msg: "the YAML is larger than 2 MiB, aliases expanded"}
	}
	return text, nil
}

func badTag(n *yaml.Node) error {
	return yamlError(n.Line, "remove it", "the tag "+strconv.Quote(clip(withoutHoles(n.Tag)))+" is not allowed")
}

var (
	// ambiguous words are booleans in YAML 1.1 and strings in 1.2.
	ambiguous = regexp.MustCompile(`^(?i:yes|no|on|off)$`)
	oldOctal  = regexp.MustCompile(`^[-+]?0[0-7]+$`)
)

func (r *reader) scalar(n *yaml.Node) (any, error) {
	switch n.Tag {
	case "!!str", "!!timestamp":
		if n.Style == 0 && ambiguous.MatchString(n.Value) {
			return nil, yamlError(n.Line, `write true, false or "`+n.Value+`"`, n.Value+" is a boolean to some readers of YAML and a string to others")
		}
		return r.text(n)
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int":
		return integer(n)
	case "!!float":
		var f float64
		if n.Decode(&f) != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, yamlError(n.Line, "put it in quotes if it is a string", "the number cannot be represented")
		}
		return floatData(f), nil
	}
	return nil, badTag(n)
}

func integer(n *yaml.Node) (any, error) {
	if oldOctal.MatchString(n.Value) {
		i, err := strconv.ParseInt(n.Value, 8, 64)
		if err == nil {
			return i, nil
		}
	}
	var i int64
	if n.Decode(&i) == nil {
		return i, nil
	}
	var u uint64
	if n.Decode(&u) == nil {
		return u, nil
	}
	return nil, yamlError(n.Line, "put it in quotes if it is a string", "the integer does not fit in 64 bits")
}
