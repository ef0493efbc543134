// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/expr"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
)

// Bounds of the limit of a recovery rule. Its runs are kept for as long as they count.
const (
	maxAttempts = 20
	maxWindow   = 7 * 24 * time.Hour

	defaultAttempts = 3
	defaultWindow   = time.Hour
)

// RecoveryRule is a compiled recovery rule.
type RecoveryRule struct {
	// Spec is the rule, with its defaults.
	Spec v1alpha1.RecoveryRule

	when *expr.Program
}

var ruleName = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

// recovery compiles the rules that start a plan when something is broken.
func (c *compiler) recovery() {
	seen := map[string]bool{}
	for i := range c.spec.Recovery {
		r := &c.spec.Recovery[i]
		path := c.path.Child("recovery").Index(i)
		if seen[r.Name] {
			c.add(field.Duplicate(path.Child("name"), r.Name))
			continue
		}
		seen[r.Name] = true
		if !ruleName.MatchString(r.Name) {
			c.add(field.Invalid(path.Child("name"), r.Name, "must be lower-case letters, digits and '-', starting with a letter"))
		}
		c.recoveryPlan(r.Plan, path.Child("plan"))
		c.recoveryTimes(r, path)
		// Something missing means "not yet", as in a wait.
		when := c.expression(expr.Until, r.When, path.Child("when"))
		if when != nil && len(when.References().Objects) == 0 {
			c.add(field.Invalid(path.Child("when"), r.When, "names nothing of objects: it would never change"))
		}
		c.out.Recovery = append(c.out.Recovery, RecoveryRule{Spec: *r, when: when})
	}
}

func (c *compiler) recoveryPlan(name string, path *field.Path) {
	switch plan := c.out.Plans[name]; {
	case plan == nil:
		c.add(field.Invalid(path, name, "there is no such plan"+params.Hint(name, c.out.PlanNames)))
	case name == v1alpha1.PlanCleanup:
		c.add(field.Invalid(path, name, "cleanup runs on deletion only"))
	case plan.Shared:
		c.add(field.Invalid(path, name, "a plan that runs beside others repairs nothing"))
	}
}

func (c *compiler) recoveryTimes(r *v1alpha1.RecoveryRule, path *field.Path) {
	if r.For != nil && (r.For.Duration < 0 || r.For.Duration > maxWindow) {
		c.add(field.Invalid(path.Child("for"), r.For.Duration.String(), fmt.Sprintf("must be at least 0 and at most %s", maxWindow)))
	}
	if r.Limit == nil {
		return
	}
	if n := r.Limit.Attempts; n < 1 || n > maxAttempts {
		c.add(field.Invalid(path.Child("limit", "attempts"), n, fmt.Sprintf("must be at least 1 and at most %d", maxAttempts)))
	}
	if w := r.Limit.Window.Duration; w <= 0 || w > maxWindow {
		c.add(field.Invalid(path.Child("limit", "window"), w.String(), fmt.Sprintf("must be more than 0 and at most %s", maxWindow)))
	}
}

// RecoverySees names the observations that the conditions of rules read; of those that
// preempt only, where preempting is true. Sorted, single ones first.
func (v *Version) RecoverySees(preempting bool) []string {
	need := map[string]bool{}
	for _, r := range v.Recovery {
		if preempting && !r.Spec.Preempt {
			continue
		}
		for _, name := range r.when.References().Objects {
			need[name] = true
		}
	}
	return v.closure(need)
}

// Broken says whether the condition of a rule holds. What is missing means "not yet"; an
// error says why it has no value.
func (v *Version) Broken(r *RecoveryRule, in *revision.Inputs, id Identity, objects map[string]any) (bool, error) {
	holds, _, err := settled(r.when.Eval(v.vars(in, id, objects)))
	return holds, err
}

// Watched lists the kinds that conditions of recovery rules see.
func (v *Version) Watched() []schema.GroupVersionKind {
	var out []schema.GroupVersionKind
	for _, name := range v.RecoverySees(false) {
		for _, o := range v.observe {
			gvk := schema.FromAPIVersionAndKind(o.spec.APIVersion, o.spec.Kind)
			if o.spec.Name == name && !slices.Contains(out, gvk) {
				out = append(out, gvk)
			}
		}
	}
	return out
}
