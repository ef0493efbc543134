// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/expr"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
)

// Conditions evaluates the conditions that may be decided in the next moment. A
// missing value is an error: a plan must not guess.
func (v *Version) Conditions(p *Plan, near map[string]bool, in *revision.Inputs, id Identity, objects map[string]any) map[string]engine.Truth {
	out := make(map[string]engine.Truth, len(p.conditions))
	vars := v.vars(in, id, objects)
	for path, program := range p.conditions {
		if near[path] {
			out[path] = truth(program.Eval(vars))
		}
	}
	return out
}

// Require evaluates the plan's requirements: the zero outcome means they are met.
func (v *Version) Require(p *Plan, in *revision.Inputs, id Identity, objects map[string]any) engine.Outcome {
	vars := v.vars(in, id, objects)
	for _, r := range p.require {
		t := truth(r.program.Eval(vars))
		switch {
		case t.Err != "":
			return engine.Outcome{Class: engine.OutcomeUser, Reason: v1alpha1.ReasonExpression, Message: t.Err}
		case !t.Value:
			return engine.Outcome{Class: engine.OutcomeUser, Reason: v1alpha1.ReasonRequirement, Message: r.message}
		}
	}
	return engine.Outcome{}
}

// Validate evaluates the version's rules over several parameters.
func (v *Version) Validate(values, old params.Values, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	in := v.SampleInputs(values)
	in.Old = revision.Values(old)
	vars := v.vars(in, sampleIdentity, nil)
	for _, r := range v.validations {
		t := truth(r.program.Eval(vars))
		switch {
		case t.Err != "":
			errs = append(errs, field.Invalid(path, field.OmitValueType{}, t.Err))
		case !t.Value:
			errs = append(errs, field.Invalid(path, field.OmitValueType{}, r.message))
		}
	}
	return errs
}

// Until evaluates the expression of a wait: whether it is true, and what it waits for.
func (v *Version) Until(t *Task, in *revision.Inputs, id Identity, objects map[string]any) (done bool, note string, err error) {
	if t.until == nil {
		return false, "", nil
	}
	return settled(t.until.Eval(v.vars(in, id, objects)))
}

// ReadyWhen evaluates the author's own rule over an applied object; declared is
// false where there is none.
func (v *Version) ReadyWhen(t *Task, in *revision.Inputs, id Identity, objects, self map[string]any) (declared, ready bool, note string, err error) {
	if t.readyWhen == nil {
		return false, false, "", nil
	}
	vars := v.vars(in, id, objects)
	vars.Self = self
	ready, note, err = settled(t.readyWhen.Eval(vars))
	return true, ready, note, err
}

// truth is a result that must be a value: a plan does not guess.
func truth(r expr.Result) engine.Truth {
	if err := r.Problem(); err != nil {
		return engine.Truth{Err: err.Error()}
	}
	return engine.Truth{Value: r.True()}
}

// settled is a result where something missing means "not yet".
func settled(r expr.Result) (done bool, note string, err error) {
	switch r.Outcome {
	case expr.Missing:
		return false, ": " + r.Note, nil
	case expr.Failed:
		return false, "", r.Err
	case expr.Done:
	}
	return r.True(), "", nil
}
