// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package validation holds the rules about Kudo's own kinds that the schema can
// not express. The webhooks, the controllers and the tools apply the same ones.
package validation

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

var specPath = field.NewPath("spec")

// FrameworkVersion checks a version, and against its stored self if there is one.
func FrameworkVersion(fwv, old *v1alpha1.FrameworkVersion, versions *graph.Cache) field.ErrorList {
	if errs := size(fwv); len(errs) > 0 {
		return errs
	}
	if old != nil && !old.Spec.Development && !equality.Semantic.DeepEqual(old.Spec, fwv.Spec) {
		return field.ErrorList{field.Forbidden(specPath,
			"this version is sealed: what was reviewed is what runs. Create another FrameworkVersion, with a higher spec.version")}
	}
	if old != nil && equality.Semantic.DeepEqual(old.Spec, fwv.Spec) {
		return nil // metadata only: what is stored already must stay writable
	}
	_, errs := versions.Compile(&fwv.Spec)
	return errs
}

// size refuses what the API server would answer with an opaque error.
func size(fwv *v1alpha1.FrameworkVersion) field.ErrorList {
	raw, err := json.Marshal(fwv.Spec)
	if err != nil {
		return field.ErrorList{field.InternalError(specPath, err)}
	}
	if len(raw) <= revision.MaxSize {
		return nil
	}
	return field.ErrorList{field.Invalid(specPath, field.OmitValueType{},
		fmt.Sprintf("takes %d bytes, more than the %d that can be stored: make the templates smaller", len(raw), revision.MaxSize))}
}
