// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
	"kudo.dev/kudo/internal/validation"
)

// Asked is what a run is of.
type Asked struct{ Plan, Trigger string }

// Inputs are those of a run that takes an Instance from what it was at rest to what it
// wants; desired and its digest are what graph.Version.Desired says.
func (b *Baseline) Inputs(inst *v1alpha1.Instance, version *graph.Version, desired params.Values, digest string, run Asked) *revision.Inputs {
	in := &revision.Inputs{
		Framework: inst.Spec.Framework, FrameworkVersion: inst.Spec.Framework + "-" + inst.Spec.Version, Digest: version.Digest,
		Version: revision.VersionName{Name: version.Spec.Version, App: version.Spec.AppVersion},
		Desired: digest, Plan: run.Plan, Trigger: run.Trigger, Generation: inst.Generation,
		Account: inst.Spec.ServiceAccountName, Labels: Labels(inst), Params: revision.Values(desired), Previous: b.Previous,
		Base: b.Base(), Deployed: run.Plan == v1alpha1.PlanDeploy || b.Whole(),
	}
	in.Name = inst.Annotations[v1alpha1.AnnotationTypedName]
	if b.Completed != nil {
		in.Name = b.Completed.Name // the names of its objects derive from it: it stays
		in.Old, in.OldVersion = b.Completed.Params, &b.Completed.Version
		in.Changed = b.Changed(version.Params, desired)
		in.Params = overlay(version, run.Plan, in)
		in.Changed = slices.DeleteFunc(in.Changed, func(name string) bool {
			return !b.Touched[name] && !version.Params.Changed(params.Values(in.Old), params.Values(in.Params))[name]
		})
	}
	return in
}

// Unfit says why an Instance can not be rolled out from where it stands; the reason is that
// of its condition.
type Unfit struct{ Reason, Message string }

// Judge applies the rules of the webhook, and those about what was at rest before. It returns
// the resolved parameters and the digest of what is wanted.
func (b *Baseline) Judge(inst *v1alpha1.Instance, version *graph.Version) (params.Values, string, *Unfit) {
	path := field.NewPath("spec", "parameters")
	wrong := func(err error) (params.Values, string, *Unfit) {
		return nil, "", &Unfit{Reason: v1alpha1.ReasonParametersInvalid, Message: err.Error()}
	}
	if errs := validation.Instance(inst, nil, version); len(errs) > 0 {
		return wrong(errs.ToAggregate())
	}
	values, digest, err := version.Desired(inst.Spec.Parameters)
	if err != nil {
		return wrong(err)
	}
	if b.Completed == nil {
		return values, digest, nil
	}
	old, runs := params.Values(b.Completed.Params), b.Completed.Version.Name
	if errs := version.Params.ValidateChange(old, values, path); len(errs) > 0 {
		return wrong(errs.ToAggregate())
	}
	if err := version.UpgradableFrom(runs); err != nil && runs != version.Spec.Version {
		return nil, "", &Unfit{Reason: v1alpha1.ReasonNotUpgradable, Message: err.Error()}
	}
	if old == nil {
		return values, digest, nil
	}
	if errs := version.Validate(values, old, path); len(errs) > 0 {
		return wrong(errs.ToAggregate())
	}
	return values, digest, nil
}

// Desired is what an Instance wants, as the engine sees it, without what its pods consume.
func (b *Baseline) Desired(inst *v1alpha1.Instance, version *graph.Version, values params.Values, digest string) *engine.Desired {
	return &engine.Desired{
		Digest: digest, Version: version.Spec.Version, Account: inst.Spec.ServiceAccountName,
		Generation: strconv.FormatInt(inst.Generation, 10), Plans: version.PlanNames,
		Changed: b.Changed(version.Params, values), Triggers: version.Triggers, Shared: version.Shared(),
	}
}

// Cleanup are the inputs of a run about what was last completed: a cleanup, a repair. The
// spec decides no more than as whom it runs.
func (b *Baseline) Cleanup(run Asked, inst *v1alpha1.Instance) *revision.Inputs {
	in := *b.Completed
	in.Plan, in.Trigger, in.Previous, in.Changed = run.Plan, run.Trigger, b.Previous, nil
	in.Generation, in.Account, in.Labels = inst.Generation, inst.Spec.ServiceAccountName, Labels(inst)
	in.Old, in.OldVersion = in.Params, &in.Version
	in.Base, in.Contents = b.Base(), b.Contents
	return &in
}

// overlay keeps the old values of the parameters that belong to another plan.
func overlay(v *graph.Version, plan string, in *revision.Inputs) revision.Values {
	owned := engine.OwnedBy(plan, engine.Desired{Plans: v.PlanNames, Changed: in.Changed, Triggers: v.Triggers}, true)
	out := revision.Values{}
	for name, value := range in.Params {
		if old, had := in.Old[name]; had && !owned(name) {
			value = old
		}
		out[name] = value
	}
	return out
}

// Base names the revisions of the last completed run; nil before the first.
func (b *Baseline) Base() *revision.Base {
	if b.Completed == nil || b.Execution == nil {
		return nil
	}
	return &revision.Base{Inputs: b.Execution.Inputs, Applied: b.Execution.Applied}
}

// Whole says whether a deploy had completed by the end of the last completed run.
func (b *Baseline) Whole() bool {
	in := b.Completed
	return in != nil && (in.Deployed || in.Plan == v1alpha1.PlanDeploy || in.Old != nil)
}

// Labels are the user's own labels, without those of Kudo and kubectl.
func Labels(inst *v1alpha1.Instance) map[string]string {
	out := map[string]string{}
	for k, v := range inst.Labels {
		if !strings.Contains(k, v1alpha1.GroupVersion.Group) {
			out[k] = v
		}
	}
	return out
}
