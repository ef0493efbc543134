// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"maps"

	"k8s.io/apimachinery/pkg/types"

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

// templateValues are what templates see.
func (v *Version) templateValues(in *revision.Inputs, id Identity, run *Run) render.Values {
	values := render.Values{
		"Params":    map[string]any(in.Params),
		"Changed":   anyMap(v.changed(in)),
		"Version":   map[string]any{"name": in.Version.Name, "app": in.Version.App},
		"Name":      id.Name,
		"Namespace": id.Namespace,
		"Labels":    anyMap(in.Labels),
		"Instance":  map[string]any{"Name": id.Name, "Namespace": id.Namespace, "UID": string(id.UID)},
	}
	if in.Old != nil {
		values["Old"] = map[string]any(in.Old)
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
		Params:  maps.Clone(in.Params),
		Changed: v.changed(in),
		Version: expr.Version{Name: in.Version.Name, App: in.Version.App},
		Instance: map[string]any{
			"name": id.Name, "namespace": id.Namespace, "uid": string(id.UID),
			"generation": in.Generation, "deployed": in.Old != nil, "labels": anyMap(in.Labels),
		},
		Run:     map[string]any{"trigger": in.Trigger},
		Objects: objects,
	}
	if in.Old != nil {
		vars.OldParams = maps.Clone(in.Old)
	}
	if in.OldVersion != nil {
		vars.OldVersion = expr.Version{Name: in.OldVersion.Name, App: in.OldVersion.App}
	}
	return vars
}
