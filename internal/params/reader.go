// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Bounds of one parameter's schema.
const (
	maxSchemaBytes = 64 << 10
	maxSchemaDepth = 16
	maxSchemaNodes = 1000
	maxEnum        = 256
)

// reader compiles one schema and collects what is wrong with it.
type reader struct {
	errs  field.ErrorList
	nodes int
	depth int
	// outer is the type around a branch of allOf, anyOf, oneOf or not; empty outside of one.
	outer    string
	inBranch bool
}

// readSchema compiles a schema. The node is nil if there are errors.
func readSchema(raw []byte, path *field.Path) (*node, field.ErrorList) {
	if len(raw) > maxSchemaBytes {
		return nil, field.ErrorList{invalid(path, nil, "must have at most %d bytes, not %d", maxSchemaBytes, len(raw))}
	}
	v, err := Decode(raw)
	if err != nil {
		return nil, field.ErrorList{invalid(path, nil, "%v", err)}
	}
	r := &reader{}
	n := r.node(v, path)
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	return n, nil
}

func (r *reader) add(err *field.Error) { r.errs = append(r.errs, err) }

// context is the type that a node's words speak about.
func (r *reader) context(n *node) string {
	if n.typ == "" && r.inBranch {
		return r.outer
	}
	return n.typ
}

// node reads a schema; on an error it still gives a node.
func (r *reader) node(v any, path *field.Path) *node {
	n := &node{}
	words, ok := v.(map[string]any)
	if !ok {
		r.add(invalid(path, v, "must be a schema, for example {type: string}"))
		return n
	}
	r.nodes++
	if r.nodes > maxSchemaNodes || r.depth > maxSchemaDepth {
		if r.nodes <= maxSchemaNodes+1 {
			r.add(invalid(path, nil, "the schema has more than %d parts or %d levels", maxSchemaNodes, maxSchemaDepth))
		}
		return n
	}
	r.depth++
	defer func() { r.depth-- }()
	r.words(n, words, path)
	if r.inBranch {
		n.open = true
	} else {
		r.structure(n, path)
	}
	r.consistency(n, path)
	return n
}

// words reads the type first, because the meaning of the others depends on it.
func (r *reader) words(n *node, words map[string]any, path *field.Path) {
	names := sortedKeys(words)
	first := []string{"type", "x-kubernetes-int-or-string"}
	for _, name := range first {
		if _, ok := words[name]; ok {
			r.word(n, name, words[name], path)
		}
	}
	for _, name := range names {
		if !slices.Contains(first, name) {
			r.word(n, name, words[name], path)
		}
	}
}

func (r *reader) word(n *node, name string, v any, path *field.Path) {
	at := child(path, name)
	if why, ok := refused[name]; ok {
		r.add(field.Forbidden(at, why))
		return
	}
	word, ok := keywords[name]
	switch {
	case !ok:
		r.add(invalid(at, nil, "unknown keyword%s", Hint(name, sortedKeys(keywords))))
	case r.inBranch && word.shape:
		r.add(field.Forbidden(at, "is not allowed within allOf, anyOf, oneOf and not, as in a CustomResourceDefinition"))
	case !r.applies(word, n):
		r.add(invalid(at, nil, "means nothing for a value of type %s", r.context(n)))
	default:
		word.read(r, n, v, at)
	}
}

func (r *reader) applies(word keyword, n *node) bool {
	typ := r.context(n)
	if len(word.types) == 0 || typ == "" || n.intOrString {
		return true
	}
	return slices.Contains(word.types, typ)
}

// structure demands that the type of everything is known, as a CustomResourceDefinition does.
func (r *reader) structure(n *node, path *field.Path) {
	switch {
	case n.intOrString && n.typ != "":
		r.add(field.Forbidden(path.Child("type"), "must be left out where x-kubernetes-int-or-string is true"))
	case n.typ == "" && !n.intOrString && !n.open:
		if len(r.errs) == 0 {
			r.add(field.Required(path.Child("type"), "say array, boolean, integer, number, object or string"))
		}
	case n.typ == typeArray && n.items == nil:
		r.add(field.Required(path.Child("items"), "say what the list holds"))
	case n.typ == typeObject && n.properties != nil && n.additional != nil:
		r.add(field.Forbidden(path.Child("additionalProperties"), "stands instead of properties, not beside them, as in a CustomResourceDefinition"))
	case n.typ == typeObject && n.properties == nil && n.additional == nil && !n.open:
		r.add(field.Required(path.Child("properties"), "or additionalProperties, or x-kubernetes-preserve-unknown-fields: true for an object with any content"))
	}
}

// consistency finds constraints that no value can meet.
func (r *reader) consistency(n *node, path *field.Path) {
	if n.minimum != nil && n.maximum != nil && compareNumbers(n.minimum, n.maximum) > 0 {
		r.add(invalid(path.Child("minimum"), n.minimum, "must be at most maximum (%v)", n.maximum))
	}
	if n.aboveMin && n.minimum == nil {
		r.add(field.Required(path.Child("minimum"), "exclusiveMinimum is true or false and says how to read minimum"))
	}
	if n.belowMax && n.maximum == nil {
		r.add(field.Required(path.Child("maximum"), "exclusiveMaximum is true or false and says how to read maximum"))
	}
	sizes := []struct {
		least, most *int64
		low, high   string
	}{
		{n.minLength, n.maxLength, "minLength", "maxLength"},
		{n.minItems, n.maxItems, "minItems", "maxItems"},
		{n.minProperties, n.maxProperties, "minProperties", "maxProperties"},
	}
	for _, s := range sizes {
		if s.least != nil && s.most != nil && *s.least > *s.most {
			r.add(invalid(path.Child(s.low), *s.least, "must be at most %s (%d)", s.high, *s.most))
		}
	}
	for _, name := range n.required {
		if n.properties != nil && n.properties[name] == nil && !n.open {
			r.add(invalid(path.Child("required"), name, "is not a property%s", Hint(name, sortedKeys(n.properties))))
		}
	}
	if len(r.errs) == 0 && !r.inBranch {
		r.enumFits(n, path)
	}
}

func (r *reader) enumFits(n *node, path *field.Path) {
	rest := *n
	rest.enum = nil
	for i, v := range n.enum {
		r.errs = append(r.errs, rest.check(v, path.Child("enum").Index(i))...)
		n.enum[i] = n.normalise(v)
	}
}
