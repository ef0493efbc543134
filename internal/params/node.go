// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import "regexp"

// The types of OpenAPI.
const (
	typeArray   = "array"
	typeBoolean = "boolean"
	typeInteger = "integer"
	typeNumber  = "number"
	typeObject  = "object"
	typeString  = "string"
)

// node is a compiled schema.
type node struct {
	// typ is empty where any type fits, and within allOf, anyOf, oneOf and not.
	typ         string
	intOrString bool
	nullable    bool
	// open objects may have properties that the schema does not name.
	open bool

	// example is the author's own sample; it need not fit.
	example    any
	format     string
	enum       []any
	minimum    any
	maximum    any
	aboveMin   bool
	belowMax   bool
	multipleOf any

	minLength, maxLength         *int64
	minItems, maxItems           *int64
	minProperties, maxProperties *int64
	pattern                      *regexp.Regexp
	unique                       bool

	items      *node
	properties map[string]*node
	additional *node
	required   []string

	allOf, anyOf, oneOf []*node
	not                 *node
}

// accepts says whether values of the type can fit the node.
func (n *node) accepts(typ string) bool {
	switch {
	case n.intOrString:
		return typ == typeInteger || typ == typeString
	case n.typ == "":
		return true
	case n.typ == typeNumber:
		return typ == typeNumber || typ == typeInteger
	}
	return n.typ == typ
}

// typeOf names the type of a decoded JSON value.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return typeBoolean
	case string:
		return typeString
	case []any:
		return typeArray
	case map[string]any:
		return typeObject
	}
	if isInteger(v) {
		return typeInteger
	}
	return typeNumber
}

// normalise gives integers their integer type: 1.0 becomes 1 where the schema says integer.
func (n *node) normalise(v any) any {
	switch x := v.(type) {
	case float64:
		if (n.typ == typeInteger || n.intOrString) && isInteger(x) {
			return int64(x)
		}
	case []any:
		if n.items != nil {
			for i := range x {
				x[i] = n.items.normalise(x[i])
			}
		}
	case map[string]any:
		for k, item := range x {
			if p := n.property(k); p != nil {
				x[k] = p.normalise(item)
			}
		}
	}
	return v
}

func (n *node) property(name string) *node {
	if p, ok := n.properties[name]; ok {
		return p
	}
	return n.additional
}
