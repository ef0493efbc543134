// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"regexp"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// MaxBytes bounds the parameters of an Instance, as JSON, names included.
const MaxBytes = 256 << 10

// Schema is the compiled parameters of a version, safe for concurrent use.
type Schema struct {
	names      []string
	parameters map[string]*parameter
}

type parameter struct {
	node      *node
	fallback  any
	hasValue  bool
	required  bool
	immutable bool
	secret    bool
	generated *v1alpha1.Generate
}

var parameterName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]{0,62}$`)

// Compile reads the parameters of a version. It gives no Schema if there are
// errors. Whether a trigger names a plan is checked where plans are known.
func Compile(specs []v1alpha1.Parameter, path *field.Path) (*Schema, field.ErrorList) {
	s := &Schema{parameters: make(map[string]*parameter, len(specs))}
	var errs field.ErrorList
	for i := range specs {
		spec := &specs[i]
		at := path.Key(spec.Name)
		switch {
		case !parameterName.MatchString(spec.Name):
			errs = append(errs, invalid(path.Index(i).Child("name"), spec.Name,
				"must be at most 63 letters, digits and '_', starting with a letter"))
			continue
		case s.parameters[spec.Name] != nil:
			errs = append(errs, field.Duplicate(path.Index(i).Child("name"), spec.Name))
			continue
		}
		p, wrong := compileParameter(spec, at)
		errs = append(errs, wrong...)
		s.parameters[spec.Name] = p
		s.names = append(s.names, spec.Name)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return s, nil
}

func compileParameter(spec *v1alpha1.Parameter, path *field.Path) (*parameter, field.ErrorList) {
	p := &parameter{node: &node{typ: typeString}, required: spec.Required, immutable: spec.Immutable}
	var errs field.ErrorList
	if spec.Generate != nil {
		return p, p.generate(spec, path)
	}
	if spec.Required && spec.Default != nil {
		errs = append(errs, field.Forbidden(path.Child("default"), "a required parameter has no default: remove one of the two"))
	}
	if spec.Schema != nil {
		n, wrong := readSchema(spec.Schema.Raw, path.Child("schema"))
		if len(wrong) > 0 {
			return p, append(errs, wrong...)
		}
		p.node = n
	}
	if spec.SecretRef {
		errs = append(errs, p.refer(path)...)
	}
	if spec.Default != nil {
		errs = append(errs, p.setDefault(*spec.Default, path.Child("default"))...)
	}
	return p, errs
}

func (p *parameter) setDefault(raw apiextensionsv1.JSON, path *field.Path) field.ErrorList {
	v, err := Decode(raw.Raw)
	if err != nil {
		return field.ErrorList{invalid(path, nil, "%v", err)}
	}
	p.fallback, p.hasValue = p.node.normalise(v), true
	return p.check(p.fallback, path)
}

// Names lists the parameters in the order of the version.
func (s *Schema) Names() []string { return append([]string(nil), s.names...) }

// Immutable says whether a parameter exists that can not be changed once an Instance does.
func (s *Schema) Immutable(name string) bool {
	p := s.parameters[name]
	return p != nil && p.immutable
}

// Shape is what is known about every value of a schema, for those who check expressions.
type Shape struct {
	// Type is array, boolean, integer, number, object or string; empty if it is not known.
	Type string
	// Optional values may be null or absent.
	Optional bool
	// Items is the shape of what a list holds, or of the values of an object with free keys.
	Items *Shape
	// Fields are the properties of an object; nil where keys are free.
	Fields map[string]Shape
}

// Shape gives the shape of a parameter's resolved value.
func (s *Schema) Shape(name string) (Shape, bool) {
	p := s.parameters[name]
	if p == nil {
		return Shape{}, false
	}
	shape := p.node.shape()
	shape.Optional = shape.Optional || !p.required && !p.hasValue && p.generated == nil
	return shape, true
}

func (n *node) shape() Shape {
	if n == nil || n.typ == "" {
		return Shape{Optional: n == nil || n.nullable || n.open}
	}
	out := Shape{Type: n.typ, Optional: n.nullable}
	if n.typ == typeArray {
		items := n.items.shape()
		out.Items = &items
	}
	switch {
	case n.typ != typeObject:
	case n.open:
		out.Items = &Shape{Optional: true}
	case n.additional != nil:
		items := n.additional.shape()
		out.Items = &items
	default:
		out.Fields = make(map[string]Shape, len(n.properties))
		for name, p := range n.properties {
			out.Fields[name] = p.shape()
		}
	}
	return out
}
