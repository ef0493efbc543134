// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/content"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

// Rest is an Instance at rest, as its last completed run left it.
type Rest struct {
	// Applied is its content; nil before the first.
	Applied *revision.Applied
	// Content yields an object of it as it was sent, or nil where that can not be had: a Secret.
	Content func(*revision.Object) *unstructured.Unstructured
	// Outlives says whether objects of a kind are never removed by themselves.
	Outlives func(schema.GroupKind) bool
}

// Changes says what the run makes of an Instance at rest, by the rules by which the
// manager prunes: what nothing lists any more goes, what a skipped task lists stays.
func (f *Forecast) Changes(v *graph.Version, rest Rest) ([]Change, error) {
	did := revision.Change{
		Listing: v.Listing,
		Retained: func(ref v1alpha1.ObjectReference) bool {
			return rest.Outlives(schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind())
		},
	}
	sent, remade, err := f.collect(&did)
	if err != nil {
		return nil, err
	}
	next, pruned := revision.Merge(rest.Applied, did)
	out := make([]Change, 0, len(next.Objects)+len(pruned))
	for i := range next.Objects {
		o := &next.Objects[i]
		id := revision.Key(o.ObjectReference)
		c, err := rest.become(rest.Applied.Find(id), o, sent[id])
		if err != nil {
			return nil, err
		}
		if c.Remade = remade[id] && c.Verb != Create; c.Remade && c.Verb == Keep {
			c.Verb = Update // the same content, and another object
		}
		c.Restarts = c.Restarts || c.Remade && content.Restartable(c.Object.GroupVersionKind().GroupKind())
		out = append(out, c)
	}
	gone := pruned
	if rest.Applied != nil {
		for _, o := range rest.Applied.Objects {
			if id := revision.Key(o.ObjectReference); slices.Contains(did.Deleted, id) && next.Find(id) == nil {
				gone = append(gone, o)
			}
		}
	}
	for i := range gone {
		out = append(out, Change{Verb: Remove, Object: rest.known(&gone[i])})
	}
	return out, nil
}

// collect takes in what the tasks of the run do, and tells what is deleted and made again.
func (f *Forecast) collect(did *revision.Change) (sent map[string]*unstructured.Unstructured, remade map[string]bool, err error) {
	sent, remade = map[string]*unstructured.Unstructured{}, map[string]bool{}
	for _, t := range f.Tasks {
		switch t.Kind {
		case engine.TaskApply:
			did.Tasks = append(did.Tasks, t.Name)
			for _, o := range t.Objects {
				recorded, err := revision.NewObject(o.Object, "", t.Name, o.Template)
				if err != nil {
					return nil, nil, fmt.Errorf("recording %s %s: %w", o.Object.GetKind(), o.Object.GetName(), err)
				}
				id := key(o.Object)
				did.Applied = append(did.Applied, recorded)
				sent[id] = o.Object
				did.Deleted = slices.DeleteFunc(did.Deleted, func(k string) bool { return k == id })
			}
		case engine.TaskDelete:
			for _, o := range t.Objects {
				id := key(o.Object)
				did.Deleted = append(did.Deleted, id)
				did.Applied = slices.DeleteFunc(did.Applied, func(x revision.Object) bool { return revision.Key(x.ObjectReference) == id })
				remade[id] = true
			}
		case engine.TaskJob, engine.TaskWait, engine.TaskApprove, engine.TaskManual, engine.TaskRestore, engine.TaskRevert:
		}
	}
	return sent, remade, nil
}

// become compares an object with what it was. Where its content is not on record, digests say
// whether it differs.
func (r Rest) become(was, is *revision.Object, sent *unstructured.Unstructured) (Change, error) {
	switch {
	case sent == nil || was != nil && was.Digest == is.Digest:
		return Change{Verb: Keep, Object: r.known(is)}, nil
	case was == nil:
		return compare(nil, sent)
	}
	if before := r.Content(was); before != nil {
		return compare(before, sent)
	}
	return Change{Verb: Update, Object: sent}, nil
}

// known is an object of the record; where its content can not be had, what names it.
func (r Rest) known(o *revision.Object) *unstructured.Unstructured {
	if u := r.Content(o); u != nil {
		return u
	}
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(o.APIVersion)
	u.SetKind(o.Kind)
	u.SetNamespace(o.Namespace)
	u.SetName(o.Name)
	return u
}
