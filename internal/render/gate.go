// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Gate refuses objects that an instance may not have, and says why for each. It
// moves nothing: its only change is to fill in the instance's namespace where a
// namespaced object names none.
func Gate(objs []*unstructured.Unstructured, p Policy) error {
	most := p.MaxObjects
	if most == 0 {
		most = DefaultLimits().Objects
	}
	if len(objs) > most {
		return limit("split the task", "the task has %d objects, more than %d", len(objs), most)
	}
	var errs []error
	seen := make(map[identity]bool, len(objs))
	for _, obj := range objs {
		if _, wrong := object(obj.Object); wrong != nil {
			errs = append(errs, wrong)
			continue
		}
		errs = append(errs, p.object(obj)...)
		if id := identityOf(obj); seen[id] {
			errs = append(errs, refused(obj, "", "rename or remove one of them", "stands twice in one task"))
		} else {
			seen[id] = true
		}
	}
	if err := p.size(objs); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (p *Policy) size(objs []*unstructured.Unstructured) error {
	most := p.MaxBytes
	if most == 0 {
		most = DefaultLimits().Output
	}
	total := 0
	for _, obj := range objs {
		b, err := json.Marshal(obj.Object)
		if err != nil {
			return refused(obj, "", "", "cannot be written as JSON")
		}
		if total += len(b); total > most {
			return limit("split the task", "the objects of the task are larger than %d kB together", most>>10)
		}
	}
	return nil
}

func refused(obj *unstructured.Unstructured, field, hint, format string, args ...any) *Error {
	return &Error{Reason: ReasonForbidden, Object: title(obj), Field: field, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

func (p *Policy) object(obj *unstructured.Unstructured) []error {
	var errs []error
	gk := obj.GroupVersionKind().GroupKind()
	if why := sensitive(gk); why != "" && !p.declares(gk) {
		errs = append(errs, refused(obj, "kind", "declare it in the FrameworkVersion if it must be", "%s is not allowed: %s", gk.String(), why))
	} else if err := p.place(obj); err != nil {
		errs = append(errs, err)
	}
	if most := longestName(gk); len(obj.GetName()) > most {
		errs = append(errs, refused(obj, "metadata.name", "shorten what stands beside the instance's name",
			"has %d characters, more than the %d that a %s may have", len(obj.GetName()), most, gk.Kind))
	}
	errs = append(errs, serverFields(obj)...)
	errs = append(errs, p.reservedKeys(obj)...)
	return errs
}

// longestName is how long a name of a kind may be so that names derived from it fit:
// of pods, and as the value of a label.
func longestName(gk schema.GroupKind) int {
	switch gk {
	case schema.GroupKind{Group: "batch", Kind: "CronJob"}:
		return 52
	case schema.GroupKind{Kind: "Service"}, schema.GroupKind{Group: "apps", Kind: "StatefulSet"}:
		return 63
	}
	return 253
}

// place checks scope and namespace.
func (p *Policy) place(obj *unstructured.Unstructured) error {
	gk := obj.GroupVersionKind().GroupKind()
	namespace := obj.GetNamespace()
	scope, strict := p.Scope, true
	if scope == nil {
		scope, strict = BuiltinScope, false
	}
	namespaced, known := scope(gk)
	switch {
	case !known && strict:
		return &Error{Reason: ReasonUnknownKind, Object: title(obj), Field: "kind", Msg: gk.String() + " is not known to the cluster", Hint: "install its CustomResourceDefinition first"}
	case known && !namespaced && namespace != "":
		return refused(obj, "metadata.namespace", "remove it", "%s is cluster-scoped and has no namespace", gk.String())
	case known && !namespaced && !p.declares(gk):
		return refused(obj, "kind", "declare it in the FrameworkVersion if it must be", "%s is cluster-scoped", gk.String())
	case namespace != "" && namespace != p.Namespace && !p.declaresNamespace(gk, namespace):
		return refused(obj, "metadata.namespace", "use {{ .Namespace }}, or declare the other namespace in the FrameworkVersion", "the object is in another namespace than the instance")
	case known && namespaced && namespace == "":
		obj.SetNamespace(p.Namespace)
	}
	return nil
}

// serverFields are those that the API server, the garbage collector or Kudo
// write; a template has no business there.
func serverFields(obj *unstructured.Unstructured) []error {
	var errs []error
	meta, _ := obj.Object["metadata"].(map[string]any)
	for _, f := range []struct{ name, msg string }{
		{"ownerReferences", "owners are set by Kudo"},
		{"managedFields", "is written by the API server"},
		{"uid", "is written by the API server"},
		{"resourceVersion", "is written by the API server"},
		{"generation", "is written by the API server"},
		{"creationTimestamp", "is written by the API server"},
		{"deletionTimestamp", "is written by the API server"},
		{"deletionGracePeriodSeconds", "is written by the API server"},
		{"selfLink", "is written by the API server"},
	} {
		if v, found := meta[f.name]; found && v != nil {
			errs = append(errs, refused(obj, "metadata."+f.name, "remove it", "%s", f.msg))
		}
	}
	if v, found := obj.Object["status"]; found && v != nil {
		errs = append(errs, refused(obj, "status", "remove it", "is written by controllers"))
	}
	return append(errs, finalizers(obj, meta)...)
}

func finalizers(obj *unstructured.Unstructured, meta map[string]any) []error {
	var errs []error
	list, _ := meta["finalizers"].([]any)
	for _, v := range list {
		name, _ := v.(string)
		if reserved(name) || name == "orphan" || name == "foregroundDeletion" || strings.HasPrefix(name, "kubernetes.io/") {
			errs = append(errs, refused(obj, "metadata.finalizers", "remove it", "%s is managed by Kudo or by Kubernetes", clip(name)))
		}
	}
	return errs
}

// reservedKeys finds labels and annotations of Kudo that Kudo did not set.
func (p *Policy) reservedKeys(obj *unstructured.Unstructured) []error {
	var errs []error
	meta, _ := obj.Object["metadata"].(map[string]any)
	errs = append(errs, reservedIn(obj, "metadata.labels", meta["labels"], p.Metadata.Labels)...)
	errs = append(errs, reservedIn(obj, "metadata.annotations", meta["annotations"], p.Metadata.Annotations)...)
	nested := podMetadata(obj)
	for _, path := range slices.Sorted(maps.Keys(nested)) {
		errs = append(errs, reservedIn(obj, path+".labels", nested[path]["labels"], p.Metadata.Labels)...)
		errs = append(errs, reservedIn(obj, path+".annotations", nested[path]["annotations"], p.Metadata.Annotations)...)
		for _, field := range []string{"ownerReferences", "finalizers"} {
			if v, found := nested[path][field]; found && v != nil {
				errs = append(errs, refused(obj, path+"."+field, "remove it", "is set by Kudo or by Kubernetes"))
			}
		}
	}
	return errs
}

func reservedIn(obj *unstructured.Unstructured, path string, v any, ours map[string]string) []error {
	var errs []error
	m, _ := v.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		value, isString := m[key].(string)
		own, set := ours[key]
		if reserved(key) && !(set && isString && own == value) {
			errs = append(errs, reservedError(obj, path, key))
		}
	}
	return errs
}
