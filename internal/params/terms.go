// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (r *reader) boolean(v any, path *field.Path) bool {
	b, ok := v.(bool)
	if !ok {
		r.add(invalid(path, v, "must be true or false"))
	}
	return b
}

func (r *reader) text(v any, path *field.Path) string {
	s, ok := v.(string)
	if !ok {
		r.add(invalid(path, v, "must be a string"))
	}
	return s
}

func (r *reader) number(v any, path *field.Path) any {
	if !isNumber(v) {
		r.add(invalid(path, v, "must be a number"))
		return nil
	}
	return v
}

func (r *reader) size(v any, path *field.Path) *int64 {
	n, ok := v.(int64)
	if !ok || n < 0 {
		r.add(invalid(path, v, "must be an integer of at least 0"))
		return nil
	}
	return &n
}

func (r *reader) list(v any, path *field.Path) []any {
	list, ok := v.([]any)
	if !ok {
		r.add(invalid(path, v, "must be a list"))
	}
	return list
}

// nested reads a schema of something within the value of n.
func (r *reader) nested(_ *node, v any, path *field.Path) *node {
	outer := r.outer
	r.outer = ""
	defer func() { r.outer = outer }()
	return r.node(v, path)
}

// branch reads a schema of the same value.
func (r *reader) branch(n *node, v any, path *field.Path) *node {
	outer, inBranch := r.outer, r.inBranch
	r.outer, r.inBranch = r.context(n), true
	defer func() { r.outer, r.inBranch = outer, inBranch }()
	return r.node(v, path)
}

func (r *reader) branches(n *node, v any, path *field.Path) []*node {
	list := r.list(v, path)
	if len(list) == 0 {
		r.add(invalid(path, nil, "must have at least one schema"))
	}
	out := make([]*node, 0, len(list))
	for i, item := range list {
		out = append(out, r.branch(n, item, path.Index(i)))
	}
	return out
}

func readProperties(r *reader, n *node, v any, path *field.Path) {
	object, ok := v.(map[string]any)
	if !ok {
		r.add(invalid(path, v, "must be an object: schemas by name"))
		return
	}
	n.properties = make(map[string]*node, len(object))
	for _, name := range sortedKeys(object) {
		n.properties[name] = r.nested(n, object[name], child(path, name))
	}
}

func readAdditional(r *reader, n *node, v any, path *field.Path) {
	switch v {
	case true:
		n.additional = &node{open: true}
	case false:
		r.add(field.Forbidden(path, "leave it out: unknown fields are refused anyway"))
	default:
		n.additional = r.nested(n, v, path)
	}
}

func readRequired(r *reader, n *node, v any, path *field.Path) {
	for i, item := range r.list(v, path) {
		name := r.text(item, path.Index(i))
		if slices.Contains(n.required, name) {
			r.add(field.Duplicate(path.Index(i), name))
		}
		n.required = append(n.required, name)
	}
}
