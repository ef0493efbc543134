// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"maps"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"kudo.dev/kudo/internal/params"
)

// structs knows the fields of the variables. Values are maps at run time; the
// types exist for the checker only. Type names hold characters that no
// identifier has, so that params.backup is a field and never a type.
type structs struct {
	types.Provider
	fields    map[string]map[string]*cel.Type
	variables map[string]*cel.Type
}

func newStructs(base types.Provider, options Options) *structs {
	s := &structs{Provider: base, fields: map[string]map[string]*cel.Type{}, variables: map[string]*cel.Type{}}
	parameters := s.parameters("params", options.Parameters, nil)
	version := s.declare("version", map[string]*cel.Type{"name": cel.StringType, "app": cel.StringType})
	s.variables = map[string]*cel.Type{
		"params":   parameters,
		"version":  version,
		"old":      s.declare("old", map[string]*cel.Type{"params": parameters, "version": version}),
		"changed":  s.changed(options.Parameters),
		"instance": s.instance(),
		"run": s.parameters("run", options.Run, map[string]*cel.Type{
			"trigger": cel.StringType,
		}),
		"objects": s.objects(options.Observations),
		"self":    cel.MapType(cel.StringType, cel.DynType),
	}
	return s
}

func (s *structs) declare(name string, fields map[string]*cel.Type) *cel.Type {
	name = "<" + name + ">"
	s.fields[name] = fields
	return cel.ObjectType(name)
}

func (s *structs) parameters(name string, schema *params.Schema, more map[string]*cel.Type) *cel.Type {
	fields := map[string]*cel.Type{}
	for _, field := range namesOf(schema) {
		shape, _ := schema.Shape(field)
		fields[field] = s.shaped(name+"."+field, shape)
	}
	maps.Copy(fields, more)
	return s.declare(name, fields)
}

func (s *structs) changed(schema *params.Schema) *cel.Type {
	fields := map[string]*cel.Type{}
	for _, name := range namesOf(schema) {
		fields[name] = cel.BoolType
	}
	return s.declare("changed", fields)
}

func (s *structs) instance() *cel.Type {
	return s.declare("instance", map[string]*cel.Type{
		"name": cel.StringType, "namespace": cel.StringType, "uid": cel.StringType,
		"generation": cel.IntType, "deployed": cel.BoolType,
		"labels": cel.MapType(cel.StringType, cel.StringType),
	})
}

func (s *structs) objects(observations []Observation) *cel.Type {
	fields := map[string]*cel.Type{}
	for _, o := range observations {
		fields[o.Name] = cel.ListType(cel.DynType)
		if o.Single {
			fields[o.Name] = cel.DynType
		}
	}
	return s.declare("objects", fields)
}

// shaped is the type of a parameter. What may be null is a nullable scalar,
// else dynamic: CEL knows no nullable lists.
func (s *structs) shaped(name string, shape params.Shape) *cel.Type {
	scalars := map[string]*cel.Type{
		"boolean": cel.BoolType, "integer": cel.IntType, "number": cel.DoubleType, "string": cel.StringType,
	}
	if scalar, ok := scalars[shape.Type]; ok {
		if shape.Optional {
			return cel.NullableType(scalar)
		}
		return scalar
	}
	switch {
	case shape.Type == "object" && shape.Fields != nil:
		fields := map[string]*cel.Type{}
		for field, inner := range shape.Fields {
			fields[field] = s.shaped(name+"."+field, inner)
		}
		return s.declare(name, fields)
	case shape.Optional || shape.Items == nil:
		return cel.DynType
	case shape.Type == "array":
		return cel.ListType(s.shaped(name+"[]", *shape.Items))
	}
	return cel.MapType(cel.StringType, s.shaped(name+"[]", *shape.Items))
}

// FindStructType implements types.Provider.
func (s *structs) FindStructType(name string) (*types.Type, bool) {
	if _, ok := s.fields[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return s.Provider.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (s *structs) FindStructFieldNames(name string) ([]string, bool) {
	if fields, ok := s.fields[name]; ok {
		return slices.Sorted(maps.Keys(fields)), true
	}
	return s.Provider.FindStructFieldNames(name)
}

// FindStructFieldType implements types.Provider.
func (s *structs) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if fields, ok := s.fields[name]; ok {
		t, ok := fields[field]
		return &types.FieldType{Type: t}, ok
	}
	return s.Provider.FindStructFieldType(name, field)
}

// siblings lists the fields of the value that an expression selects from.
func (s *structs) siblings(e ast.Expr) []string {
	t := s.typeOf(e)
	if t == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.fields[t.TypeName()]))
}

func (s *structs) typeOf(e ast.Expr) *cel.Type {
	switch e.Kind() {
	case ast.IdentKind:
		return s.variables[e.AsIdent()]
	case ast.SelectKind:
		if t := s.typeOf(e.AsSelect().Operand()); t != nil {
			return s.fields[t.TypeName()][e.AsSelect().FieldName()]
		}
	default:
	}
	return nil
}

func namesOf(schema *params.Schema) []string {
	if schema == nil {
		return nil
	}
	return schema.Names()
}
