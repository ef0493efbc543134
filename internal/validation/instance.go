// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/params"
)

// Instance checks an Instance against its version, if that exists, and against its
// stored self, if there is one.
func Instance(inst, old *v1alpha1.Instance, version *graph.Version) field.ErrorList {
	errs := unsupported(inst)
	errs = append(errs, parameterSize(inst)...)
	errs = append(errs, ignoreFields(inst)...)
	if t := inst.Spec.CleanupTimeout; t != nil && t.Duration <= 0 {
		errs = append(errs, field.Invalid(specPath.Child("cleanupTimeout"), t.Duration.String(), "must be more than 0"))
	}
	if version == nil {
		return errs
	}
	if err := version.ValidateContentChange(inst.Spec.OnContentChange, specPath.Child("onContentChange")); err != nil {
		errs = append(errs, err)
	}
	path := specPath.Child("parameters")
	errs = append(errs, version.Params.Validate(inst.Spec.Parameters, path)...)
	if len(errs) > 0 {
		return errs
	}
	var before params.Values
	if old != nil {
		errs = append(errs, version.Params.ValidateUpdate(old.Spec.Parameters, inst.Spec.Parameters, path)...)
		errs = append(errs, upgrade(inst, old, version)...)
		before, _, _ = version.Desired(old.Spec.Parameters) // not valid under this version: nothing to compare
	}
	values, _, err := version.Desired(inst.Spec.Parameters)
	if err != nil {
		return append(errs, field.Invalid(path, field.OmitValueType{}, err.Error()))
	}
	return append(errs, version.Validate(values, before, path)...)
}

// upgrade checks the way from the version that the Instance runs. Back to that one is
// always allowed.
func upgrade(inst, old *v1alpha1.Instance, version *graph.Version) field.ErrorList {
	from := inst.Status.Version
	if old.Spec.Version == inst.Spec.Version || from == "" || from == inst.Spec.Version {
		return nil
	}
	if err := version.UpgradableFrom(from); err != nil {
		return field.ErrorList{field.Invalid(specPath.Child("version"), inst.Spec.Version, err.Error())}
	}
	return nil
}

func unsupported(inst *v1alpha1.Instance) field.ErrorList {
	if inst.Spec.DeletionPolicy != v1alpha1.DeletionDelete {
		return nil
	}
	return field.ErrorList{field.Forbidden(specPath.Child("deletionPolicy"), graph.NotYetSupported)}
}

func parameterSize(inst *v1alpha1.Instance) field.ErrorList {
	raw, err := json.Marshal(inst.Spec.Parameters)
	if err != nil {
		return field.ErrorList{field.InternalError(specPath.Child("parameters"), err)}
	}
	if len(raw) <= params.MaxBytes {
		return nil
	}
	return field.ErrorList{field.Invalid(specPath.Child("parameters"), field.OmitValueType{},
		fmt.Sprintf("take %d bytes, more than the %d that an Instance may have", len(raw), params.MaxBytes))}
}

// PlanExecution checks an execution against the version of its Instance, if that exists;
// deleting says that the Instance is being deleted.
func PlanExecution(pe *v1alpha1.PlanExecution, deleting bool, version *graph.Version) field.ErrorList {
	var errs field.ErrorList
	if pe.Spec.Plan == v1alpha1.PlanCleanup && !deleting {
		errs = append(errs, field.Forbidden(specPath.Child("plan"), "cleanup runs when the Instance is deleted: delete the Instance"))
	}
	if len(pe.Spec.Parameters) > 0 {
		errs = append(errs, field.Forbidden(specPath.Child("parameters"), graph.NotYetSupported))
	}
	if version != nil && version.Plan(pe.Spec.Plan) == nil {
		errs = append(errs, field.Invalid(specPath.Child("plan"), pe.Spec.Plan, fmt.Sprintf("version %s of framework %s has no such plan%s",
			version.Spec.Version, version.Spec.Framework, params.Hint(pe.Spec.Plan, version.PlanNames))))
	}
	return errs
}
