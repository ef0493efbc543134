// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package practice fills in what templates leave open and what is safe to fill in, by
// profiles. A version pins one, and what a profile does never changes: so an upgrade of
// Kudo restarts nobody's pods. What is to be better goes into a profile of another name.
package practice

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The profiles.
const (
	// None fills in nothing.
	None = "none"
	// V1 fills in what restricts a pod without changing what most software sees: see
	// docs/spec/practice.md.
	V1 = "v1"
)

// Names are those of all profiles.
func Names() []string { return []string{None, V1} }

// Known says whether there is a profile; no name is None.
func Known(profile string) bool { return profile == "" || slices.Contains(Names(), profile) }

// podAt says where kinds hold the spec of their pods.
var podAt = map[schema.GroupKind][]string{
	{Kind: "Pod"}:                        {"spec"},
	{Group: "apps", Kind: "Deployment"}:  {"spec", "template", "spec"},
	{Group: "apps", Kind: "StatefulSet"}: {"spec", "template", "spec"},
	{Group: "apps", Kind: "DaemonSet"}:   {"spec", "template", "spec"},
	{Group: "batch", Kind: "Job"}:        {"spec", "template", "spec"},
	{Group: "batch", Kind: "CronJob"}:    {"spec", "jobTemplate", "spec", "template", "spec"},
}

// Apply fills in what a profile says and the objects leave open. It depends on nothing but
// the objects themselves, and never on how many pods there are: scaling restarts none.
func Apply(profile string, objects []*unstructured.Unstructured) {
	if profile != V1 {
		return
	}
	for _, o := range objects {
		at, known := podAt[o.GroupVersionKind().GroupKind()]
		pod := dig(o.Object, at...)
		if !known || pod == nil {
			continue
		}
		confine(pod)
		spread(o, pod)
	}
}

// dig follows a path of maps; nil where it ends early.
func dig(m map[string]any, path ...string) map[string]any {
	for _, key := range path {
		next, ok := m[key].(map[string]any)
		if !ok {
			return nil
		}
		m = next
	}
	return m
}

// fill sets a value that is not there, in a map that is made where it is missing. A value
// that is there, or something that is no map, is left for the API server to judge.
func fill(m map[string]any, value any, path ...string) {
	last := len(path) - 1
	for _, key := range path[:last] {
		if _, there := m[key]; !there {
			m[key] = map[string]any{}
		}
		next, ok := m[key].(map[string]any)
		if !ok {
			return
		}
		m = next
	}
	if _, there := m[path[last]]; !there {
		m[path[last]] = value
	}
}

// confine takes from a pod what its software was not asked to have.
func confine(pod map[string]any) {
	// A pod of Windows refuses both.
	if os := dig(pod, "os"); os != nil && os["name"] == "windows" {
		return
	}
	fill(pod, "RuntimeDefault", "securityContext", "seccompProfile", "type")
	for _, list := range []string{"initContainers", "containers"} {
		containers, _ := pod[list].([]any)
		for _, c := range containers {
			if container, ok := c.(map[string]any); ok && !powerful(container) {
				fill(container, false, "securityContext", "allowPrivilegeEscalation")
			}
		}
	}
	if _, named := pod["serviceAccountName"]; !named {
		fill(pod, false, "automountServiceAccountToken")
	}
}

// powerful says whether the API server would refuse to forbid a container more power: it
// has all of it.
func powerful(container map[string]any) bool {
	context := dig(container, "securityContext")
	if context["privileged"] == true {
		return true
	}
	added, _ := dig(context, "capabilities")["add"].([]any)
	return slices.ContainsFunc(added, func(c any) bool { return c == "SYS_ADMIN" || c == "CAP_SYS_ADMIN" || c == "ALL" })
}

// spread asks the scheduler to keep the pods of a workload apart where it can.
func spread(o *unstructured.Unstructured, pod map[string]any) {
	if kind := o.GetKind(); kind != "Deployment" && kind != "StatefulSet" {
		return
	}
	selector := dig(o.Object, "spec", "selector")
	if dig(pod, "affinity", "podAntiAffinity") != nil || selector == nil {
		return
	}
	fill(pod, []any{map[string]any{
		"maxSkew": int64(1), "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
		"labelSelector": (&unstructured.Unstructured{Object: selector}).DeepCopy().Object,
	}}, "topologySpreadConstraints")
}
