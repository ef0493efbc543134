// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package revision

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Object is one object of the content at rest.
type Object struct {
	v1alpha1.ObjectReference `json:",inline"`
	// Task and Template that rendered it.
	Task     string `json:"task"`
	Template string `json:"template"`
	// Digest of the content as it was applied.
	Digest string `json:"digest"`
	// Content as it was applied; never of a Secret.
	Content json.RawMessage `json:"content,omitempty"`
	// Fields that the apply owns, as managedFields has them; empty if that is not known.
	Fields json.RawMessage `json:"fields,omitempty"`
	// ResourceVersion that the apply led to: what is older was seen before it.
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

// Group returns the API group of an object.
func Group(r v1alpha1.ObjectReference) string {
	gv, _ := schema.ParseGroupVersion(r.APIVersion)
	return gv.Group
}

// Key tells objects apart: a delete and a new creation have the same key.
func Key(r v1alpha1.ObjectReference) string {
	return Group(r) + "/" + r.Kind + "/" + r.Namespace + "/" + r.Name
}

// Reference returns the reference of an object.
func Reference(u *unstructured.Unstructured) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{
		APIVersion: u.GetAPIVersion(), Kind: u.GetKind(),
		Namespace: u.GetNamespace(), Name: u.GetName(), UID: u.GetUID(),
	}
}

// Applied is the content of an Instance at rest: for every object its last
// successful apply, in whichever execution that was.
type Applied struct {
	Objects []Object
	// Late are contents that were not there when the run was pinned, as its pods found them.
	Late []Content
}

type stored struct {
	Count   int       `json:"count"`
	Objects []byte    `json:"objects"`
	Late    []Content `json:"late,omitempty"`
}

// Encode returns JSON that holds the compressed objects.
func (a *Applied) Encode() ([]byte, error) {
	raw, err := json.Marshal(a.Objects)
	if err != nil {
		return nil, fmt.Errorf("encoding the applied objects: %w", err)
	}
	data, err := compress(raw)
	if err != nil {
		return nil, fmt.Errorf("encoding the applied objects: %w", err)
	}
	raw, err = json.Marshal(stored{Count: len(a.Objects), Objects: data, Late: a.Late})
	if err != nil {
		return nil, fmt.Errorf("encoding the applied objects: %w", err)
	}
	if len(raw) > MaxSize {
		return nil, &SizeError{What: "the applied objects, compressed,", Size: len(raw), Hint: "make the templates render less"}
	}
	return raw, nil
}

// DecodeApplied is the inverse of Encode.
func DecodeApplied(raw []byte) (*Applied, error) {
	var s stored
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("decoding the applied objects: %w", err)
	}
	data, err := decompress(s.Objects)
	if err != nil {
		return nil, fmt.Errorf("decoding the applied objects: %w", err)
	}
	a := &Applied{Late: s.Late}
	if err := json.Unmarshal(data, &a.Objects); err != nil {
		return nil, fmt.Errorf("decoding the applied objects: %w", err)
	}
	return a, nil
}

// Find returns the object with a key, or nil.
func (a *Applied) Find(key string) *Object {
	if a == nil {
		return nil
	}
	for i := range a.Objects {
		if Key(a.Objects[i].ObjectReference) == key {
			return &a.Objects[i]
		}
	}
	return nil
}

// NewObject records an object as it is about to be applied.
func NewObject(u *unstructured.Unstructured, uid types.UID, task, template string) (Object, error) {
	digest, err := Digest(u.Object)
	if err != nil {
		return Object{}, err
	}
	o := Object{ObjectReference: Reference(u), Task: task, Template: template, Digest: digest}
	o.UID = uid
	if u.GroupVersionKind().GroupKind() == (schema.GroupKind{Kind: "Secret"}) {
		return o, nil
	}
	if o.Content, err = json.Marshal(u.Object); err != nil {
		return Object{}, fmt.Errorf("encoding %s: %w", Key(o.ObjectReference), err)
	}
	return o, nil
}

// Change is what a run did to the content at rest.
type Change struct {
	// Applied are the objects of the apply tasks that ran, in order.
	Applied []Object
	// Tasks that ran to their end: what they no longer list is not wanted any more.
	Tasks []string
	// Deleted are the keys of objects that delete tasks removed.
	Deleted []string
	// Listing names the apply tasks of the program that render a template.
	Listing func(template string) []string
	// Retained says whether an object outlives: it is never removed by itself.
	Retained func(v1alpha1.ObjectReference) bool
}

func (c Change) skipped(task string) bool { return !slices.Contains(c.Tasks, task) }

// Merge returns the content at rest after a run, and the objects that nothing
// renders any more in the order in which they are to be removed. An object goes
// only if every task that renders its template ran and did not list it; with no such
// task left, it goes too. A skipped task keeps what it had.
func Merge(previous *Applied, c Change) (next *Applied, prune []Object) {
	next = &Applied{}
	listed := map[string]int{}
	add := func(o Object) {
		if i, ok := listed[Key(o.ObjectReference)]; ok {
			if o.UID == "" {
				o.UID = next.Objects[i].UID
			}
			next.Objects[i] = o
			return
		}
		listed[Key(o.ObjectReference)] = len(next.Objects)
		next.Objects = append(next.Objects, o)
	}
	again := map[string]bool{}
	for _, o := range c.Applied {
		again[Key(o.ObjectReference)] = true
	}
	if previous != nil {
		for _, o := range previous.Objects {
			key := Key(o.ObjectReference)
			switch {
			case again[key]:
				add(o)
			case slices.Contains(c.Deleted, key):
			case slices.ContainsFunc(c.Listing(o.Template), c.skipped):
				add(o)
			case c.Retained(o.ObjectReference):
				o.Fields = nil // nothing lists it any more, so nothing puts it back
				add(o)
			default:
				prune = append(prune, o)
			}
		}
	}
	for _, o := range c.Applied {
		if !slices.Contains(c.Deleted, Key(o.ObjectReference)) {
			add(o)
		}
	}
	slices.Reverse(prune)
	return next, prune
}
