// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

var parameterWords = regexp.MustCompile(`spec\.parameters(?:\.([A-Za-z][A-Za-z0-9_]*)|\[([A-Za-z][A-Za-z0-9_]*)\])`)

// parameters names each parameter that does not fit, the value, and what would.
func (d *diagnosis) parameters(c *metav1.Condition) *finding {
	f := &finding{cause: WrongParameter, summary: strings.Trim(c.Message, "[]")}
	var names []string
	for _, m := range parameterWords.FindAllStringSubmatch(c.Message, -1) {
		if name := m[1] + m[2]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		f.chain = append(f.chain, Link{Object: "parameter spec.parameters." + name, State: d.set(name), Message: d.wanted(name)})
	}
	f.next = []Command{d.edit("correct it")}
	if len(names) > 0 {
		f.next[0].Why = "correct spec.parameters." + strings.Join(names, ", spec.parameters.")
	}
	f.next = append(f.next, anywhere("what may the parameters be?", "get frameworkversion %s-%s -o jsonpath={.spec.parameters}",
		d.Instance.Spec.Framework, d.Instance.Spec.Version))
	return f
}

// set is the value that the Instance has, unless that may be a secret.
func (d *diagnosis) set(name string) string {
	raw, set := d.Instance.Spec.Parameters[name]
	switch p := d.parameter(name); {
	case !set:
		return "not set"
	case p == nil:
		return "set"
	case p.Generate != nil:
		return "a reference"
	}
	const most = 64
	if len(raw.Raw) > most {
		return fmt.Sprintf("a value of %d bytes", len(raw.Raw)) // half a secret could not be redacted
	}
	return string(raw.Raw)
}

// wanted is what the version says about a parameter.
func (d *diagnosis) wanted(name string) string {
	p := d.parameter(name)
	switch {
	case d.Version == nil:
		return ""
	case p == nil:
		return fmt.Sprintf("version %s has no such parameter", d.Version.Spec.Version)
	}
	schema := `{"type":"string"}`
	if p.Schema != nil {
		schema = string(p.Schema.Raw)
	}
	text := "must fit " + schema
	if p.Required {
		text += ", is required"
	}
	if p.Immutable {
		text += ", can not be changed once set"
	}
	if p.Default != nil {
		text += ", by default " + string(p.Default.Raw)
	}
	return text
}

func (d *diagnosis) parameter(name string) *v1alpha1.Parameter {
	if d.Version == nil {
		return nil
	}
	for i := range d.Version.Spec.Parameters {
		if p := &d.Version.Spec.Parameters[i]; p.Name == name {
			return p
		}
	}
	return nil
}
