// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"regexp"
	"slices"
	"strconv"

	"kudo.dev/kudo/internal/params"
)

// kind is the type that a parameter gets.
type kind int

const (
	// asText is a string, as every scalar of KUDO was.
	asText kind = iota
	asInteger
	asNumber
	asBoolean
	// asEither is an integer or a string, as Kubernetes has it for ports and percentages.
	asEither
	asQuantity
	asList
	asMap
)

// typed kinds are no strings any more: a template that did something with the string must
// make one of the value first.
func (k kind) typed() bool {
	return k == asInteger || k == asNumber || k == asBoolean || k == asEither
}

func (k kind) structured() bool { return k == asList || k == asMap }

// counting functions read a number from a string as well as from a number.
var counting = []string{
	"int", "int64", "atoi", "float64", "add", "add1", "sub", "mul", "div", "mod", "max", "min", "biggest",
	"until", "untilStep", "ceil", "floor", "round", "addf", "subf", "mulf", "divf", "maxf", "minf", "seq",
}

// spelling functions give the same for a value and for the string of it.
var spelling = []string{"quote", "squote", "toString"}

// inferTypes gives each parameter a type, where that does not change what templates render.
func (im *importer) inferTypes() {
	for _, t := range im.operator.tasks {
		if p := im.byName[t.parameter.text]; p != nil && t.kind == "Toggle" {
			p.toggle = true
		}
	}
	for _, p := range im.params {
		p.kind = im.infer(p)
		if p.kind == asText && p.text == "" && len(p.enum) == 0 && (p.declared == "" || p.declared == "string") && !p.required {
			p.form = p.read()
		}
	}
}

func (im *importer) infer(p *parameter) kind {
	switch p.declared {
	case "array":
		return asList
	case "map":
		return asMap
	case "integer", "number", "boolean":
		return p.declaredKind()
	}
	if k := p.structure(); k != asText {
		return k
	}
	if im.dynamic || len(p.enum) > 0 && !p.toggle {
		return asText // who reads parameters by computed names expects strings
	}
	return p.scalarKind()
}

// scalarKind is that of a parameter whose type nobody declared.
func (p *parameter) scalarKind() kind {
	needs := p.needs()
	switch {
	case canonicalBool(p.text) && (p.toggle || needs[booleanField]):
		return asBoolean
	case needs[textField] || needs[nullableField]:
		return asText
	case canonicalInteger(p.text):
		return integerKind(needs)
	case needs[intOrStringField] && p.text != "":
		return asEither
	case needs[unknownField] && canonicalBool(p.text):
		return asBoolean
	case needs[quantityField] && quantity(p.text):
		return asQuantity
	}
	return asText
}

// integerKind is that of a parameter whose default is an integer: one only where all that
// may stand there are integers.
func integerKind(needs map[fieldType]bool) kind {
	switch {
	case needs[integerField]:
		return asInteger
	case needs[intOrStringField], needs[quantityField], needs[unknownField]:
		return asEither
	}
	return asText
}

// declaredKind is that of a declared type. Where the default, or its absence, is no such
// value, the parameter stays a string with a pattern.
func (p *parameter) declaredKind() kind {
	if p.optional || len(p.enum) > 0 {
		return asText
	}
	switch {
	case p.declared == "integer" && (p.required || canonicalInteger(p.text)):
		return asInteger
	case p.declared == "boolean" && (p.required || canonicalBool(p.text)):
		return asBoolean
	case p.declared == "number" && (p.required || canonicalNumber(p.text)):
		return asNumber
	}
	return asText
}

// needs collects what is expected where the parameter stands alone as a YAML value, or is
// counted with.
func (p *parameter) needs() map[fieldType]bool {
	out := map[fieldType]bool{}
	for _, u := range p.uses {
		switch {
		case u.role == argument && slices.Contains(counting, u.fn):
			out[integerField] = true
		case u.role != printed || u.action == nil:
		case u.place.pos == whole:
			out[u.field()] = true
		case u.place.pos == inText && u.field() == integerField:
			out[integerField] = true
		}
	}
	return out
}

// read is the form that a template reads the parameter in: it fails with anything else.
func (p *parameter) read() string {
	for _, u := range p.uses {
		switch {
		case u.role != argument:
		case slices.Contains(counting, u.fn):
			return `^(-?[0-9]+)?$`
		case u.fn == "b64dec":
			return `^(([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4}[A-Za-z0-9+/]{2}==)?|[A-Za-z0-9+/]{2}==)$`
		}
	}
	return ""
}

// field is what Kubernetes expects where the value is printed.
func (u *use) field() fieldType { return u.src.fieldAt(u.place) }

func (s *source) fieldAt(p place) fieldType {
	if p.doc >= len(s.docs) {
		return unknownField
	}
	return fieldAt(s.docs[p.doc], p.path)
}

// structure finds a string that templates print as YAML of its own: it becomes the list or
// map that it stood for, if no other use needs the string.
func (p *parameter) structure() kind {
	k, fragment := asText, false
	for _, u := range p.uses {
		plain := u.role == printed || u.role == argument && (u.fn == "indent" || u.fn == "nindent" || u.fn == "trim")
		switch {
		case plain && u.place.pos == ownLine && u.action.prints():
			fragment = true
			if field := u.field(); field == listField {
				k = asList
			} else if field == mapField {
				k = asMap
			}
		case u.role == tested:
		default:
			return asText
		}
	}
	if !fragment {
		return asText
	}
	value, ok := parseText(p.text)
	switch value.(type) {
	case []any:
		return asList
	case map[string]any:
		return asMap
	case nil:
		if ok {
			return k
		}
	}
	return asText
}

func canonicalInteger(text string) bool {
	i, err := strconv.ParseInt(text, 10, 64)
	return err == nil && strconv.FormatInt(i, 10) == text
}

func canonicalBool(text string) bool { return text == "true" || text == "false" }

var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,14}[1-9])?$`)

func canonicalNumber(text string) bool { return plainNumber.MatchString(text) && text != "-0" }

func quantity(text string) bool {
	_, err := params.ParseQuantity(text)
	return err == nil
}
