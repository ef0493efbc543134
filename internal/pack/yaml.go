// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const (
	maxYAMLDepth = 60
	// maxYAMLNodes bounds what aliases may expand to.
	maxYAMLNodes = 50_000
	maxMistakes  = 50
)

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parse reads the one YAML document that a file must hold.
func parse(file string, raw []byte) (node *yaml.Node, err error) {
	defer func() {
		// The parser panics on some malformed input.
		if recover() != nil {
			node, err = nil, &Error{File: file, Msg: "the YAML parser cannot read the file"}
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, &Error{File: file, Msg: "the file is empty"}
	} else if err != nil {
		return nil, parserError(file, err)
	}
	if err := dec.Decode(&next); err == nil {
		return nil, &Error{File: file, Line: next.Line, Msg: "a second YAML document starts here; the file must hold one"}
	} else if !errors.Is(err, io.EOF) {
		return nil, parserError(file, err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, &Error{File: file, Msg: "the file is empty"}
	}
	return doc.Content[0], nil
}

func parserError(file string, err error) *Error {
	out := &Error{File: file, Msg: err.Error()}
	if m := yamlLine.FindStringSubmatch(out.Msg); m != nil {
		out.Line, _ = strconv.Atoi(m[1])
		out.Msg = "this is no YAML: " + out.Msg[len(m[0]):]
	}
	return out
}

// entry is one key of a mapping, with its value.
type entry struct {
	key        string
	line       int
	keyed, val *yaml.Node
}

// entries reads the keys of a mapping, which must be strings and unique.
func (d *decoder) entries(n *yaml.Node) ([]entry, bool) {
	if n.Kind != yaml.MappingNode || n.Tag != "!!map" {
		d.fail(n, "must be a map, not %s", describe(n))
		return nil, false
	}
	out := make([]entry, 0, len(n.Content)/2)
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Tag == "!!merge" {
			d.fail(k, "merge keys (<<) are not supported; write the fields out")
			continue
		}
		if k.Kind != yaml.ScalarNode || k.Tag != "!!str" || ambiguous(k) {
			d.fail(k, "a key must be a string; put it in quotes")
			continue
		}
		if line, twice := first[k.Value]; twice {
			d.fail(k, "the key %q stands twice; the first is on line %d", k.Value, line)
			continue
		}
		first[k.Value] = k.Line
		out = append(out, entry{k.Value, k.Line, k, n.Content[i+1]})
	}
	return out, true
}

// oldNumber matches what YAML 1.1 or 1.2, but not both, takes for a number.
var oldNumber = regexp.MustCompile(`^[-+]?(0[0-9oObB_][0-9a-fA-F_.]*|[0-9][0-9_]*_[0-9_.]*)$`)

// ambiguous says whether YAML 1.1, which kubectl reads, and 1.2 disagree.
func ambiguous(n *yaml.Node) bool {
	if n.Style != 0 {
		return false
	}
	switch strings.ToLower(n.Value) {
	case "y", "n", "yes", "no", "on", "off":
		return true
	}
	return oldNumber.MatchString(n.Value)
}

// free reads a value whose shape is not known here, as JSON has it.
func (d *decoder) free(n *yaml.Node, depth int) any {
	n, ok := d.enter(n, depth)
	if !ok {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		entries, _ := d.entries(n)
		out := make(map[string]any, len(entries))
		for _, e := range entries {
			out[e.key] = d.free(e.val, depth+1)
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			out = append(out, d.free(item, depth+1))
		}
		return out
	}
	return d.scalar(n)
}

func (d *decoder) scalar(n *yaml.Node) any {
	if ambiguous(n) {
		d.fail(n, "%q means different things to different YAML readers; put it in quotes, or write true, false or a decimal number", n.Value)
		return nil
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!str", "!!timestamp":
		return n.Value
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if number, ok := integer(n.Value); ok {
			return number
		}
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		// A whole number this large lost digits when it became a float.
		if err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) && strings.ContainsAny(n.Value, ".eE") {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
	}
	d.fail(n, "%q (%s) is no value that JSON can hold", clip(n.Value), n.Tag)
	return nil
}

func integer(text string) (any, bool) {
	if i, err := strconv.ParseInt(text, 0, 64); err == nil {
		return i, true
	}
	u, err := strconv.ParseUint(text, 0, 64)
	return u, err == nil
}

// describe names what an author wrote, in an author's words.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "empty"
	case n.Tag == "!!str":
		return "a string"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "a number"
	}
	return fmt.Sprintf("a value tagged %s", clip(n.Tag))
}

func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}
