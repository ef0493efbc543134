// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Cases 43 and 44, and the fields that are not supported yet.
func TestInstance(t *testing.T) {
	v := compiled(t)
	with := func(change func(*v1alpha1.InstanceSpec), pairs ...string) *v1alpha1.Instance {
		inst := instance(pairs...)
		change(&inst.Spec)
		return inst
	}
	running := func(inst *v1alpha1.Instance, version string) *v1alpha1.Instance {
		inst.Status.Version = version
		return inst
	}
	older := func(version, status string) *v1alpha1.Instance {
		return running(with(func(s *v1alpha1.InstanceSpec) { s.Version = version }), status)
	}
	tests := map[string]struct {
		inst, old *v1alpha1.Instance
		want      []string
	}{
		"good":                  {inst: instance("size", "5")},
		"43 unknown parameter":  {inst: instance("siez", "5"), want: []string{`spec.parameters.siez: Invalid value: this version has no such parameter; did you mean "size"?`}},
		"43 wrong type":         {inst: instance("size", `"5"`), want: []string{`spec.parameters.size: Invalid value: "5": must be an integer`}},
		"43 out of range":       {inst: instance("size", "8"), want: []string{"spec.parameters.size: Invalid value: 8: must be at most 7"}},
		"43 out of enum":        {inst: instance("zone", `"c"`), want: []string{`spec.parameters.zone: Invalid value: "c": must be one of`}},
		"43 null":               {inst: instance("size", "null"), want: []string{"spec.parameters.size"}},
		"43 required missing":   {inst: with(func(s *v1alpha1.InstanceSpec) { s.Parameters = nil }), want: []string{"spec.parameters.zone: Required value: this parameter has no default"}},
		"43 rule":               {inst: instance("size", "4"), want: []string{"spec.parameters: Invalid value: four is no quorum"}},
		"43 rule over old":      {inst: instance("size", "2"), old: instance("size", "5"), want: []string{"spec.parameters: Invalid value: it does not shrink"}},
		"43 immutable changed":  {inst: instance("disk", `"hdd"`), old: instance(), want: []string{`spec.parameters.disk: Invalid value: "hdd": is immutable: it must stay`}},
		"43 immutable restated": {inst: instance("disk", `"ssd"`), old: instance()},
		"44 upgrade that is declared": {
			inst: running(instance(), "1.9.4"), old: older("1.9.4", "1.9.4"),
		},
		"44 upgrade that is not": {
			inst: running(instance(), "1.8.0"), old: older("1.8.0", "1.8.0"),
			want: []string{`spec.version: Invalid value: "2.0.0": version 2.0.0 can not be reached from 1.8.0: it is upgradable from ~1.9.0`},
		},
		"44 back to what runs":        {inst: running(instance(), "2.0.0"), old: older("3.0.0", "2.0.0")},
		"44 nothing was deployed yet": {inst: instance(), old: older("1.0.0", "")},
		"44 stored before the rule":   {inst: running(instance("size", "5"), "1.8.0"), old: running(instance(), "1.8.0")},
		"drift policy":                {inst: with(func(s *v1alpha1.InstanceSpec) { s.DriftPolicy = v1alpha1.DriftCorrect })},
		"drift ignored":               {inst: with(func(s *v1alpha1.InstanceSpec) { s.DriftPolicy = v1alpha1.DriftIgnore })},
		"ignored fields": {
			inst: with(func(s *v1alpha1.InstanceSpec) {
				s.IgnoreFields = []v1alpha1.IgnoreField{{Kind: "Pod", Path: "/spec/a~1b/0"}, {Kind: "Pod", Path: "spec"}, {Kind: "Pod", Path: "/spec/"}, {Kind: "Pod", Path: "/metadata/labels"}}
			}),
			want: []string{
				`spec.ignoreFields[1].path: Invalid value: "spec": must be a JSON pointer`, `spec.ignoreFields[2].path: Invalid value`,
				"spec.ignoreFields[3].path: Forbidden: Kudo knows its objects by this field",
			},
		},
		"content change":   {inst: with(func(s *v1alpha1.InstanceSpec) { s.OnContentChange = "update" }), want: []string{`spec.onContentChange: Invalid value: "update": there is no such plan, and it is not "Ignore"`}},
		"content deployed": {inst: with(func(s *v1alpha1.InstanceSpec) { s.OnContentChange = "deploy" })},
		"content ignored":  {inst: with(func(s *v1alpha1.InstanceSpec) { s.OnContentChange = "Ignore" })},
		"deletion policy":  {inst: with(func(s *v1alpha1.InstanceSpec) { s.DeletionPolicy = v1alpha1.DeletionDelete }), want: []string{"spec.deletionPolicy: Forbidden: not yet supported"}},
		"data retained":    {inst: with(func(s *v1alpha1.InstanceSpec) { s.DeletionPolicy = v1alpha1.DeletionRetain })},
		"52 cleanup time-out of 0": {
			inst: with(func(s *v1alpha1.InstanceSpec) { s.CleanupTimeout = &metav1.Duration{} }),
			want: []string{`spec.cleanupTimeout: Invalid value: "0s": must be more than 0`},
		},
		"52 negative cleanup time-out": {
			inst: with(func(s *v1alpha1.InstanceSpec) { s.CleanupTimeout = &metav1.Duration{Duration: -time.Hour} }),
			want: []string{"spec.cleanupTimeout"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			wantErrors(t, Instance(tc.inst, tc.old, v), tc.want...)
		})
	}
}

// References may come late: what can be said without the version is said.
func TestInstanceWithoutItsVersion(t *testing.T) {
	wantErrors(t, Instance(instance("siez", "5"), nil, nil))
	inst := instance("size", `"`+strings.Repeat("x", 262_144)+`"`)
	inst.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	wantErrors(t, Instance(inst, nil, nil), "spec.deletionPolicy", "more than the 262144 that an Instance may have")
}

func TestPlanExecution(t *testing.T) {
	v := compiled(t)
	run := func(plan string, actions ...string) *v1alpha1.PlanExecution {
		pe := &v1alpha1.PlanExecution{Spec: v1alpha1.PlanExecutionSpec{Instance: "a", Plan: plan}}
		for _, a := range actions {
			pe.Spec.Requests = append(pe.Spec.Requests, v1alpha1.Request{ID: a, Action: a})
		}
		return pe
	}
	wantErrors(t, PlanExecution(run("deploy", "retry"), false, v))
	wantErrors(t, PlanExecution(run("backup"), false, nil))
	wantErrors(t, PlanExecution(run("deplyo"), false, v), `spec.plan: Invalid value: "deplyo": version 2.0.0 of framework app has no such plan; did you mean "deploy"?`)
	wantErrors(t, PlanExecution(run("rollback", "retry", "pause", "skip"), false, v))
	wantErrors(t, PlanExecution(run("cleanup"), false, nil), "spec.plan: Forbidden: cleanup runs when the Instance is deleted")
	wantErrors(t, PlanExecution(run("cleanup"), true, nil))
	pe := run("deploy")
	pe.Spec.Parameters = instance().Spec.Parameters
	wantErrors(t, PlanExecution(pe, false, v), "spec.parameters: Forbidden: not yet supported")
}
