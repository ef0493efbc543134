// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"encoding/json"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/internal/expr"
	"kudo.dev/kudo/internal/revision"
)

// Limits of outputs as JSON: of one, and of all of a version.
const (
	maxOutput  = 16 << 10
	maxOutputs = 64 << 10
)

// output is a compiled Output.
type output struct {
	name    string
	program *expr.Program
}

func (c *compiler) outputs() {
	seen := map[string]bool{}
	for i, o := range c.spec.Outputs {
		path := c.path.Child("outputs").Index(i)
		switch {
		case seen[o.Name]:
			c.add(field.Duplicate(path.Child("name"), o.Name))
		case o.Value == "" && o.From == nil:
			c.add(field.Required(path.Child("value"), "a CEL expression"))
		}
		seen[o.Name] = true
		p := c.expression(expr.Value, o.Value, path.Child("value"))
		if p == nil {
			continue
		}
		if secret := c.readsSecret(p); secret != "" {
			c.add(field.Forbidden(path.Child("value"), "reads objects."+secret+", a Secret: what stands in a status is no secret"))
		}
		c.out.outputs = append(c.out.outputs, output{o.Name, p})
	}
}

// readsSecret names an observed Secret that an expression sees.
func (c *compiler) readsSecret(p *expr.Program) string {
	names := p.References().Objects
	for _, o := range c.spec.Observe {
		if o.Kind == "Secret" && (slices.Contains(names, o.Name) || slices.Contains(names, "*")) {
			return o.Name
		}
	}
	return ""
}

// OutputsNeed names the observations that outputs read, those first that others depend on.
func (v *Version) OutputsNeed() []string {
	need := map[string]bool{}
	for _, o := range v.outputs {
		for _, name := range o.program.References().Objects {
			need[name] = true
		}
	}
	return v.closure(need)
}

// Outputs evaluates the version's outputs. What can not be told is left out, and said.
func (v *Version) Outputs(in *revision.Inputs, id Identity, objects map[string]any) (values map[string]apiextensionsv1.JSON, problems []string) {
	vars := v.vars(in, id, objects)
	total := 0
	for _, o := range v.outputs {
		result := o.program.Eval(vars)
		if err := result.Problem(); err != nil {
			problems = append(problems, fmt.Sprintf("output %s: %v", o.name, err))
			continue
		}
		raw, err := json.Marshal(result.Value)
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("output %s: %v", o.name, err))
			continue
		case len(raw) > maxOutput || total+len(raw) > maxOutputs:
			problems = append(problems, fmt.Sprintf("output %s takes %d bytes: one may have %d, and all of them %d", o.name, len(raw), maxOutput, maxOutputs))
			continue
		}
		total += len(raw)
		if values == nil {
			values = map[string]apiextensionsv1.JSON{}
		}
		values[o.name] = apiextensionsv1.JSON{Raw: raw}
	}
	return values, problems
}
