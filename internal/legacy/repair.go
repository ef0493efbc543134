// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	// maxRepairs is how often the package is compiled before its errors are told.
	maxRepairs = 12
	// longestInstance is how long the name of an Instance may be, shortInstance what it is
	// cut to where names of objects would become too long.
	longestInstance = 40
	shortInstance   = 23
	shortest        = 8
)

var (
	tooLong   = regexp.MustCompile(`has \d+ characters, more than the (\d+) that a (\w+) may have`)
	twiceKey  = regexp.MustCompile(`the key "([^"]+)" stands twice in a map`)
	sameTwice = "stands twice in"
)

// repair changes what makes the compiler refuse the package for values that KUDO's users
// could not have set either, or for what KUDO let pass. It says whether anything changed.
func (im *importer) repair(errs field.ErrorList) bool {
	changed := false
	for _, err := range errs {
		text := err.Error()
		switch m := tooLong.FindStringSubmatch(text); {
		case m != nil:
			most, _ := strconv.Atoi(m[1])
			changed = im.limitNames(m[2], most) || changed
		case strings.Contains(text, sameTwice+" the output") || strings.Contains(text, sameTwice+" one task"):
			changed = im.uniqueItems() || changed
		case twiceKey.MatchString(text):
			changed = im.dropTwin(err, twiceKey.FindStringSubmatch(text)[1]) || changed
		default:
			changed = im.followDefault(err) || changed
		}
	}
	return changed
}

// uniqueItems: a list whose items name objects can not hold an item twice.
func (im *importer) uniqueItems() bool {
	changed := false
	for _, p := range im.params {
		if p.kind == asList && !p.unique && slices.ContainsFunc(p.uses, func(u use) bool { return u.ranged || u.role == stored }) {
			p.unique, changed = true, true
		}
	}
	return changed
}

// dropTwin removes the first of two keys: KUDO's reader took the last.
func (im *importer) dropTwin(err *field.Error, key string) bool {
	s, line := im.origin(err)
	if s == nil {
		return false
	}
	for _, e := range s.entries {
		if e.line != line || e.path[len(e.path)-1] != key {
			continue
		}
		if twin := s.twin(e); twin != nil && !im.dropped[twin] {
			if _, ok := s.remove(twin); ok {
				im.dropped[twin] = true
				return true
			}
		}
	}
	return false
}

// followDefault gives the parameters on the line of an error the form of their defaults:
// the template takes nothing else.
func (im *importer) followDefault(err *field.Error) bool {
	s, line := im.origin(err)
	if s == nil {
		return false
	}
	changed := false
	for _, u := range s.uses {
		p := im.byName[u.parameter]
		if p == nil || s.line(u.start) != line || p.kind != asText || p.declared != "" && p.declared != "string" || len(p.enum) > 0 || p.text == "" || p.form != "" {
			continue
		}
		p.form, changed = formOf(p.text, separators(s.text[u.action.from:u.action.to])), true
		im.changed(paramsFile, p.line, "the parameter "+p.old, "the template "+s.name+" takes only values of a form such as the default has; the schema has a pattern now", "")
	}
	return changed
}

var separator = regexp.MustCompile("[\"`]([^\"`a-zA-Z0-9\\\\ ])[\"`]")

// separators are the characters that an action takes texts apart at.
func separators(code string) []string {
	var out []string
	for _, m := range separator.FindAllStringSubmatch(code, -1) {
		out = append(out, m[1])
	}
	return out
}

// formOf is a pattern for texts of the same form. Where they are taken apart, the
// separators must be there; else runs of letters and of digits may differ.
func formOf(text string, separators []string) string {
	for _, s := range separators {
		if n := strings.Count(text, s); n > 0 {
			q := regexp.QuoteMeta(s)
			return "^[^" + q + "]*(" + q + "[^" + q + "]*){" + strconv.Itoa(n) + ",}$"
		}
	}
	var b strings.Builder
	last := ' '
	for _, r := range text {
		class := r
		switch {
		case r >= '0' && r <= '9':
			class = '0'
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			class = 'a'
		}
		switch {
		case class == last && (class == '0' || class == 'a'):
			continue
		case class == '0':
			b.WriteString("[0-9]+")
		case class == 'a':
			b.WriteString("[A-Za-z]+")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
		last = class
	}
	return "^" + b.String() + "$"
}

// limitNames bounds what names of objects of a kind are made of.
func (im *importer) limitNames(kind string, most int) bool {
	changed := false
	for _, name := range im.sourceNames() {
		s := im.sources[name]
		for _, e := range s.entries {
			if s.docs[e.doc].kind == kind && slices.Equal(e.path, []string{"metadata", "name"}) {
				changed = im.limitName(s, e, most) || changed
			}
		}
	}
	return changed
}

// limitName leaves the parts of a name as much room as there is.
func (im *importer) limitName(s *source, e *entry, most int) bool {
	fixed, named := len(strings.Trim(s.text[e.start:e.end], `"'`)), false
	var parts []*parameter
	var fields []string
	for _, a := range s.actions {
		if a.start < e.start || a.end > e.end {
			continue
		}
		fixed -= a.end - a.start
		switch ref, isName := s.refersTo(a); {
		case isName && ref == "Name":
			named = true
		case isName && ref == "OperatorName":
			fixed += len(im.operator.name.text)
		case isName && ref != "":
			fixed += shortest
		default:
			p, f := im.partOf(s, a)
			switch {
			case p != nil && p.kind == asText:
				parts = append(parts, p)
			case f != "":
				fields = append(fields, f)
			default:
				fixed += len("1000")
			}
		}
	}
	return im.share(most-fixed, named, parts, fields)
}

// share divides the room that is left among the instance's name, parameters and fields.
func (im *importer) share(room int, named bool, parts []*parameter, fields []string) bool {
	changed := false
	need := 0
	for _, p := range parts {
		need += max(len(p.text), shortest)
	}
	need += shortest * len(fields)
	if named {
		switch {
		case im.shortName == 0 && room-longestInstance < need:
			im.shortName, changed = max(shortest+shortest, min(shortInstance, room-need)), true
			im.changed(operatorFile, im.operator.name.line, "names of Instances", "names of objects would become too long for names of Instances with more than "+
				strconv.Itoa(im.shortName)+" characters; templates shorten those, and add a checksum", "")
		case im.shortName > room-need && im.shortName > shortest+shortest && room-need >= shortest+shortest:
			im.shortName, changed = room-need, true
		}
		if im.shortName > 0 {
			room -= im.shortName
		} else {
			room -= longestInstance
		}
	}
	if n := len(parts) + len(fields); n > 0 {
		each := max(shortest, room/n)
		for _, p := range parts {
			if limit := max(each, len(p.text)); p.maxLength == 0 || limit < p.maxLength {
				p.maxLength, changed = limit, true
			}
		}
		for _, f := range fields {
			if old := im.limits[f]; old == 0 || each < old {
				im.limits[f], changed = each, true
			}
		}
	}
	return changed
}

// refersTo is what of the run an action prints alone.
func (s *source) refersTo(a *action) (string, bool) {
	for _, r := range s.metadata {
		if r.action == a {
			return r.name, true
		}
	}
	return "", false
}

// partOf is the parameter, or the field of an item, that an action prints.
func (im *importer) partOf(s *source, a *action) (*parameter, string) {
	for _, u := range s.uses {
		if u.action == a {
			return im.byName[u.parameter], ""
		}
	}
	code := s.text[a.from:a.to]
	if i := strings.LastIndexByte(code, '.'); i >= 0 && word.MatchString(code[i+1:]) && word.FindString(code[i+1:]) == code[i+1:] {
		return nil, code[i+1:]
	}
	return nil, ""
}

// origin is the old template, and the line in it, that an error is about.
func (im *importer) origin(err *field.Error) (*source, int) {
	m := templatePlace.FindStringSubmatch(err.Detail)
	if m == nil {
		return nil, 0
	}
	o := im.output(m[1])
	if o == nil {
		return nil, 0
	}
	number, _ := strconv.Atoi(m[2])
	return o.src, o.line(number)
}

// nameFile defines the block that shortens the names of Instances.
const (
	nameFile  = "instance-name.tpl"
	nameBlock = "instance.name"
)

func (im *importer) nameTemplate() string {
	const sum = 6
	return "{{- /* Names of objects have room for " + strconv.Itoa(im.shortName) + " characters of the Instance's. */ -}}\n" +
		"{{- define \"" + nameBlock + "\" -}}\n" +
		"{{- if le (len .Name) " + strconv.Itoa(im.shortName) + " -}}\n{{ .Name }}\n" +
		"{{- else -}}\n{{ trunc " + strconv.Itoa(im.shortName-sum-1) + " .Name }}-{{ sha256sum .Name | trunc " + strconv.Itoa(sum) + " }}\n" +
		"{{- end -}}\n{{- end -}}\n"
}
