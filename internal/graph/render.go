// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/practice"
	"kudo.dev/kudo/internal/render"
	"kudo.dev/kudo/internal/revision"
)

// Scope says whether a kind is namespaced, and whether it is known at all.
type Scope func(schema.GroupKind) (namespaced, known bool)

// Rendered is an object, and the template and task that it came from.
type Rendered struct {
	Object         *unstructured.Unstructured
	Template, Task string
}

// Labels are what Kudo puts on every object of an Instance. Nothing in them varies
// by run, version or build.
func Labels(framework string, id Identity) map[string]string {
	return map[string]string{
		v1alpha1.LabelInstance:    id.Name,
		v1alpha1.LabelManagedBy:   v1alpha1.ManagedBy,
		v1alpha1.LabelAppName:     framework,
		v1alpha1.LabelAppInstance: id.Name,
	}
}

// RenderTask renders the objects of a task: templates, patches, common labels, gate.
// A nil scope checks without a cluster.
func (v *Version) RenderTask(t *Task, in *revision.Inputs, id Identity, run Run, scope Scope) ([]Rendered, error) {
	var names []string
	var seen *Run
	switch {
	case t.Action.Apply != nil:
		names = t.Action.Apply.Templates
	case t.Action.Delete != nil:
		names = t.Action.Delete.Templates
	case t.Action.Job != nil:
		names, seen = []string{t.Action.Job.Template}, &run
	}
	out, err := v.renderTemplates(names, v.templateValues(in, id, seen))
	if err != nil {
		return nil, err
	}
	objects := make([]*unstructured.Unstructured, len(out))
	for i := range out {
		objects[i] = out[i].Object
	}
	if objects, err = v.patch(t, objects); err != nil {
		return nil, err
	}
	out = matchTemplates(out, objects)
	practice.Apply(v.Spec.PracticeProfile, objects)
	metadata := render.Metadata{Labels: Labels(in.Framework, id)}
	if err := render.Decorate(objects, metadata); err != nil {
		return nil, fmt.Errorf("task %q: %w", t.Name, err)
	}
	policy := render.Policy{Namespace: id.Namespace, Scope: scope, Declared: v.declared(), Metadata: metadata}
	if err := render.Gate(objects, policy); err != nil {
		return nil, fmt.Errorf("task %q: %w", t.Name, err)
	}
	if t.Action.Job != nil && len(out) != 1 {
		return nil, fmt.Errorf("task %q: template %q renders %d objects: a job task needs one Job", t.Name, t.Action.Job.Template, len(out))
	}
	for i := range out {
		out[i].Task = t.Name
	}
	if t.Action.Apply != nil {
		err = v.stamp(out, in, id)
	}
	return out, err
}

func (v *Version) renderTemplates(names []string, values render.Values) ([]Rendered, error) {
	var out []Rendered
	for _, name := range names {
		objects, err := v.templates.Render(name, values)
		if err != nil {
			return nil, fmt.Errorf("rendering: %w", err)
		}
		for _, o := range objects {
			out = append(out, Rendered{Object: o, Template: name})
		}
	}
	return out, nil
}

func (v *Version) patch(t *Task, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	if len(t.patches) == 0 {
		return objects, nil
	}
	patched, err := render.Patch(objects, t.patches)
	if err != nil {
		return nil, fmt.Errorf("task %q: %w", t.Name, err)
	}
	return patched, nil
}

// matchTemplates finds the template of each object again after patches, which can
// remove objects but neither rename nor move them.
func matchTemplates(before []Rendered, objects []*unstructured.Unstructured) []Rendered {
	templates := make(map[string]string, len(before))
	for _, r := range before {
		templates[revision.Key(revision.Reference(r.Object))] = r.Template
	}
	out := make([]Rendered, 0, len(objects))
	for _, o := range objects {
		out = append(out, Rendered{Object: o, Template: templates[revision.Key(revision.Reference(o))]})
	}
	return out
}

func (v *Version) declared() []render.Permission {
	out := make([]render.Permission, 0, len(v.Spec.Permissions))
	for _, p := range v.Spec.Permissions {
		d := render.Permission{Group: p.Group, Kind: p.Kind}
		if p.AnyNamespace {
			d.Namespace = "*"
		}
		out = append(out, d)
	}
	return out
}

// Listing names the apply tasks that render a template.
func (v *Version) Listing(template string) []string {
	var out []string
	for _, t := range v.Spec.Tasks {
		if t.Apply != nil && slices.Contains(t.Apply.Templates, template) {
			out = append(out, t.Name)
		}
	}
	return out
}

// sampleIdentity is an Instance with the longest name that is allowed.
var sampleIdentity = Identity{
	Name: "a2345678901234567890123456789012345678-z", Namespace: "sample", UID: "00000000-0000-0000-0000-000000000000",
}

// dryRender renders every task with defaults and with extreme values of the
// parameters, so that what can be wrong with templates is found now, and the kinds
// that they render are known.
func (v *Version) dryRender(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]bool{}
	sets := v.samples()
	v.untried = len(sets) == 0
	for _, values := range sets {
		rendered, err := v.renderAll(values)
		for _, o := range rendered {
			if gvk := o.Object.GroupVersionKind(); !slices.Contains(v.Rendered, gvk) {
				v.Rendered = append(v.Rendered, gvk)
			}
		}
		v.collectRoles(rendered)
		for _, gvk := range external(rendered) {
			if !slices.Contains(v.Consumed, gvk) {
				v.Consumed = append(v.Consumed, gvk)
			}
		}
		var joined interface{ Unwrap() []error }
		if !errors.As(err, &joined) {
			continue
		}
		for _, one := range joined.Unwrap() {
			if !seen[one.Error()] {
				seen[one.Error()] = true
				errs = append(errs, templateErrors(path.Child("templates"), one)...)
			}
		}
	}
	return errs
}

// collectRoles keeps what grants rights, once each: who applies it must have them.
func (v *Version) collectRoles(rendered []Rendered) {
	for _, o := range rendered {
		same := func(known *unstructured.Unstructured) bool { return equality.Semantic.DeepEqual(known, o.Object) }
		if o.Object.GroupVersionKind().Group == "rbac.authorization.k8s.io" && !slices.ContainsFunc(v.Roles, same) {
			v.Roles = append(v.Roles, o.Object)
		}
	}
}

// OfSample says whether a text has something of the sample Instance for which versions are
// rendered: it is another for each Instance.
func OfSample(text string) bool {
	return strings.Contains(text, sampleIdentity.Name) || strings.Contains(text, string(sampleIdentity.UID))
}

// InSample says whether an object of Roles stands in the namespace of its Instance.
func InSample(o *unstructured.Unstructured) bool {
	return o.GetNamespace() == "" || o.GetNamespace() == sampleIdentity.Namespace
}

// samples are sets of parameters that an Instance could have: defaults and extremes
// that the version's own rules allow.
func (v *Version) samples() []params.Values {
	var out []params.Values
	for _, values := range v.Params.Extremes() {
		if len(v.Validate(values, nil, field.NewPath("sample"))) == 0 {
			out = append(out, values)
		}
	}
	return out
}

// Unrendered says why no template of the version was tried: neither what it renders nor the
// rights that this takes are known then. It is nil if one set of sample values fits.
func (v *Version) Unrendered() error {
	if !v.untried {
		return nil
	}
	if names := v.Params.Unsampled(); len(names) > 0 {
		return fmt.Errorf("no template was tried and the rights that an Instance needs are not known: no value was found that fits the schema of %s: "+
			"give it an example that fits, a default, or a simpler schema", strings.Join(names, ", "))
	}
	return errors.New("no template was tried and the rights that an Instance needs are not known: no set of sample values fits the validations of the version: " +
		"make the defaults, and the examples of what is required, follow them")
}

// renderAll renders every task of the version for a sample Instance, without a cluster.
func (v *Version) renderAll(values params.Values) ([]Rendered, error) {
	var out []Rendered
	var errs []error
	in := v.SampleInputs(values)
	for _, t := range v.Spec.Tasks {
		rendered, err := v.RenderTask(v.tasks[t.Name], in, sampleIdentity, Run{ID: "sample", Attempt: 1}, nil)
		if err != nil {
			errs = append(errs, err)
		}
		out = append(out, rendered...)
	}
	return out, errors.Join(errs...)
}

// SampleInputs are the inputs of a first deploy with the given parameters.
func (v *Version) SampleInputs(values params.Values) *revision.Inputs {
	return &revision.Inputs{
		Framework: v.Spec.Framework, Version: revision.VersionName{Name: v.Spec.Version, App: v.Spec.AppVersion},
		Params: revision.Values(values), Labels: map[string]string{},
	}
}
