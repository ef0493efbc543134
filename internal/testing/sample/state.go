// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package sample

import (
	"maps"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// State is an object as Kudo leaves it, and what GitOps tools should make of it.
type State struct {
	// Name of the state.
	Name string
	// Kind of the object, and the object.
	Kind   string
	Object map[string]any
	// Argo is the health that Argo CD shows.
	Argo string
	// Flux is the status of kstatus; it follows from the conditions alone unless ByExpression.
	Flux         string
	ByExpression bool
}

// What tools say of an object.
const (
	healthy, progressing, suspended, degraded = "Healthy", "Progressing", "Suspended", "Degraded"
	current, inProgress, failed               = "Current", "InProgress", "Failed"
)

func conditions(of map[string]string, reason string) []any {
	var out []any
	for _, name := range []string{
		v1alpha1.ConditionReady, v1alpha1.ConditionSucceeded, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionPaused,
		v1alpha1.ConditionDrifted, v1alpha1.ConditionValid, v1alpha1.ConditionSealed, v1alpha1.ConditionFrameworkFound, v1alpha1.ConditionWaiting,
	} {
		if status, ok := of[name]; ok {
			out = append(out, map[string]any{"type": name, "status": status, "reason": reason, "message": "because of " + reason})
		}
	}
	return out
}

// object has generation 2, and its status describes the observed one.
func object(kind string, observed int64, of map[string]string, reason string, more map[string]any) map[string]any {
	status := map[string]any{"observedGeneration": observed}
	if len(of) > 0 {
		status["conditions"] = conditions(of, reason)
	}
	maps.Copy(status, more)
	api := v1alpha1.GroupVersion.String()
	if kind == typed {
		api = v1alpha1.TypedGroup + "/" + v1alpha1.TypedVersion
	}
	return map[string]any{
		"apiVersion": api, "kind": kind, "spec": map[string]any{}, "status": status,
		"metadata": map[string]any{"name": "one", "namespace": "prod", "generation": int64(2)},
	}
}

// typed is the generated kind of ZooKeeper.
const typed = "ZooKeeper"

// States are objects of all kinds in every state that Kudo knows.
func States() []State {
	out := append(instances(typed), instances("Instance")...)
	out = append(out, executions()...)
	return append(out, published()...)
}

type conds = map[string]string

func instances(kind string) []State {
	of := func(name string, c conds, reason, argo, flux string) State {
		return State{Name: name, Kind: kind, Object: object(kind, 2, c, reason, map[string]any{"instance": "zookeeper-one"}), Argo: argo, Flux: flux}
	}
	fresh := State{Name: "never seen", Kind: kind, Object: object(kind, -1, nil, "", nil), Argo: progressing, Flux: inProgress}
	behind := State{Name: "changed", Kind: kind, Object: object(kind, 1, conds{"Ready": "True"}, "Ready", nil), Argo: progressing, Flux: inProgress}
	deleting := of("being deleted", conds{"Ready": "False", "Reconciling": "True"}, "Deleting", progressing, inProgress)
	stuck := of("deletion stalled", conds{"Ready": "False", "Stalled": "True"}, "Deleting", degraded, failed)
	for _, s := range []State{deleting, stuck} {
		if meta, ok := s.Object["metadata"].(map[string]any); ok {
			meta["deletionTimestamp"] = "2026-01-02T03:04:05Z"
		}
		// To kstatus alone, what is being deleted is Terminating, whatever its conditions say.
	}
	deleting.ByExpression, stuck.ByExpression = true, true
	return []State{
		fresh, behind, deleting, stuck,
		of("ready", conds{"Ready": "True"}, "Ready", healthy, current),
		of("drifted", conds{"Ready": "True", "Drifted": "True"}, "ChangedByOthers", healthy, current),
		of("running", conds{"Ready": "False", "Reconciling": "True"}, "PlanRunning", progressing, inProgress),
		of("stalled", conds{"Ready": "False", "Stalled": "True"}, "PlanStalled", degraded, failed),
		of("failed", conds{"Ready": "False", "Stalled": "True"}, "PlanFailed", degraded, failed),
		of("rolled back", conds{"Ready": "False", "Stalled": "True"}, "RolledBack", degraded, failed),
		of("suspended at rest", conds{"Ready": "True"}, "Suspended", suspended, current),
		of("suspended before a plan", conds{"Ready": "False"}, "Suspended", suspended, inProgress),
		of("version missing", conds{"Ready": "False", "Reconciling": "True", "Waiting": "True"}, "VersionMissing", progressing, inProgress),
		of("parameters invalid", conds{"Ready": "False", "Stalled": "True"}, "ParametersInvalid", degraded, failed),
	}
}

func executions() []State {
	of := func(name string, c conds, state v1alpha1.RunState, reason, argo, flux string, more map[string]any) State {
		status := map[string]any{"state": string(state), "reason": reason}
		maps.Copy(status, more)
		return State{Name: name, Kind: "PlanExecution", Object: object("PlanExecution", 2, c, reason, status), Argo: argo, Flux: flux}
	}
	approval := map[string]any{"phases": []any{map[string]any{"name": "p", "steps": []any{
		map[string]any{"name": "s", "tasks": []any{map[string]any{"name": "approve", "state": "Running", "reason": "AwaitingApproval"}}},
	}}}}
	under := conds{"Succeeded": "Unknown", "Reconciling": "True"}
	return []State{
		{Name: "never seen", Kind: "PlanExecution", Object: object("PlanExecution", -1, nil, "", nil), Argo: progressing, Flux: inProgress},
		of("queued", conds{"Succeeded": "Unknown", "Reconciling": "True", "Waiting": "True"}, v1alpha1.RunPending, "Queued", progressing, inProgress, nil),
		of("running", under, v1alpha1.RunRunning, "Running", progressing, inProgress, nil),
		of("awaiting approval", under, v1alpha1.RunRunning, "AwaitingApproval", suspended, inProgress, approval),
		of("paused", conds{"Succeeded": "Unknown", "Reconciling": "True", "Paused": "True"}, v1alpha1.RunRunning, "Paused", suspended, inProgress, map[string]any{"paused": []any{"*"}}),
		of("stalled", conds{"Succeeded": "Unknown", "Stalled": "True"}, v1alpha1.RunStalled, "Timeout", degraded, failed, nil),
		of("succeeded", conds{"Succeeded": "True"}, v1alpha1.RunSucceeded, "Succeeded", healthy, current, nil),
		of("failed", conds{"Succeeded": "False", "Stalled": "True"}, v1alpha1.RunFailed, "PlanMissing", degraded, failed, nil),
		of("cancelled", conds{"Succeeded": "False", "Stalled": "True"}, v1alpha1.RunCancelled, "Cancelled", degraded, failed, nil),
	}
}

func published() []State {
	of := func(name, kind string, c conds, reason, argo, flux string) State {
		return State{Name: name, Kind: kind, Object: object(kind, 2, c, reason, nil), Argo: argo, Flux: flux}
	}
	invalid := of("invalid", "FrameworkVersion", conds{"Valid": "False", "FrameworkFound": "True", "Ready": "False"}, "Invalid", degraded, failed)
	invalid.ByExpression = true // it waits for another spec, so kstatus takes it for in progress
	return []State{
		of("ready", "Framework", conds{"Ready": "True"}, "Available", healthy, current),
		of("no versions", "Framework", conds{"Ready": "False"}, "NoVersions", progressing, inProgress),
		of("name taken", "Framework", conds{"Ready": "False", "Stalled": "True"}, "NameTaken", degraded, failed),
		{Name: "never seen", Kind: "Framework", Object: object("Framework", -1, nil, "", nil), Argo: progressing, Flux: inProgress},
		of("ready", "FrameworkVersion", conds{"Valid": "True", "FrameworkFound": "True", "Ready": "True"}, "Available", healthy, current),
		of("framework missing", "FrameworkVersion", conds{"Valid": "True", "FrameworkFound": "False", "Ready": "False"}, "FrameworkMissing", progressing, inProgress),
		invalid,
	}
}
