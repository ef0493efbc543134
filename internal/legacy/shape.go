// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"maps"
	"slices"

	"kudo.dev/kudo/internal/render"
)

// shape is what templates read of a list or a map.
type shape struct {
	fields map[string]*shape
	items  *shape
}

func (s *shape) field(name string) *shape {
	if name == "[]" {
		if s.items == nil {
			s.items = &shape{}
		}
		return s.items
	}
	if s.fields == nil {
		s.fields = map[string]*shape{}
	}
	if s.fields[name] == nil {
		s.fields[name] = &shape{}
	}
	return s.fields[name]
}

// inferShapes follows lists and maps through the templates: what is read of their items
// must be there.
func (im *importer) inferShapes() {
	byName := map[string]*parameter{}
	for _, p := range im.params {
		if p.kind.structured() {
			p.shape = &shape{}
			byName[p.name] = p
		}
	}
	if len(byName) == 0 {
		return
	}
	for _, o := range im.build.outputs {
		set, err := render.Compile([]render.Source{{Name: "template", Content: o.content}})
		if err != nil {
			continue // whoever compiles the version says why
		}
		for _, r := range set.References("template") {
			if len(r.Path) < 2 || r.Path[0] != "Params" || byName[r.Path[1]] == nil {
				continue
			}
			at := byName[r.Path[1]].shape
			for _, step := range r.Path[2:] {
				at = at.field(step)
			}
		}
	}
}

const (
	anyFields = "x-kubernetes-preserve-unknown-fields"
	either    = "x-kubernetes-int-or-string"
)

// schemaOf is the schema of a value of which this much is known. Name is the field that
// holds it: what templates do with fields of that name tells more.
func (im *importer) schemaOf(s *shape, name string) map[string]any {
	switch {
	case s == nil || s.items == nil && len(s.fields) == 0:
		if most := im.limits[name]; most > 0 {
			return map[string]any{"type": "string", "maxLength": most}
		}
		if im.counted[name] {
			return map[string]any{either: true}
		}
		open := map[string]any{anyFields: true}
		switch {
		case im.paired[name]:
			return map[string]any{"type": "object", "additionalProperties": open}
		case im.listed[name]:
			return map[string]any{"type": "array", "items": open}
		}
		return open
	case len(s.fields) == 0 && im.paired[name]:
		return map[string]any{"type": "object", "additionalProperties": im.schemaOf(s.items, "")}
	case len(s.fields) == 0:
		return map[string]any{"type": "array", "items": im.schemaOf(s.items, "")}
	}
	properties := map[string]any{}
	for _, field := range slices.Sorted(maps.Keys(s.fields)) {
		properties[field] = im.schemaOf(s.fields[field], field)
	}
	return map[string]any{"type": "object", anyFields: true, "properties": properties}
}

// callable are the functions of Kudo's templates.
var callable = func() map[string]bool {
	out := map[string]bool{}
	for _, name := range render.FunctionNames() {
		out[name] = true
	}
	return out
}()
