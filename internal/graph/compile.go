// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package graph compiles a FrameworkVersion: its parameters' schema, templates,
// expressions and plans. Compiled once per digest, it is immutable and safe for
// concurrent use.
package graph

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/expr"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/practice"
	"kudo.dev/kudo/internal/render"
	"kudo.dev/kudo/internal/revision"
)

// Version is a compiled FrameworkVersion.
type Version struct {
	// Digest of the spec that was compiled.
	Digest string
	// Spec with all defaults filled in. Not to be changed.
	Spec *v1alpha1.FrameworkVersionSpec
	// Params is the schema of the parameters.
	Params *params.Schema
	// Plans by name.
	Plans map[string]*Plan
	// PlanNames in declared order.
	PlanNames []string
	// Rendered are the kinds that the templates render, with defaults and extreme parameters.
	Rendered []schema.GroupVersionKind
	// Consumed are the kinds that rendered pods consume although no template renders them.
	Consumed []schema.GroupVersionKind
	// Roles are the roles and bindings that the templates render, as those of a sample Instance.
	Roles []*unstructured.Unstructured
	// Recovery are the rules that start a plan when something is broken, in order.
	Recovery []RecoveryRule
	// Triggers names the plan of each parameter that has one of its own.
	Triggers map[string]string

	// untried says that no sample values fit, so that nothing was rendered.
	untried     bool
	generated   map[string]v1alpha1.Generate
	templates   *render.Set
	validations []rule
	outputs     []output
	observe     []*observation
	tasks       map[string]*Task
	upgradable  []*semver.Constraints
	version     *semver.Version
}

// rule is a compiled Rule.
type rule struct {
	program *expr.Program
	message string
}

// Digest returns the SHA-256 of the canonical stored spec.
func Digest(spec *v1alpha1.FrameworkVersionSpec) (string, error) { return revision.Digest(spec) }

// Compile checks a version as far as that is possible without a cluster, and
// compiles it. The spec is not changed: what it leaves open is defaulted in a copy.
func Compile(spec *v1alpha1.FrameworkVersionSpec) (*Version, field.ErrorList) {
	path := field.NewPath("spec")
	digest, err := Digest(spec)
	if err != nil {
		return nil, field.ErrorList{field.InternalError(path, err)}
	}
	spec = spec.DeepCopy()
	Default(spec, nil)
	c := &compiler{spec: spec, path: path, out: &Version{
		Digest: digest, Spec: spec, Plans: map[string]*Plan{}, Triggers: map[string]string{}, tasks: map[string]*Task{},
	}}
	c.errs = unsupported(spec, path)
	for _, stage := range []func(){c.version, c.parameters, c.templates, c.expressions, c.tasks, c.plans, c.triggers, c.contentChange, c.recovery} {
		stage()
	}
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	if errs := c.out.dryRender(path); len(errs) > 0 {
		return nil, errs
	}
	return c.out, nil
}

type compiler struct {
	spec *v1alpha1.FrameworkVersionSpec
	path *field.Path
	out  *Version
	env  *expr.Env
	errs field.ErrorList
}

func (c *compiler) add(errs ...*field.Error) { c.errs = append(c.errs, errs...) }

func (c *compiler) version() {
	v, err := semver.NewVersion(c.spec.Version)
	if err != nil {
		c.add(field.Invalid(c.path.Child("version"), c.spec.Version, "must be a semantic version such as 3.8.4 or 3.8.4-1"))
	}
	c.out.version = v
	if profile := c.spec.PracticeProfile; !practice.Known(profile) {
		c.add(field.NotSupported(c.path.Child("practiceProfile"), profile, practice.Names()))
	}
	for i, text := range c.spec.UpgradableFrom {
		constraint, err := semver.NewConstraint(text)
		if err != nil {
			c.add(field.Invalid(c.path.Child("upgradableFrom").Index(i), text,
				"must be a semantic version constraint such as \"~3.8.0\" or \">=3.8.0 <3.9.0\""))
			continue
		}
		c.out.upgradable = append(c.out.upgradable, constraint)
	}
}

func (c *compiler) parameters() {
	compiled, errs := params.Compile(c.spec.Parameters, c.path.Child("parameters"))
	c.out.Params = compiled
	if compiled != nil {
		c.out.generated = compiled.Generated()
	}
	c.add(errs...)
}

func (c *compiler) templates() {
	sources := make([]render.Source, 0, len(c.spec.Templates))
	seen := map[string]bool{}
	for i, t := range c.spec.Templates {
		if seen[t.Name] {
			c.add(field.Duplicate(c.path.Child("templates").Index(i).Child("name"), t.Name))
			continue
		}
		seen[t.Name] = true
		sources = append(sources, render.Source{Name: t.Name, Content: t.Content})
	}
	set, err := render.Compile(sources)
	if err != nil {
		c.add(templateErrors(c.path.Child("templates"), err)...)
		return
	}
	c.out.templates = set
	c.references(set)
}

// references refuses templates that read parameters which do not exist: they would
// fail when it is too late.
func (c *compiler) references(set *render.Set) {
	if c.out.Params == nil {
		return
	}
	names := c.out.Params.Names()
	known := map[string]bool{}
	for _, n := range names {
		known[n] = true
	}
	seen := map[string]bool{}
	for _, template := range set.Names() {
		for _, r := range set.References(template) {
			if len(r.Path) < 2 || (r.Path[0] != "Params" && r.Path[0] != "Old" && r.Path[0] != "Changed") || known[r.Path[1]] {
				continue
			}
			where := fmt.Sprintf("%s:%d:%d", r.Template, r.Line, r.Column)
			if seen[where] {
				continue
			}
			seen[where] = true
			c.add(field.Invalid(c.path.Child("templates").Key(r.Template).Child("content"), r.String(),
				where+": there is no parameter "+r.Path[1]+params.Hint(r.Path[1], names)))
		}
	}
}

// templateErrors gives every joined template error a line of its own.
func templateErrors(path *field.Path, err error) field.ErrorList {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var errs field.ErrorList
		context, _, _ := strings.Cut(err.Error(), errors.Join(joined.Unwrap()...).Error())
		for _, one := range joined.Unwrap() {
			errs = append(errs, templateErrors(path, fmt.Errorf("%s%w", context, one))...)
		}
		return errs
	}
	var own *render.Error
	if errors.As(err, &own) && own.Template != "" {
		path = path.Key(own.Template).Child("content")
	}
	return field.ErrorList{field.Invalid(path, field.OmitValueType{}, err.Error())}
}

func (c *compiler) expressions() {
	if c.out.Params == nil {
		return
	}
	env, err := expr.NewEnv(expr.Options{Parameters: c.out.Params, Observations: declared(c.spec.Observe)})
	if err != nil {
		c.add(field.InternalError(c.path, err))
		return
	}
	c.env = env
	c.observations()
	c.outputs()
	c.out.validations = c.rules(c.spec.Validations, c.path.Child("validations"), expr.Rule)
}

func (c *compiler) rules(rules []v1alpha1.Rule, path *field.Path, kind expr.Kind) []rule {
	var out []rule
	for i, r := range rules {
		if strings.Contains(r.Message, "${") {
			c.add(field.Forbidden(path.Index(i).Child("message"), "${CEL} is "+NotYetSupported))
		}
		if p := c.expression(kind, r.Rule, path.Index(i).Child("rule")); p != nil {
			out = append(out, rule{program: p, message: r.Message})
		}
	}
	return out
}

func (c *compiler) expression(kind expr.Kind, source string, path *field.Path) *expr.Program {
	if source == "" || c.env == nil {
		return nil
	}
	p, err := c.env.Compile(kind, source)
	if err != nil {
		c.add(field.Invalid(path, source, err.Error()))
		return nil
	}
	return p
}

func (c *compiler) triggers() {
	for i, p := range c.spec.Parameters {
		if p.Trigger == "" {
			continue
		}
		at := c.path.Child("parameters").Index(i).Child("trigger")
		switch {
		case c.out.Plans[p.Trigger] == nil:
			c.add(field.Invalid(at, p.Trigger, "there is no such plan"+params.Hint(p.Trigger, c.out.PlanNames)))
		case p.Trigger == v1alpha1.PlanCleanup:
			c.add(field.Invalid(at, p.Trigger, "cleanup runs on deletion only"))
		case c.out.Plans[p.Trigger].Shared:
			c.add(field.Invalid(at, p.Trigger, "a plan that runs beside others takes no parameter over"))
		default:
			c.out.Triggers[p.Name] = p.Trigger
			c.out.Plans[p.Trigger].Lifecycle = true
		}
	}
}

// UpgradableFrom says whether an Instance of another version may come to this one,
// and why not. The version that it came from, interrupted, is always allowed by the caller.
func (v *Version) UpgradableFrom(from string) error {
	if from == v.Spec.Version {
		return nil
	}
	old, err := semver.NewVersion(from)
	if err != nil {
		return fmt.Errorf("version %s can not be upgraded: it is not a semantic version", from)
	}
	if len(v.upgradable) == 0 {
		if old.LessThan(v.version) {
			return nil
		}
		return fmt.Errorf("version %s can not be reached from %s: it is not higher, and it names no upgradableFrom", v.Spec.Version, from)
	}
	for _, c := range v.upgradable {
		if c.Check(old) {
			return nil
		}
	}
	return fmt.Errorf("version %s can not be reached from %s: it is upgradable from %s",
		v.Spec.Version, from, strings.Join(v.Spec.UpgradableFrom, ", "))
}
