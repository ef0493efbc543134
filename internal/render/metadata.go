// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Metadata is what Kudo puts on every object of an instance.
type Metadata struct {
	Labels      map[string]string
	Annotations map[string]string
}

const (
	reservedDomain = "kudo.dev"
	managedByLabel = "app.kubernetes.io/managed-by"
)

// reserved says whether a label or annotation is Kudo's to set.
func reserved(key string) bool {
	domain, _, found := strings.Cut(key, "/")
	if !found {
		return false
	}
	return domain == reservedDomain || strings.HasSuffix(domain, "."+reservedDomain) || key == managedByLabel
}

// Decorate adds the metadata to the objects themselves, and to nothing inside
// them: pod templates and selectors must not vary. Where a template has set a
// recommended label itself, its choice stays; a reserved key with another value
// is an error.
func Decorate(objs []*unstructured.Unstructured, m Metadata) error {
	var errs []error
	for _, obj := range objs {
		labels, labelErrs := decorated(obj, "metadata.labels", obj.GetLabels(), m.Labels)
		annotations, annotationErrs := decorated(obj, "metadata.annotations", obj.GetAnnotations(), m.Annotations)
		errs = append(append(errs, labelErrs...), annotationErrs...)
		if len(labels) > 0 {
			obj.SetLabels(labels)
		}
		if len(annotations) > 0 {
			obj.SetAnnotations(annotations)
		}
	}
	return errors.Join(errs...)
}

func decorated(obj *unstructured.Unstructured, field string, own, ours map[string]string) (map[string]string, []error) {
	out := map[string]string{}
	maps.Copy(out, ours)
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(own)) {
		value := own[key]
		if reserved(key) && ours[key] != value {
			errs = append(errs, reservedError(obj, field, key))
			continue
		}
		out[key] = value
	}
	return out, errs
}

func reservedError(obj *unstructured.Unstructured, field, key string) *Error {
	return &Error{Reason: ReasonForbidden, Object: title(obj), Field: field, Msg: clip(key) + " is set by Kudo and may not be set by a template", Hint: "remove it"}
}
