// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"fmt"
	"slices"
	"sort"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/expr"
	"kudo.dev/kudo/internal/render"
	"kudo.dev/kudo/internal/revision"
)

// observation is a compiled Observation.
type observation struct {
	spec     v1alpha1.Observation
	name     *expr.Text
	selector map[string]*expr.Text
}

// Query asks for what an observation sees in the Instance's namespace. Exactly one of
// ObjectName, Selector, OwnedBy and ClaimsOf is set.
type Query struct {
	Name       string
	GVK        schema.GroupVersionKind
	ObjectName string
	Selector   map[string]string
	// OwnedBy and ClaimsOf name another query, with an ObjectName.
	OwnedBy, ClaimsOf string
}

// declared lists the observations for the expressions' environment.
func declared(specs []v1alpha1.Observation) []expr.Observation {
	out := make([]expr.Observation, 0, len(specs))
	for _, o := range specs {
		out = append(out, expr.Observation{Name: o.Name, Single: o.ObjectName != ""})
	}
	return out
}

func (c *compiler) observations() {
	seen := map[string]bool{}
	for i, o := range c.spec.Observe {
		path := c.path.Child("observe").Index(i)
		if seen[o.Name] {
			c.add(field.Duplicate(path.Child("name"), o.Name))
			continue
		}
		seen[o.Name] = true
		c.checkObservation(o, path)
		compiled := &observation{spec: o, name: c.text(o.ObjectName, path.Child("objectName")), selector: map[string]*expr.Text{}}
		for key, value := range o.Selector {
			compiled.selector[key] = c.text(value, path.Child("selector").Key(key))
		}
		c.out.observe = append(c.out.observe, compiled)
	}
}

func (c *compiler) checkObservation(o v1alpha1.Observation, path *field.Path) {
	ways := 0
	for _, set := range []bool{o.ObjectName != "", len(o.Selector) > 0, o.OwnedBy != "", o.ClaimsOf != ""} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		c.add(field.Invalid(path, field.OmitValueType{}, "set exactly one of objectName, selector, ownedBy and claimsOf"))
	}
	gv, err := schema.ParseGroupVersion(o.APIVersion)
	if err != nil {
		c.add(field.Invalid(path.Child("apiVersion"), o.APIVersion, "must be GROUP/VERSION, or v1"))
	}
	if namespaced, known := render.BuiltinScope(schema.GroupKind{Group: gv.Group, Kind: o.Kind}); known && !namespaced {
		c.add(field.Invalid(path.Child("kind"), o.Kind, "is cluster-scoped: only the Instance's namespace can be observed"))
	}
	if o.ClaimsOf != "" && o.Kind != "PersistentVolumeClaim" {
		c.add(field.Invalid(path.Child("kind"), o.Kind, "must be PersistentVolumeClaim where claimsOf is set"))
	}
	for name, at := range map[string]*field.Path{o.OwnedBy: path.Child("ownedBy"), o.ClaimsOf: path.Child("claimsOf")} {
		if name == "" {
			continue
		}
		i := slices.IndexFunc(c.spec.Observe, func(other v1alpha1.Observation) bool { return other.Name == name })
		if i < 0 || c.spec.Observe[i].ObjectName == "" {
			c.add(field.Invalid(at, name, "must name an observation with an objectName"))
		}
	}
}

// text compiles a string that may hold ${CEL}, over everything but objects.
func (c *compiler) text(source string, path *field.Path) *expr.Text {
	if source == "" || c.env == nil {
		return nil
	}
	t, err := c.env.CompileString(expr.Value, source)
	if err != nil {
		c.add(field.Invalid(path, source, err.Error()))
		return nil
	}
	if len(t.References().Objects) > 0 {
		c.add(field.Invalid(path, source, "can not depend on observed objects"))
	}
	return t
}

// Needed names the observations that expressions read now: those of conditions that
// are about to be decided, of waits and of readiness rules. Sorted, single ones first.
func (v *Version) Needed(p *Plan, near map[string]bool, running func(path string) bool, starting bool) []string {
	need := map[string]bool{}
	add := func(programs ...*expr.Program) {
		for _, program := range programs {
			if program == nil {
				continue
			}
			for _, name := range program.References().Objects {
				need[name] = true
			}
		}
	}
	for path, condition := range p.conditions {
		if near[path] {
			add(condition)
		}
	}
	for path, t := range p.Tasks {
		switch {
		case !running(path):
		case t.Kind() == engine.TaskRestore || t.Kind() == engine.TaskRevert:
			for _, original := range v.tasks { // each object is judged by the rule of its own task
				add(original.readyWhen)
			}
		default:
			add(t.until, t.readyWhen)
		}
	}
	if starting {
		for _, r := range p.require {
			add(r.program)
		}
	}
	return v.closure(need)
}

// closure adds what the named observations depend on; "*" means all of them.
func (v *Version) closure(need map[string]bool) []string {
	var single, lists []string
	for _, o := range v.observe {
		if need["*"] || need[o.spec.Name] {
			need[o.spec.OwnedBy], need[o.spec.ClaimsOf] = o.spec.OwnedBy != "", o.spec.ClaimsOf != ""
		}
	}
	for _, o := range v.observe {
		switch {
		case !need["*"] && !need[o.spec.Name]:
		case o.spec.ObjectName != "":
			single = append(single, o.spec.Name)
		default:
			lists = append(lists, o.spec.Name)
		}
	}
	sort.Strings(single)
	sort.Strings(lists)
	return append(single, lists...)
}

// Query computes what an observation asks for.
func (v *Version) Query(name string, in *revision.Inputs, id Identity) (Query, error) {
	i := slices.IndexFunc(v.observe, func(o *observation) bool { return o.spec.Name == name })
	if i < 0 {
		return Query{}, fmt.Errorf("there is no observation %q", name)
	}
	o := v.observe[i]
	q := Query{
		Name: name, GVK: schema.FromAPIVersionAndKind(o.spec.APIVersion, o.spec.Kind),
		OwnedBy: o.spec.OwnedBy, ClaimsOf: o.spec.ClaimsOf,
	}
	vars := v.vars(in, id, nil)
	var err error
	if o.name != nil {
		if q.ObjectName, err = str(o.name.Eval(vars)); err != nil {
			return Query{}, fmt.Errorf("observation %q: objectName: %w", name, err)
		}
	}
	for key, text := range o.selector {
		value, err := str(text.Eval(vars))
		if err != nil {
			return Query{}, fmt.Errorf("observation %q: selector %s: %w", name, key, err)
		}
		if q.Selector == nil {
			q.Selector = map[string]string{}
		}
		q.Selector[key] = value
	}
	return q, nil
}

func str(r expr.Result) (string, error) {
	if err := r.Problem(); err != nil {
		return "", err
	}
	s, ok := r.Value.(string)
	if !ok {
		return "", fmt.Errorf("yields %T, not a string", r.Value)
	}
	return s, nil
}

// Observed lists the kinds that the version observes.
func (v *Version) Observed() []schema.GroupVersionKind {
	out := make([]schema.GroupVersionKind, 0, len(v.observe))
	for _, o := range v.observe {
		out = append(out, schema.FromAPIVersionAndKind(o.spec.APIVersion, o.spec.Kind))
	}
	return out
}

// Near names the conditions that may be decided in the next moment.
func (p *Plan) Near(s engine.State) map[string]bool { return engine.Near(p.Program, s) }
