// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/filters/patchjson6902"
	"sigs.k8s.io/kustomize/api/filters/patchstrategicmerge"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

// PatchSpec is a patch in kustomize's form. Content is YAML or JSON: a map is a
// strategic merge patch, a list is a JSON patch (RFC 6902).
type PatchSpec struct {
	// Target selects objects; without one, a strategic merge patch names its object itself.
	Target  *Selector
	Content string
}

// Selector selects objects; an empty field matches all.
type Selector struct{ Group, Version, Kind, Namespace, Name string }

func (s Selector) matches(obj *unstructured.Unstructured) bool {
	gvk := obj.GroupVersionKind()
	for _, pair := range [][2]string{
		{s.Group, gvk.Group}, {s.Version, gvk.Version}, {s.Kind, gvk.Kind}, {s.Namespace, obj.GetNamespace()}, {s.Name, obj.GetName()},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return true
}

const (
	maxPatchBytes = 256 << 10
	maxPatchOps   = 1000
	// maxPatchCopies bounds the only operation that can double an object.
	maxPatchCopies = 16
)

// Patch applies the patches in order and gives new objects; the given ones stay
// as they are. A patch may delete an object ($patch: delete), but neither rename
// nor move one. A patch that matches nothing is an error.
func Patch(objs []*unstructured.Unstructured, patches []PatchSpec) ([]*unstructured.Unstructured, error) {
	out := slices.Clone(objs)
	for i, spec := range patches {
		p, err := parsePatch(spec)
		if err == nil {
			out, err = p.apply(out)
		}
		if err != nil {
			own := *err
			own.Reason, own.Field = ReasonPatch, fmt.Sprintf("patch %d", i+1)
			return nil, &own
		}
	}
	return out, nil
}

// patch is a parsed PatchSpec.
type patch struct {
	target Selector
	merge  map[string]any
	// groups are operations; only the last of each group can copy.
	groups []string
}

func parsePatch(spec PatchSpec) (*patch, *Error) {
	if len(spec.Content) > maxPatchBytes {
		return nil, limit("split it", "the patch is larger than 256 kB")
	}
	p := &patch{}
	if spec.Target != nil {
		p.target = *spec.Target
	}
	var content any
	if err := yaml.UnmarshalStrict([]byte(spec.Content), &content); err != nil {
		return nil, fault("", "the patch is not strict YAML")
	}
	switch content := content.(type) {
	case map[string]any:
		p.merge = content
		if spec.Target == nil {
			return p, p.selfTarget()
		}
		return p, nil
	case []any:
		if spec.Target == nil {
			return nil, fault("give target.kind and target.name", "a JSON patch needs a target")
		}
		return p, p.operations(content)
	}
	return nil, fault("", "the patch is neither a map nor a list of operations")
}

func (p *patch) selfTarget() *Error {
	u := &unstructured.Unstructured{Object: p.merge}
	name, _, _ := unstructured.NestedString(p.merge, "metadata", "name")
	kind, _ := p.merge["kind"].(string)
	if name == "" || kind == "" {
		return fault("add kind and metadata.name to it, or give a target", "the patch does not say which object it is for")
	}
	gvk := u.GroupVersionKind()
	namespace, _, _ := unstructured.NestedString(p.merge, "metadata", "namespace")
	p.target = Selector{Group: gvk.Group, Version: gvk.Version, Kind: kind, Namespace: namespace, Name: name}
	return nil
}

// operations ends a group at every copy, which can double the object.
func (p *patch) operations(ops []any) *Error {
	if len(ops) > maxPatchOps {
		return limit("split it", "the patch has more than %d operations", maxPatchOps)
	}
	var group []any
	flush := func() *Error {
		text, err := yaml.Marshal(group)
		if err != nil {
			return fault("", "the patch cannot be read")
		}
		p.groups = append(p.groups, string(text))
		group = nil
		return nil
	}
	for _, op := range ops {
		m, ok := op.(map[string]any)
		if !ok {
			return fault("", "an operation of the patch is no map")
		}
		group = append(group, op)
		if m["op"] == "copy" {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(p.groups) > maxPatchCopies {
		return limit("", "the patch has more than %d copy operations", maxPatchCopies)
	}
	if len(group) > 0 {
		return flush()
	}
	return nil
}

func (p *patch) apply(objs []*unstructured.Unstructured) ([]*unstructured.Unstructured, *Error) {
	var out []*unstructured.Unstructured
	matched := false
	for _, obj := range objs {
		if !p.target.matches(obj) {
			out = append(out, obj)
			continue
		}
		matched = true
		got, err := p.one(obj)
		if err != nil {
			own := *err
			own.Object = title(obj)
			return nil, &own
		}
		if got != nil {
			out = append(out, got)
		}
	}
	if !matched {
		return nil, fault("check group, version, kind and name of its target", "the patch matches no object of the task")
	}
	return out, nil
}

// one patches one object; nil means that the patch deletes it.
func (p *patch) one(obj *unstructured.Unstructured) (got *unstructured.Unstructured, wrong *Error) {
	defer func() {
		if recover() != nil {
			got, wrong = nil, fault("", "the patch does not apply")
		}
	}()
	node, err := kyaml.FromMap(obj.Object)
	if err != nil {
		return nil, fault("", "the object cannot be patched")
	}
	nodes, err := p.filter([]*kyaml.RNode{node})
	if err != nil {
		return nil, fault("check its paths", "the patch does not apply")
	}
	if len(nodes) == 0 {
		return nil, nil
	}
	return patched(obj, nodes[0])
}

func (p *patch) filter(nodes []*kyaml.RNode) ([]*kyaml.RNode, error) {
	if p.merge != nil {
		merge, err := kyaml.FromMap(p.merge)
		if err != nil {
			return nil, err
		}
		return patchstrategicmerge.Filter{Patch: merge}.Filter(nodes)
	}
	for _, group := range p.groups {
		var err error
		if nodes, err = (patchjson6902.Filter{Patch: group}).Filter(nodes); err != nil {
			return nil, err
		}
		if text, err := nodes[0].String(); err != nil || len(text) > DefaultLimits().Output {
			return nil, fmt.Errorf("the object becomes larger than 1 MiB")
		}
	}
	return nodes, nil
}

// patched reads the result back and checks that it is the same object.
func patched(before *unstructured.Unstructured, node *kyaml.RNode) (*unstructured.Unstructured, *Error) {
	text, err := node.String()
	if err != nil {
		return nil, fault("", "the result of the patch cannot be read")
	}
	x := &execution{set: &Set{limits: DefaultLimits()}, work: DefaultLimits().Work}
	docs, err := x.documents(text)
	if err != nil || len(docs) != 1 {
		return nil, fault("", "the result of the patch is no acceptable YAML")
	}
	obj, wrong := object(docs[0].value)
	if wrong != nil {
		return nil, wrong
	}
	if obj.GroupVersionKind() != before.GroupVersionKind() || identityOf(obj) != identityOf(before) {
		return nil, fault("write another template instead", "a patch may not change apiVersion, kind, name or namespace")
	}
	if strings.Contains(text, "$patch: ") {
		return nil, fault("", "the patch leaves a $patch directive in the object")
	}
	return obj, nil
}
