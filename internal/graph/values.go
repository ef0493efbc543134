// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"maps"

	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/expr"
	"kudo.dev/kudo/internal/render"
	"kudo.dev/kudo/internal/revision"
)

// Identity is the Instance that something is rendered for.
type Identity struct {
	Name, Namespace string
	UID             types.UID
}

// Run is the execution that something is rendered for. Templates of apply tasks do
// not see it: what they render must not vary by run.
type Run struct {
	ID      string
	Trigger string
	Attempt int32
}

// nameOf is the name that a person gave the running copy.
func nameOf(in *revision.Inputs, id Identity) string {
	if in.Name != "" {
		return in.Name
	}
	return id.Name
}

// changed is a map over all parameters, so that `changed.x` is false and not missing.
func (v *Version) changed(in *revision.Inputs) map[string]bool {
	out := make(map[string]bool, len(in.Params))
	for _, name := range v.Params.Names() {
		out[name] = false
	}
	for _, name := range in.Changed {
		out[name] = true
	}
	return out
}

// referred fills in the references to generated Secrets where an Instance sets none of its
// own. They follow from names alone, so they need not be stored.
func (v *Version) referred(values revision.Values, id Identity) map[string]any {
	out := maps.Clone(map[string]any(values))
	if out == nil {
		out = map[string]any{}
	}
	for name := range v.generated {
		if out[name] == nil {
			out[name] = map[string]any{"name": revision.SecretName(id.Name, name), "key": revision.SecretKey}
		}
	}
	return out
}

// Generated are the Secrets that must be there before an Instance with these parameters
// is rendered, by their names.
func (v *Version) Generated(in *revision.Inputs, id Identity) map[string]GeneratedSecret {
	out := map[string]GeneratedSecret{}
	for parameter, generate := range v.generated {
		if in.Params[parameter] == nil {
			out[revision.SecretName(id.Name, parameter)] = GeneratedSecret{Parameter: parameter, Generate: generate}
		}
	}
	return out
}

// GeneratedSecret says for which parameter a Secret is made, and how.
type GeneratedSecret struct {
	Parameter string
	Generate  v1alpha1.Generate
}

// Generates says whether any parameter is generated.
func (v *Version) Generates() bool { return len(v.generated) > 0 }

// templateValues are what templates see.
func (v *Version) templateValues(in *revision.Inputs, id Identity, run *Run) render.Values {
	values := render.Values{
		"Params":    v.referred(in.Params, id),
		"Changed":   anyMap(v.changed(in)),
		"Version":   map[string]any{"name": in.Version.Name, "app": in.Version.App},
		"Name":      nameOf(in, id),
		"Namespace": id.Namespace,
		"Labels":    anyMap(in.Labels),
		"Instance":  map[string]any{"Name": id.Name, "Namespace": id.Namespace, "UID": string(id.UID)},
	}
	if in.Old != nil {
		values["Old"] = v.referred(in.Old, id)
	}
	if in.OldVersion != nil {
		values["OldVersion"] = map[string]any{"name": in.OldVersion.Name, "app": in.OldVersion.App}
	}
	if run != nil {
		values["Run"] = map[string]any{"id": run.ID, "trigger": run.Trigger, "attempt": int64(run.Attempt)}
	}
	return values
}

func anyMap[V any](in map[string]V) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}

// vars are what expressions see.
func (v *Version) vars(in *revision.Inputs, id Identity, objects map[string]any) expr.Vars {
	vars := expr.Vars{
		Params:  v.referred(in.Params, id),
		Changed: v.changed(in),
		Version: expr.Version{Name: in.Version.Name, App: in.Version.App},
		Instance: map[string]any{
			"name": nameOf(in, id), "namespace": id.Namespace, "uid": string(id.UID),
			"generation": in.Generation, "deployed": in.Old != nil, "labels": anyMap(in.Labels),
		},
		Run:     map[string]any{"trigger": in.Trigger},
		Objects: objects,
	}
	if in.Old != nil {
		vars.OldParams = v.referred(in.Old, id)
	}
	if in.OldVersion != nil {
		vars.OldVersion = expr.Version{Name: in.OldVersion.Name, App: in.OldVersion.App}
	}
	return vars
}
