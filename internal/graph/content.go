// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/content"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
)

// contentChange checks the plan that a change of contents runs. What it takes over counts
// like a parameter that a plan takes over.
func (c *compiler) contentChange() {
	name := c.spec.OnContentChange
	if name == "" || name == v1alpha1.ContentIgnore {
		return
	}
	at := c.path.Child("onContentChange")
	if err := c.out.contentPlan(name, at); err != nil {
		c.add(err)
		return
	}
	c.out.Plans[name].Lifecycle = true
}

// contentPlan says why a plan can not run because a content changed; nil if it can.
func (v *Version) contentPlan(name string, at *field.Path) *field.Error {
	switch plan := v.Plans[name]; {
	case plan == nil:
		return field.Invalid(at, name, "there is no such plan, and it is not \""+v1alpha1.ContentIgnore+"\""+params.Hint(name, slices.Concat(v.PlanNames, []string{v1alpha1.ContentIgnore})))
	case name == v1alpha1.PlanCleanup:
		return field.Invalid(at, name, "cleanup runs on deletion only")
	case plan.Shared:
		return field.Invalid(at, name, "a plan that runs beside others takes no content over")
	}
	return nil
}

// ValidateContentChange checks the plan that an Instance names for changes of contents.
func (v *Version) ValidateContentChange(name string, at *field.Path) *field.Error {
	if name == "" || name == v1alpha1.ContentIgnore {
		return nil
	}
	if err := v.contentPlan(name, at); err != nil {
		return err
	}
	if !v.Plans[name].Lifecycle {
		return field.Invalid(at, name, "is no lifecycle plan: it applies and deletes nothing. Name one that does, or have the version name this one in its onContentChange")
	}
	return nil
}

// ContentPlan is the plan that runs when a content changes, of an Instance that chooses
// one or leaves it to the version; empty for none.
func (v *Version) ContentPlan(chosen string) string {
	if name := cmp.Or(chosen, v.Spec.OnContentChange); name != v1alpha1.ContentIgnore {
		return name
	}
	return ""
}

// Restarts says whether some pods restart when what they consume has changed.
func (v *Version) Restarts() bool {
	for _, t := range v.Spec.Templates {
		if t.RestartOnChange != nil && *t.RestartOnChange {
			return true
		}
	}
	return false
}

// restarts is what a template says: whether it says anything, and what.
func (v *Version) restarts(template string) (said, on bool) {
	for i := range v.Spec.Templates {
		if t := &v.Spec.Templates[i]; t.Name == template && t.RestartOnChange != nil {
			return true, *t.RestartOnChange
		}
	}
	return false, false
}

// Contents lists what the pods of an Instance with these inputs consume of its namespace,
// with the digests of what its own tasks render. What is no reason to restart pods is left
// out. A task that does not render is left out too: it says so when it runs.
func (v *Version) Contents(in *revision.Inputs, id Identity, scope Scope) []revision.Content {
	own := map[string]Rendered{}
	var consumed []revision.Content
	for _, t := range v.Spec.Tasks {
		if t.Apply == nil {
			continue
		}
		rendered, err := v.RenderTask(v.tasks[t.Name], in, id, Run{}, scope)
		if err != nil {
			continue
		}
		for _, o := range rendered {
			if o.Object.GetNamespace() != id.Namespace {
				continue
			}
			own[revision.Key(revision.Reference(o.Object))] = o
			consumed = content.Merge(consumed, content.Consumed(o.Object))
		}
	}
	out := consumed[:0]
	for _, c := range consumed {
		rendered, is := own[revision.Key(c.Reference(id.Namespace))]
		if said, on := v.restarts(rendered.Template); is && said && !on {
			continue
		}
		if is {
			digest, err := content.Digest(rendered.Object, c.Keys)
			if err != nil {
				continue
			}
			c.Own, c.Digest = true, digest
		}
		out = append(out, c)
	}
	return out
}

// stamp makes pods restart when what they consume has changed, where their template says so.
func (v *Version) stamp(rendered []Rendered, in *revision.Inputs, id Identity) error {
	for _, o := range rendered {
		said, on := v.restarts(o.Template)
		if !said || !on || o.Object.GetNamespace() != id.Namespace || !content.Restartable(o.Object.GroupVersionKind().GroupKind()) {
			continue
		}
		hash, err := content.Hash(content.Consumed(o.Object), in.Contents)
		if err != nil {
			return err
		}
		if hash == "" {
			continue
		}
		if err := content.Stamp(o.Object, hash); err != nil {
			return err
		}
	}
	return nil
}

// external lists the kinds that rendered pods consume and that may be made by others.
func external(rendered []Rendered) []schema.GroupVersionKind {
	var out []schema.GroupVersionKind
	own := map[string]bool{}
	for _, o := range rendered {
		own[o.Object.GetKind()+"/"+o.Object.GetName()] = true
	}
	for _, o := range rendered {
		out = append(out, foreign(o.Object, own)...)
	}
	return out
}

func foreign(o *unstructured.Unstructured, own map[string]bool) []schema.GroupVersionKind {
	var out []schema.GroupVersionKind
	for _, c := range content.Consumed(o) {
		if !own[c.Kind+"/"+c.Name] {
			out = append(out, schema.GroupVersionKind{Version: "v1", Kind: c.Kind})
		}
	}
	return out
}
