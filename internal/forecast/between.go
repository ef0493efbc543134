// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
)

// Side is a version with parameters.
type Side struct {
	Version *graph.Version
	Params  params.Values
}

// Resolve is a version with the parameters that an Instance would set, by the rules by
// which it would be refused.
func Resolve(version *graph.Version, set map[string]apiextensionsv1.JSON) (*Side, error) {
	at := field.NewPath("parameters")
	if errs := version.Params.Validate(set, at); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	resolved, err := version.Params.Resolve(set)
	if err != nil {
		return nil, fmt.Errorf("resolving the parameters: %w", err)
	}
	if errs := version.Validate(resolved, nil, at); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return &Side{Version: version, Params: resolved}, nil
}

// Between is a run of a plan on the way from one side, or from nothing, to another, without
// a cluster. An empty plan is the one that the engine would choose.
func Between(old, now *Side, plan string, id graph.Identity) Subject {
	in := now.Version.SampleInputs(now.Params)
	desired := engine.Desired{
		Version: now.Version.Spec.Version, Digest: "new",
		Plans: now.Version.PlanNames, Triggers: now.Version.Triggers,
	}
	facts := engine.InstanceFacts{Desired: &desired}
	if old != nil {
		in.Old = revision.Values(old.Params)
		in.OldVersion = &revision.VersionName{Name: old.Version.Spec.Version, App: old.Version.Spec.AppVersion}
		changed := now.Version.Params.Changed(old.Params, now.Params)
		for _, name := range now.Version.Params.Names() {
			if changed[name] {
				in.Changed = append(in.Changed, name)
			}
		}
		desired.Changed = in.Changed
		facts.Completed = &engine.Run{
			Version: old.Version.Spec.Version, Desired: "old", Deployed: true,
			State: v1alpha1.RunSucceeded, Plan: v1alpha1.PlanDeploy,
		}
	}
	if in.Plan = plan; plan == "" {
		in.Plan = v1alpha1.PlanDeploy
		if c := engine.Choose(facts); c.Start != nil {
			in.Plan = c.Start.Plan
		}
	}
	return Subject{Version: now.Version, Inputs: in, Identity: id}
}
