// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strings"
)

// place is where something stands in a package.
type place struct {
	file string
	line int
}

// reporter takes the findings of one rule after the other.
type reporter struct {
	subject  *subject
	rule     *Rule
	findings []Finding
	// told is what was found at a place already, under other parameters.
	told map[string]bool
}

// at reports a finding at a place.
func (r *reporter) at(p place, format string, args ...any) {
	r.findings = append(r.findings, Finding{
		ID: r.rule.ID, Severity: r.rule.Severity, File: p.file, Line: p.line,
		// The name of the sample means nothing to an author.
		Message: strings.ReplaceAll(fmt.Sprintf(format, args...), sample.Name, "<instance>"), Fix: r.rule.Fix,
	})
}

// field reports a finding at a field, such as version.plans[deploy].
func (r *reporter) field(path, format string, args ...any) { r.at(r.subject.at(path), format, args...) }

// object reports a finding about a rendered object, at a field of it as far as the template
// tells where that is.
func (r *reporter) object(o *object, path []string, format string, args ...any) {
	p := o.find(path...)
	message := o.title() + ": " + fmt.Sprintf(format, args...)
	key := fmt.Sprint(r.rule.ID, p, message)
	if r.told[key] {
		return
	}
	if r.told == nil {
		r.told = map[string]bool{}
	}
	r.told[key] = true
	if o.with != "" {
		message += " (with " + o.with + ")"
	}
	r.at(p, "%s", message)
}
