// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"regexp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// expression is a CEL text, or a text with CEL in it, and the field that it stands in.
type expression struct{ path, text string }

var identifier = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// expressions lists everything that holds CEL.
func (s *subject) expressions() []expression {
	var out []expression
	add := func(path, text string) {
		if text != "" {
			out = append(out, expression{path, text})
		}
	}
	for i, v := range s.spec.Validations {
		add(fmt.Sprintf("version.validations[%d].rule", i), v.Rule)
	}
	for _, o := range s.spec.Observe {
		add("version.observe["+o.Name+"].objectName", o.ObjectName)
		for _, value := range o.Selector {
			add("version.observe["+o.Name+"].selector", value)
		}
	}
	for _, o := range s.spec.Outputs {
		add("version.outputs["+o.Name+"].value", o.Value)
	}
	for _, rule := range s.spec.Recovery {
		add("version.recovery["+rule.Name+"].when", rule.When)
	}
	for _, t := range s.spec.Tasks {
		out = append(out, taskExpressions(&t.TaskAction, "version.tasks["+t.Name+"]")...)
	}
	for i := range s.spec.Plans {
		out = append(out, planExpressions(&s.spec.Plans[i])...)
	}
	return out
}

func taskExpressions(a *v1alpha1.TaskAction, path string) []expression {
	var out []expression
	if a.Apply != nil && a.Apply.ReadyWhen != "" {
		out = append(out, expression{path + ".apply.readyWhen", a.Apply.ReadyWhen})
	}
	if a.Wait != nil && a.Wait.Until != "" {
		out = append(out, expression{path + ".wait.until", a.Wait.Until})
	}
	return out
}

func planExpressions(p *v1alpha1.Plan) []expression {
	var out []expression
	path := "version.plans[" + p.Name + "]"
	for i, rule := range p.Require {
		out = append(out, expression{fmt.Sprintf("%s.require[%d].rule", path, i), rule.Rule})
	}
	eachStep(p, func(ph *v1alpha1.Phase, st *v1alpha1.Step, at string) {
		out = append(out, expression{at + ".when", st.When}, expression{path + ".phases[" + ph.Name + "].when", ph.When})
		out = append(out, taskExpressions(&v1alpha1.TaskAction{Wait: st.Wait}, at)...)
	})
	return out
}

// eachStep calls a function for every step of a plan, with the step's path.
func eachStep(p *v1alpha1.Plan, do func(*v1alpha1.Phase, *v1alpha1.Step, string)) {
	for i := range p.Phases {
		ph := &p.Phases[i]
		for j := range ph.Steps {
			do(ph, &ph.Steps[j], "version.plans["+p.Name+"].phases["+ph.Name+"].steps["+ph.Steps[j].Name+"]")
		}
	}
}

// parameter is one by its name; nil if there is none.
func (s *subject) parameter(name string) *v1alpha1.Parameter {
	for i := range s.spec.Parameters {
		if s.spec.Parameters[i].Name == name {
			return &s.spec.Parameters[i]
		}
	}
	return nil
}

func (s *subject) parameterNames() []string {
	out := make([]string, 0, len(s.spec.Parameters))
	for _, p := range s.spec.Parameters {
		out = append(out, p.Name)
	}
	return out
}
