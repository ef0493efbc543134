// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const (
	maxNodes = 50_000
	maxLevel = 60
)

// decoder reads the two YAML files of an operator. What it does not know becomes a note,
// what it can not read an error.
type decoder struct {
	file  string
	im    *importer
	nodes int
	errs  []error
}

func (d *decoder) fail(line int, format string, args ...any) {
	const mistakes = 50
	if len(d.errs) < mistakes {
		d.errs = append(d.errs, &Error{File: d.file, Line: line, Msg: fmt.Sprintf(format, args...)})
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parse reads the one document that a file holds.
func (d *decoder) parse(raw []byte) (node *yaml.Node) {
	defer func() {
		// The parser panics on some malformed input.
		if recover() != nil {
			d.fail(0, "the YAML parser can not read the file")
			node = nil
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); err != nil {
		d.unreadable(err)
		return nil
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		d.fail(next.Line, "holds more than one YAML document: keep the one with apiVersion kudo.dev/v1beta1")
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		d.fail(1, "must be a map with the key apiVersion")
		return nil
	}
	return doc.Content[0]
}

func (d *decoder) unreadable(err error) {
	if errors.Is(err, io.EOF) {
		d.fail(0, "is empty")
		return
	}
	text, line := err.Error(), 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	d.fail(line, "is no YAML: %s", clip(text, 200))
}

// fields calls read for each key of a map. Of keys that stand twice the last one counts, as
// it did in KUDO.
func (d *decoder) fields(n *yaml.Node, read func(key string, at int, v *yaml.Node)) {
	n = d.enter(n)
	if n == nil || n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n.Line, "a map is expected here")
		return
	}
	last := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		last[n.Content[i].Value] = i
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			d.fail(key.Line, "a key must be a word")
			continue
		}
		if last[key.Value] != i {
			d.im.changed(d.file, key.Line, "the key "+clip(key.Value, 60), "it stands twice in this map, and KUDO took the last one", "")
			continue
		}
		read(key.Value, key.Line, n.Content[i+1])
	}
}

// items calls read for each item of a list.
func (d *decoder) items(n *yaml.Node, read func(v *yaml.Node)) {
	n = d.enter(n)
	if n == nil || n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fail(n.Line, "a list is expected here")
		return
	}
	for _, item := range n.Content {
		read(item)
	}
}

// enter follows aliases and charges for the node: aliases may expand without end.
func (d *decoder) enter(n *yaml.Node) *yaml.Node {
	for level := 0; n != nil && n.Kind == yaml.AliasNode; level++ {
		if level > maxLevel {
			return nil
		}
		n = n.Alias
	}
	if d.nodes++; d.nodes > maxNodes {
		if d.nodes == maxNodes+1 {
			d.fail(0, "has more than %d values, aliases expanded", maxNodes)
		}
		return nil
	}
	return n
}

// text is a scalar as it was written: a version such as 5.7 is no number here.
func (d *decoder) text(n *yaml.Node) string {
	n = d.enter(n)
	switch {
	case n == nil || n.Tag == "!!null":
		return ""
	case n.Kind != yaml.ScalarNode:
		d.fail(n.Line, "a text is expected here")
		return ""
	}
	return n.Value
}

func (d *decoder) boolean(n *yaml.Node) bool {
	text := d.text(n)
	switch strings.ToLower(text) {
	case "true", "yes", "on", "y":
		return true
	case "", "false", "no", "off", "n":
		return false
	}
	d.fail(n.Line, "true or false is expected here, not %q", clip(text, 60))
	return false
}

func (d *decoder) texts(n *yaml.Node) []located {
	var out []located
	d.items(n, func(v *yaml.Node) { out = append(out, located{d.text(v), v.Line}) })
	return out
}

// located is a text and its line.
type located struct {
	text string
	line int
}

// free reads a value of any shape into JSON's types. Numbers keep their text.
func (d *decoder) free(n *yaml.Node, level int) any {
	n = d.enter(n)
	if n == nil || level > maxLevel {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = d.free(n.Content[i+1], level+1)
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			out = append(out, d.free(item, level+1))
		}
		return out
	}
	return scalarValue(n)
}

// scalarValue is a scalar as KUDO's reader, which knew YAML 1.1, had it.
func scalarValue(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		var i int64
		if n.Decode(&i) == nil {
			return i
		}
	case "!!float":
		var f float64
		if n.Decode(&f) == nil && f == f && f-f == 0 {
			return f
		}
	}
	if n.Style == 0 && n.Tag == "!!str" {
		switch strings.ToLower(n.Value) {
		case "yes", "on":
			return true
		case "no", "off":
			return false
		}
	}
	return n.Value
}

// parseText reads a text as one YAML value, the way KUDO read the default of a map or list.
func parseText(text string) (value any, ok bool) {
	d := &decoder{im: &importer{}}
	defer func() {
		if recover() != nil {
			value, ok = nil, false
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, true
	} else if err != nil || !errors.Is(dec.Decode(&next), io.EOF) || len(doc.Content) != 1 {
		return nil, false
	}
	value = d.free(doc.Content[0], 0)
	return value, len(d.errs) == 0
}
