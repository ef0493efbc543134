// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// pointers are JSON pointers to something within an object (RFC 6901).
var pointers = regexp.MustCompile(`^(/([^/~]|~0|~1)+)+$`)

// ignoreFields checks the pointers, and that no field is ignored by which Kudo knows its
// own objects.
func ignoreFields(inst *v1alpha1.Instance) field.ErrorList {
	var errs field.ErrorList
	for i, f := range inst.Spec.IgnoreFields {
		path := specPath.Child("ignoreFields").Index(i).Child("path")
		switch {
		case !pointers.MatchString(f.Path):
			errs = append(errs, field.Invalid(path, f.Path, "must be a JSON pointer such as /spec/replicas"))
		case identity[f.Path]:
			errs = append(errs, field.Forbidden(path, "Kudo knows its objects by this field"))
		}
	}
	return errs
}

var identity = map[string]bool{
	"/apiVersion": true, "/kind": true, "/metadata": true, "/metadata/name": true, "/metadata/namespace": true,
	"/metadata/labels": true, "/metadata/labels/kudo.dev~1instance": true,
	"/metadata/annotations": true, "/metadata/annotations/kudo.dev~1owner": true, "/metadata/ownerReferences": true,
}
