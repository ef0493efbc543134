// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/content"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

// Verb says what becomes of an object.
type Verb string

// The verbs.
const (
	Create Verb = "create"
	Update Verb = "update"
	Remove Verb = "remove"
	Keep   Verb = "keep"
)

// Change of an object at rest.
type Change struct {
	Verb Verb
	// Object as it will be; as it was, where it is removed.
	Object *unstructured.Unstructured
	// Restarts says that the pods of a workload are replaced.
	Restarts bool
	// Remade says that it is deleted and made again.
	Remade bool
	// Diff is a unified diff of the YAML, without the values of Secrets; empty where it is the same.
	Diff string
}

// AtRest is what a run leaves behind: what it applies last of every object, without what
// it deletes after that, and without jobs.
func (f *Forecast) AtRest() []*unstructured.Unstructured {
	var out []graph.Rendered
	drop := func(o graph.Rendered) {
		out = slices.DeleteFunc(out, func(x graph.Rendered) bool { return key(x.Object) == key(o.Object) })
	}
	for _, t := range f.Tasks {
		for _, o := range t.Objects {
			switch t.Kind {
			case engine.TaskApply:
				drop(o)
				out = append(out, o)
			case engine.TaskDelete:
				drop(o)
			case engine.TaskJob, engine.TaskWait, engine.TaskApprove, engine.TaskManual, engine.TaskRestore, engine.TaskRevert:
			}
		}
	}
	objects := make([]*unstructured.Unstructured, 0, len(out))
	for _, o := range out {
		objects = append(objects, o.Object)
	}
	return objects
}

func key(o *unstructured.Unstructured) string { return revision.Key(revision.Reference(o)) }

// Compare says what becomes of each object between two states at rest, those of the new
// one first, in their order.
func Compare(old, updated []*unstructured.Unstructured) ([]Change, error) {
	var out []Change
	was := map[string]*unstructured.Unstructured{}
	for _, o := range old {
		was[key(o)] = o
	}
	for _, o := range updated {
		before := was[key(o)]
		delete(was, key(o))
		c, err := compare(before, o)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	for _, o := range old {
		if was[key(o)] == nil {
			continue
		}
		c, err := compare(o, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func compare(old, updated *unstructured.Unstructured) (Change, error) {
	c := Change{Verb: Update, Object: updated}
	switch {
	case old == nil:
		c.Verb = Create
	case updated == nil:
		c.Verb, c.Object = Remove, old
	case equality.Semantic.DeepEqual(old.Object, updated.Object):
		c.Verb = Keep
		return c, nil
	default:
		c.Restarts = restarts(old, updated)
	}
	from, err := text(old)
	if err != nil {
		return c, err
	}
	to, err := text(updated)
	if err != nil {
		return c, err
	}
	c.Diff, err = unified(from, to)
	return c, err
}

// restarts says whether the pods of a workload are replaced: their template differs.
func restarts(old, updated *unstructured.Unstructured) bool {
	if !content.Restartable(updated.GroupVersionKind().GroupKind()) {
		return false
	}
	a, _, _ := unstructured.NestedFieldNoCopy(old.Object, "spec", "template")
	b, _, _ := unstructured.NestedFieldNoCopy(updated.Object, "spec", "template")
	return !equality.Semantic.DeepEqual(a, b)
}

// text is the YAML of an object, with digests in place of the values of a Secret.
func text(o *unstructured.Unstructured) (string, error) {
	if o == nil {
		return "", nil
	}
	if o.GetKind() == "Secret" && o.GetAPIVersion() == "v1" {
		o = o.DeepCopy()
		for _, part := range []string{"data", "stringData"} {
			values, _, _ := unstructured.NestedMap(o.Object, part)
			for name, value := range values {
				sum := sha256.Sum256(fmt.Append(nil, value))
				values[name] = "sha256:" + hex.EncodeToString(sum[:6])
			}
			if values != nil {
				o.Object[part] = values
			}
		}
	}
	raw, err := yaml.Marshal(o.Object)
	if err != nil {
		return "", fmt.Errorf("encoding %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return string(raw), nil
}

func unified(from, to string) (string, error) {
	const context = 3
	out, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: lines(from), B: lines(to), Context: context})
	if err != nil {
		return "", fmt.Errorf("comparing: %w", err)
	}
	return out, nil
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.SplitAfter(strings.TrimSuffix(text, "\n")+"\n", "\n")[:strings.Count(text, "\n")]
}
