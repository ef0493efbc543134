// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"github.com/google/cel-go/cel"

	"kudo.dev/kudo/internal/params"
)

// Version names a version of the framework and of the software.
type Version struct{ Name, App string }

// Vars are what one evaluation sees. Values are JSON: nil, bool, int64, uint64,
// float64, string, []any and map[string]any. An evaluation changes nothing.
type Vars struct {
	// Params are the resolved parameters.
	Params map[string]any
	// OldParams and OldVersion are those of the last success; nil OldParams make old null.
	OldParams  map[string]any
	OldVersion Version
	// Changed says which parameters changed; what it does not name has not.
	Changed map[string]bool
	Version Version
	// Instance has name, namespace, uid, generation, deployed, labels, outputs and spec.
	Instance map[string]any
	// Run has id, trigger, startedAt (RFC 3339), attempt and the parameters of the plan.
	Run map[string]any
	// Objects has an object, null or a list for each observation.
	Objects map[string]any
	// Self is the object that readyWhen judges.
	Self map[string]any
}

// activation resolves variables when they are read.
type activation struct {
	options Options
	vars    *Vars
}

// Parent implements cel.Activation.
func (a activation) Parent() cel.Activation { return nil }

// ResolveName implements cel.Activation.
func (a activation) ResolveName(name string) (any, bool) {
	switch name {
	case "params":
		return typed(a.vars.Params, a.options.Parameters), true
	case "old":
		if a.vars.OldParams == nil {
			return nil, true
		}
		return map[string]any{
			"params": typed(a.vars.OldParams, a.options.Parameters), "version": a.vars.OldVersion.fields(),
		}, true
	case "changed":
		return a.changed(), true
	case "version":
		return a.vars.Version.fields(), true
	case "instance":
		return notNil(a.vars.Instance), true
	case "run":
		return typed(a.vars.Run, a.options.Run), true
	case "objects":
		return notNil(a.vars.Objects), true
	case "self":
		return notNil(a.vars.Self), true
	}
	return nil, false
}

func (a activation) changed() map[string]any {
	out := make(map[string]any, len(a.vars.Changed))
	for _, name := range namesOf(a.options.Parameters) {
		out[name] = a.vars.Changed[name]
	}
	return out
}

func (v Version) fields() map[string]any { return map[string]any{"name": v.Name, "app": v.App} }

func notNil(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// typed makes floats of the integers that stand where the schema says number:
// the checker typed them so, and CEL does not mix the two in arithmetic.
func typed(values map[string]any, schema *params.Schema) map[string]any {
	var out map[string]any
	for _, name := range namesOf(schema) {
		shape, _ := schema.Shape(name)
		v, ok := values[name]
		if !ok || !holdsNumbers(shape) {
			continue
		}
		if out == nil {
			out = make(map[string]any, len(values))
			for k, v := range values {
				out[k] = v
			}
		}
		out[name] = asShaped(v, shape)
	}
	if out == nil {
		return notNil(values)
	}
	return out
}

func holdsNumbers(shape params.Shape) bool {
	if shape.Type == "number" || shape.Items != nil && holdsNumbers(*shape.Items) {
		return true
	}
	for _, field := range shape.Fields {
		if holdsNumbers(field) {
			return true
		}
	}
	return false
}

func asShaped(v any, shape params.Shape) any {
	switch x := v.(type) {
	case int64:
		if shape.Type == "number" {
			return float64(x)
		}
	case uint64:
		if shape.Type == "number" {
			return float64(x)
		}
	case []any:
		if shape.Items != nil {
			out := make([]any, len(x))
			for i := range x {
				out[i] = asShaped(x[i], *shape.Items)
			}
			return out
		}
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, item := range x {
			inner := shape.Fields[k]
			if shape.Items != nil {
				inner = *shape.Items
			}
			out[k] = asShaped(item, inner)
		}
		return out
	}
	return v
}
