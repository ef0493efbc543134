// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/internal/graph"
)

// The rules that say what the validators say.
const (
	unreadable         = "KUDO001"
	frameworkRefused   = "KUDO002"
	versionRefused     = "KUDO003"
	unsupported        = "KUDO004"
	parameterRefused   = "KUDO020"
	unknownTrigger     = "KUDO021"
	templateSyntax     = "KUDO040"
	unknownParameter   = "KUDO041"
	templateFails      = "KUDO042"
	objectRefused      = "KUDO043"
	planRefused        = "KUDO060"
	expressionRefused  = "KUDO061"
	unknownName        = "KUDO062"
	suppressesNothing  = "KUDO010"
	suppressesSilently = "KUDO009"
	outsideSchema      = "KUDO017"
)

// firm are the rules whose findings no comment takes back.
var firm = []string{
	unreadable, frameworkRefused, versionRefused, unsupported, parameterRefused, unknownTrigger, templateSyntax, unknownParameter,
	templateFails, objectRefused, planRefused, expressionRefused, unknownName, outsideSchema, suppressesNothing, suppressesSilently,
}

// templatePlace is how errors of templates begin.
var templatePlace = regexp.MustCompile(`template ([A-Za-z0-9._/-]+)(?::(\d+))?(?::\d+)?`)

var expressionField = regexp.MustCompile(`\.(when|rule|until|readyWhen|value|objectName)$|\.selector\[`)

func trimSpec(path string) string { return strings.TrimPrefix(path, "spec") }

// classify finds the rule that an error of the compiler belongs to, and its place.
func (s *subject) classify(e *field.Error) {
	path := "version" + trimSpec(e.Field)
	at := s.at(path)
	detail := e.Detail
	if strings.HasPrefix(path, "version.templates") {
		if m := templatePlace.FindStringSubmatch(detail); len(m) > 1 && s.texts[m[1]] != nil {
			at.file = s.texts[m[1]].file
			at.line, _ = strconv.Atoi(m[2])
		}
		if where, _, found := strings.Cut(detail, ": there is no parameter "); found {
			fields := strings.Split(where, ":")
			at.line, _ = strconv.Atoi(fields[len(fields)-min(2, len(fields))])
		}
	}
	s.add(ruleOf(path, e), at, e)
}

func ruleOf(path string, e *field.Error) string {
	template := strings.HasPrefix(path, "version.templates")
	switch {
	case strings.HasSuffix(e.Detail, graph.NotYetSupported):
		return unsupported
	case template && strings.Contains(e.Detail, ": there is no parameter "):
		return unknownParameter
	case template && strings.HasPrefix(e.Detail, "rendering: "):
		return templateFails
	case template && strings.HasPrefix(e.Detail, "task "):
		return objectRefused
	case template:
		return templateSyntax
	case strings.HasPrefix(path, "version.parameters") && strings.HasSuffix(path, ".trigger"):
		return unknownTrigger
	case strings.HasPrefix(path, "version.parameters"):
		return parameterRefused
	case strings.HasPrefix(e.Detail, "there is no such "), strings.HasPrefix(e.Detail, "there is nothing named"):
		return unknownName
	case expressionField.MatchString(path):
		return expressionRefused
	case strings.HasPrefix(path, "version.plans"), strings.HasPrefix(path, "version.tasks"):
		return planRefused
	}
	return versionRefused
}
