// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// useEdits change a place where a parameter is read to its new name and type.
func (im *importer) useEdits(p *parameter, u use) []edit {
	text := u.src.text[u.start:u.end]
	renamed := text
	if p.name != p.old {
		renamed = strings.TrimSuffix(text, "."+p.old) + "." + p.name
		if u.indexed {
			renamed = text[:strings.LastIndexAny(text[:len(text)-1], "\"`")+1] + p.name + text[len(text)-1:]
		}
	}
	expr := renamed
	if fragment := u.fragment(); fragment && u.place.pos == ownLine {
		return im.fragmentEdits(p, u, renamed)
	}
	switch {
	case p.kind.typed() && !u.takesValue():
		expr = "(toString " + bracketed(renamed, u.indexed) + ")"
	case p.kind == asText && p.text == "" && u.role == argument && slices.Contains(counting, u.fn):
		expr = "(default 0 " + bracketed(renamed, u.indexed) + ")"
	}
	if expr == text {
		return nil
	}
	return []edit{{start: u.start, end: u.end, text: expr}}
}

func bracketed(expr string, needed bool) string {
	if needed {
		return "(" + expr + ")"
	}
	return expr
}

// takesValue says that a value does as well as the string of it.
func (u *use) takesValue() bool {
	return u.role == printed || u.role == argument && (slices.Contains(counting, u.fn) || slices.Contains(spelling, u.fn))
}

// fragment says that the value is printed as it is, or only moved.
func (u *use) fragment() bool {
	return u.action.prints() && (u.role == printed || u.role == argument && (u.fn == "indent" || u.fn == "nindent" || u.fn == "trim"))
}

// fragmentEdits make YAML of a string that stands where keys or items are expected.
func (im *importer) fragmentEdits(p *parameter, u use, renamed string) []edit {
	expr := "(toYaml " + bracketed(renamed, u.indexed) + ")"
	why := "the parameter is a " + p.kindName() + " now, and no text that holds one"
	if !p.kind.structured() {
		expr = "(fromYaml " + bracketed(renamed, u.indexed) + " | toYaml)"
		why = "values are inserted after the YAML was read: the template reads the text as YAML and writes it out again"
	}
	im.changed(u.src.file(), u.src.line(u.start), ".Params."+p.old+" printed as YAML", why, "")
	return []edit{
		{start: u.action.start, end: u.action.start, text: "{{ if " + renamed + " }}"},
		{start: u.start, end: u.end, text: expr},
		{start: u.action.end, end: u.action.end, text: "{{ end }}"},
	}
}

func (p *parameter) kindName() string {
	if p.kind == asList {
		return "list"
	}
	return "map"
}

const (
	readYAML = " | fromYaml | toJson"
	orNull   = " | default nil | toJson"
)

// resolve makes an action that prints all of a YAML value print what YAML made of the text:
// a number where Kubernetes wants one, null for nothing.
func (im *importer) resolve(s *source, a *action) (edit, bool) {
	if !a.prints() || a.word != "" || a.place.pos != whole {
		return edit{}, false
	}
	suffix := ""
	if p, direct := im.direct(s, a); direct {
		suffix = p.conversion(s.fieldAt(a.place))
	} else if texts[lastFunction(s.text[a.from:a.to])] {
		switch s.fieldAt(a.place) {
		case integerField, booleanField, intOrStringField, listField, mapField:
			suffix = readYAML
		default:
		}
	}
	return edit{start: a.to, end: a.to, text: suffix}, suffix != ""
}

// direct finds the parameter that an action prints and does nothing else with.
func (im *importer) direct(s *source, a *action) (*parameter, bool) {
	for _, u := range s.uses {
		if u.action == a && u.role == printed && im.byName[u.parameter] != nil {
			return im.byName[u.parameter], true
		}
	}
	return nil, false
}

// conversion is what a parameter's print needs where Kubernetes expects a type.
func (p *parameter) conversion(t fieldType) string {
	if p.kind.structured() {
		return " | toJson"
	}
	if p.kind != asText {
		return ""
	}
	switch t {
	case integerField, booleanField, intOrStringField, listField, mapField:
		return readYAML
	case nullableField:
		if p.text == "" {
			return orNull
		}
	case quantityField, unknownField:
		if p.text == "" && !p.required {
			return readYAML
		}
		if value, ok := parseText(p.text); ok && t == unknownField {
			if _, isText := value.(string); !isText {
				return readYAML
			}
		}
	default:
	}
	return ""
}

// texts are the functions, and the empty name of a variable or of dot, that may give a
// string where the old engine's YAML reader saw a number.
var texts = map[string]bool{
	"": true, "default": true, "coalesce": true, "ternary": true, "first": true, "last": true, "index": true, "get": true,
	"trim": true, "trimSuffix": true, "trimPrefix": true, "trimAll": true, "replace": true, "printf": true, "print": true,
	"lower": true, "join": true, "toString": true, "regexFind": true, "regexReplaceAll": true, "substr": true, "trunc": true,
	"or": true, "and": true, "required": true, "nospace": true, "include": true,
}

var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*`)

// lastFunction is the function that the last command of a pipeline calls. Pipes within
// strings and parentheses are none.
func lastFunction(code string) string {
	start, depth := 0, 0
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"' || c == '`' || c == '\'':
			if i = closing(code, i); i < 0 {
				return ""
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			start = i + 1
		}
	}
	last := strings.TrimSpace(code[start:])
	if strings.HasPrefix(last, "\"") || last != "" && (last[0] >= '0' && last[0] <= '9' || last[0] == '-') {
		return "literal"
	}
	if strings.HasPrefix(last, "(") && strings.HasSuffix(last, ")") {
		return lastFunction(last[1 : len(last)-1])
	}
	return word.FindString(last)
}

// plainText are names that YAML reads as strings without quotes.
var plainText = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$|^[a-z][a-z0-9]{3,}$`)

// referenceEdit replaces what KUDO told templates about the run and the operator.
func (im *importer) referenceEdit(s *source, r reference, sc scope) edit {
	dollar := ""
	if s.text[r.start] == '$' {
		dollar = "$"
	}
	constants := map[string]string{
		"OperatorName": im.operator.name.text, "PlanName": sc.plan, "PhaseName": sc.phase, "StepName": sc.step, "TaskName": sc.task,
	}
	if value, constant := constants[r.name]; constant {
		return im.literal(r, value)
	}
	expr := s.text[r.start:r.end]
	line := s.line(r.start)
	switch r.name {
	case "Namespace":
	case "Name":
		if im.shortName > 0 {
			if expr = "include \"" + nameBlock + "\" $"; !r.alone {
				expr = "(" + expr + ")"
			}
		}
	case "StepNumber":
		expr = `"` + strconv.Itoa(sc.number) + `"`
	case "AppVersion":
		if expr = dollar + ".Version.app"; im.operator.appVersion.text == "" {
			expr = `""`
		}
	case "OperatorVersion":
		if expr = dollar + ".Version.name"; im.operator.version.text != im.build.version {
			expr = "(print " + strconv.Quote(im.operator.version.text) + ")"
		}
	case "PlanUID":
		expr = dollar + ".Run.id"
		if !sc.job {
			expr = `""`
			im.lost(s.file(), line, ".PlanUID", "what an apply task renders must not vary by run, or every run would restart pods", "")
		}
	case "Pipes":
		expr = "(printf \"%s-%s\" " + dollar + ".Name " + strconv.Quote(strings.ToLower(r.key)) + ")"
	default:
		im.lost(s.file(), line, "."+r.name, "KUDO gave templates nothing of this name", "remove it")
	}
	return edit{start: r.start, end: r.end, text: expr}
}

// literal puts a constant in the place of a reference: as text where it is printed alone.
func (im *importer) literal(r reference, value string) edit {
	switch {
	case !r.alone:
		return edit{start: r.start, end: r.end, text: strconv.Quote(value)}
	case !r.action.trimmed && plainText.MatchString(value) && !ambiguousWords[value]:
		return edit{start: r.action.start, end: r.action.end, text: value}
	}
	return edit{start: r.start, end: r.end, text: "print " + strconv.Quote(value)}
}

var ambiguousWords = map[string]bool{"true": true, "false": true, "null": true}
