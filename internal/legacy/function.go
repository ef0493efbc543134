// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// sameFunctions have another name in Kudo's templates.
var sameFunctions = map[string]string{"typeOf": "kindOf", "typeIs": "kindIs", "typeIsLike": "kindIs", "toYAML": "toYaml"}

// clockFunctions read the time, or the text that they make is one of it.
var clockFunctions = map[string]bool{
	"now": true, "ago": true, "date": true, "date_in_zone": true, "dateInZone": true, "date_modify": true, "dateModify": true,
	"must_date_modify": true, "mustDateModify": true, "duration": true, "durationRound": true, "htmlDate": true,
	"htmlDateInZone": true, "toDate": true, "mustToDate": true, "unixEpoch": true,
}

// callEdits replace functions that templates of Kudo do not have.
func (im *importer) callEdits(s *source) []edit {
	var out []edit
	for _, c := range s.calls {
		line := s.line(c.start)
		same, renamed := sameFunctions[c.name]
		switch {
		case callable[c.name]:
		case renamed:
			out = append(out, edit{start: c.start, end: c.end, text: same})
			im.changed(s.file(), line, "the function "+c.name, "it is called "+same+" here, and gives the names of JSON's types", "compare the names that the template expects")
		case clockFunctions[c.name]:
			expr := `""`
			if strings.HasSuffix(s.text[c.action.from:c.action.to], "quote") {
				expr += " | quote"
			}
			out = append(out, c.replace(s, expr))
			im.lost(s.file(), line, "the function "+c.name, "a template renders the same at any time, or every run would restart pods; the action prints nothing now",
				"take the time from the program that needs it")
		default:
			out = append(out, c.replace(s, "$.Params."+im.supplied(s, c, line)))
		}
	}
	return out
}

// declaration is what stands before a pipeline whose value variables get.
var declaration = regexp.MustCompile(`^\$\w*\s*(,\s*\$\w*\s*)?:?=`)

// replace puts another expression in the place of the whole pipeline around a call.
func (c *call) replace(s *source, expr string) edit {
	from, code := c.action.from, s.text[c.action.from:c.action.to]
	for _, keyword := range []string{"else", "if", "with", "range"} {
		if rest, found := strings.CutPrefix(code, keyword+" "); found {
			from += len(code) - len(rest)
			code = rest
		}
	}
	if n := len(declaration.FindString(code)); n > 0 {
		from += n
		expr = " " + expr
	}
	return edit{start: from, end: c.action.to, text: expr}
}

// supplied is the parameter that gives what a function made. It is required: nothing made
// up is as good as what the function gave, least of all for a password.
func (im *importer) supplied(s *source, c call, line int) string {
	description := fmt.Sprintf("Stands for what the function %s gave in line %d of the template %s.", c.name, line, s.name)
	for _, p := range im.params {
		if p.description == description {
			return p.name
		}
	}
	p := &parameter{required: true, line: line, description: description}
	for i := 1; p.name == "" || im.byName[p.name] != nil; i++ {
		p.name = parameterName(c.name) + "_" + strconv.Itoa(i)
	}
	p.old = p.name
	im.byName[p.name] = p
	im.params = append(im.params, p)
	im.lost(s.file(), line, "the function "+c.name, "templates are hermetic: the same values render the same bytes; the required parameter "+p.name+" stands in its place",
		"give its value in Instances, or take it from a Secret")
	return p.name
}
