// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"fmt"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// parameter is a parameter as KUDO had it, and the type that it gets.
type parameter struct {
	old, name                                 string
	line                                      int
	displayName, description, group, declared string
	trigger                                   located
	hint                                      string
	required, immutable                       bool
	optional                                  bool
	hasDefault                                bool
	// text is the default as templates saw it: KUDO kept every value as a text.
	text string
	// value is the default as it was written, of any shape.
	value any
	enum  []string

	uses []use
	// What the compiler found that values must be: all different, no longer than this, of
	// this form.
	unique    bool
	maxLength int
	form      string

	kind   kind
	toggle bool
	shape  *shape
}

type group struct{ displayName string }

// parameters reads params.yaml.
func (d *decoder) parameters(raw []byte) []*parameter {
	var out []*parameter
	root := d.parse(raw)
	if root == nil {
		return nil
	}
	groups := map[string]group{}
	d.fields(root, func(key string, at int, v *yaml.Node) {
		switch key {
		case "apiVersion":
			if got := d.text(v); got != apiVersion && got != "" {
				d.fail(at, "apiVersion is %q, not %s", clip(got, 60), apiVersion)
			}
		case "groups":
			d.items(v, func(item *yaml.Node) { d.group(item, groups) })
		case "parameters":
			d.items(v, func(item *yaml.Node) { out = append(out, d.parameter(item)) })
		default:
			d.unknown(at, key)
		}
	})
	for _, p := range out {
		if g := groups[p.group]; g.displayName != "" {
			p.group = g.displayName
		}
	}
	return out
}

func (d *decoder) group(n *yaml.Node, groups map[string]group) {
	name := ""
	var g group
	d.fields(n, func(key string, _ int, v *yaml.Node) {
		switch key {
		case "name":
			name = d.text(v)
		case "displayName":
			g.displayName = d.text(v)
		}
	})
	groups[name] = g
}

func (d *decoder) parameter(n *yaml.Node) *parameter {
	p := &parameter{line: n.Line, required: true}
	d.fields(n, func(key string, at int, v *yaml.Node) {
		switch key {
		case "name":
			p.old = d.text(v)
		case "displayName":
			p.displayName = d.text(v)
		case "description":
			p.description = d.text(v)
		case "group":
			p.group = d.text(v)
		case "hint":
			p.hint = d.text(v)
		case "advanced":
			// It only told tools what to show first.
		case "trigger":
			p.trigger = located{d.text(v), at}
		case "type":
			p.declared = d.text(v)
		case "required":
			p.required = d.boolean(v)
		case "immutable":
			p.immutable = d.boolean(v)
		case "enum":
			d.items(v, func(item *yaml.Node) { p.enum = append(p.enum, valueText(d.free(item, 0))) })
		case "default":
			d.defaultValue(p, v)
		default:
			d.unknown(at, "parameters."+key)
		}
	})
	d.judge(p)
	return p
}

func (d *decoder) defaultValue(p *parameter, n *yaml.Node) {
	p.value = d.free(n, 0)
	p.hasDefault = p.value != nil
	if plain := d.enter(n); plain != nil && plain.Kind == yaml.ScalarNode && p.hasDefault {
		p.text = plain.Value
		if b, isBool := p.value.(bool); isBool {
			p.text = strconv.FormatBool(b)
		}
		return
	}
	p.text = valueText(p.value)
}

// judge checks what is within one parameter, and settles what "required" meant: KUDO took
// parameters for required unless they said otherwise, and a default was enough.
func (d *decoder) judge(p *parameter) {
	switch p.declared {
	case "", "string", "integer", "number", "boolean", "array", "map":
	default:
		d.fail(p.line, "the type of the parameter %s is %q: KUDO knew string, integer, number, boolean, array and map", clip(p.old, 60), clip(p.declared, 60))
	}
	if p.old == "" {
		d.fail(p.line, "the parameter has no name")
	}
	if (p.declared == "array" || p.declared == "map") && !p.hasDefault {
		p.required = false // null was their default
	}
	p.optional = !p.required && !p.hasDefault
	p.required = p.required && !p.hasDefault
}

// valueText is a value as a text of KUDO.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// nameParameters finds names that templates can read, and keeps them where they are such.
func (im *importer) nameParameters() {
	taken := map[string]bool{}
	for _, p := range im.params {
		taken[p.old] = true
	}
	kept := im.params[:0]
	for _, p := range im.params {
		if im.byName[p.old] != nil {
			im.lost(paramsFile, p.line, "the parameter "+p.old, "a parameter of that name stands above", "remove one of them")
			continue
		}
		p.name = parameterName(p.old)
		for i := 2; p.name != p.old && taken[p.name]; i++ {
			p.name = clip63(parameterName(p.old), i)
		}
		taken[p.name] = true
		if p.name != p.old {
			im.changed(paramsFile, p.line, "the parameter "+p.old, "names are letters, digits and _; it is now "+p.name, "use the new name in Instances")
		}
		im.byName[p.old] = p
		kept = append(kept, p)
	}
	im.params = kept
}

func parameterName(old string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, old)
	if name == "" || name[0] == '_' || name[0] >= '0' && name[0] <= '9' {
		name = "p_" + name
	}
	const most = 63
	return name[:min(len(name), most)]
}

func clip63(name string, i int) string {
	suffix := "_" + strconv.Itoa(i)
	return name[:min(len(name), 63-len(suffix))] + suffix
}
