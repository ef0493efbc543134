// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// decoder fills API types from YAML nodes. It walks the types itself, because
// the decoders of the libraries forget the lines, ignore case or stop at the
// first mistake.
type decoder struct {
	file  string
	nodes int
	errs  []error
}

// decodeFile decodes a file into the value that into points to.
func decodeFile(f *files, name string, into any) []error {
	file := f.path(name)
	node, err := parse(file, f.content[name])
	if err != nil {
		return []error{err}
	}
	d := &decoder{file: file}
	d.value(node, reflect.ValueOf(into).Elem(), 0)
	return d.errs
}

// fail notes a mistake. A hostile file makes as many as it has values, an author
// reads the first ones.
func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	if len(d.errs) >= maxMistakes {
		d.nodes = maxYAMLNodes + 1
		return
	}
	d.errs = append(d.errs, &Error{File: d.file, Line: n.Line, Msg: fmt.Sprintf(format, args...)})
}

// enter follows aliases and charges for the node.
func (d *decoder) enter(n *yaml.Node, depth int) (*yaml.Node, bool) {
	if d.nodes++; d.nodes > maxYAMLNodes {
		if d.nodes == maxYAMLNodes+1 {
			d.fail(n, "the file has more than %d values, aliases expanded", maxYAMLNodes)
		}
		return nil, false
	}
	if depth > maxYAMLDepth {
		d.fail(n, "values are nested more than %d levels deep", maxYAMLDepth)
		return nil, false
	}
	if n.Kind == yaml.AliasNode {
		return d.enter(n.Alias, depth+1)
	}
	return n, true
}

func (d *decoder) value(n *yaml.Node, v reflect.Value, depth int) {
	n, ok := d.enter(n, depth)
	if !ok {
		return
	}
	if n.Tag == "!!null" {
		d.fail(n, "the value is empty; give one or leave the key out")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if own, ok := v.Addr().Interface().(json.Unmarshaler); ok {
		d.unmarshal(n, own, depth)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, depth)
	case reflect.Slice:
		d.list(n, v, depth)
	case reflect.Map:
		d.stringMap(n, v, depth)
	default:
		d.plain(n, v)
	}
}

// unmarshal hands a value to a type that reads JSON by its own rules.
func (d *decoder) unmarshal(n *yaml.Node, into json.Unmarshaler, depth int) {
	before := len(d.errs)
	free := d.free(n, depth)
	if len(d.errs) > before {
		return
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(free)
	if err == nil {
		err = into.UnmarshalJSON(bytes.TrimSpace(buf.Bytes()))
	}
	if err != nil {
		d.fail(n, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, depth int) {
	entries, ok := d.entries(n)
	if !ok {
		return
	}
	fields := map[string]reflect.Value{}
	collect(v, fields)
	for _, e := range entries {
		field, found := fields[e.key]
		if !found {
			d.fail(e.keyed, "unknown field %q%s", clip(e.key), differsInCase(e.key, fields))
			continue
		}
		d.value(e.val, field, depth+1)
	}
}

// collect finds the fields of a struct by their JSON names, embedded ones included.
func collect(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		switch {
		case options == "inline":
			collect(v.Field(i), into)
		case name != "" && name != "-":
			into[name] = v.Field(i)
		}
	}
}

func differsInCase(key string, fields map[string]reflect.Value) string {
	for name := range fields {
		if strings.EqualFold(name, key) {
			return fmt.Sprintf("; it is written %q", name)
		}
	}
	return ""
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.SequenceNode || n.Tag != "!!seq" {
		d.fail(n, "must be a list, not %s", describe(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.value(item, out.Index(i), depth+1)
	}
	v.Set(out)
}

func (d *decoder) stringMap(n *yaml.Node, v reflect.Value, depth int) {
	entries, ok := d.entries(n)
	if !ok {
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(entries))
	for _, e := range entries {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(e.val, item, depth+1)
		out.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), item)
	}
	v.Set(out)
}

func (d *decoder) plain(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "must be %s, not %s", want(v), describe(n))
		return
	}
	before := len(d.errs)
	scalar := d.scalar(n)
	if len(d.errs) > before {
		return
	}
	switch x := scalar.(type) {
	case string:
		// A timestamp is a string to JSON.
		if v.Kind() == reflect.String {
			v.SetString(x)
			return
		}
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(x)
			return
		}
	case int64:
		if v.CanInt() && !v.OverflowInt(x) {
			v.SetInt(x)
			return
		}
		if v.CanInt() {
			d.fail(n, "%d does not fit; the value must lie within ±%d", x, int64(math.MaxInt64)>>(64-v.Type().Bits()))
			return
		}
	}
	hint := ""
	if v.Kind() == reflect.String {
		hint = "; put it in quotes"
	}
	d.fail(n, "must be %s, not %s%s", want(v), describe(n), hint)
}

func want(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.String:
		return "a string"
	case v.Kind() == reflect.Bool:
		return "true or false"
	}
	return "an integer"
}
