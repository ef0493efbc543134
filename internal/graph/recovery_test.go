// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// ring observes a StatefulSet, its pods and a ConfigMap, and has two rules.
func ring(t *testing.T, change func(*spec)) *spec {
	t.Helper()
	s := parse(t, app)
	s.Observe = []v1alpha1.Observation{
		{Name: "pods", APIVersion: "v1", Kind: "Pod", OwnedBy: "set"},
		{Name: "set", APIVersion: "apps/v1", Kind: "StatefulSet", ObjectName: "${instance.name}"},
		{Name: "flag", APIVersion: "v1", Kind: "ConfigMap", ObjectName: "flag"},
	}
	s.Recovery = []v1alpha1.RecoveryRule{
		{Name: "quorum-lost", When: "objects.pods.filter(p, p.ready()).size() <= params.size / 2", Plan: "deploy", For: duration(time.Minute), Preempt: true},
		{Name: "flagged", When: `objects.flag.data.broken == "yes"`, Plan: "deploy", Limit: &v1alpha1.RecoveryLimit{Attempts: 1, Window: metav1.Duration{Duration: time.Hour}}},
	}
	if change != nil {
		change(s)
	}
	return s
}

func TestRecoveryRules(t *testing.T) {
	v := mustCompile(t, ring(t, nil))
	if diff := cmp.Diff(v1alpha1.RecoveryLimit{Attempts: 3, Window: metav1.Duration{Duration: time.Hour}}, *v.Recovery[0].Spec.Limit); diff != "" {
		t.Errorf("limit (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"flag", "set", "pods"}, v.RecoverySees(false)); diff != "" {
		t.Errorf("all rules see (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"set", "pods"}, v.RecoverySees(true)); diff != "" {
		t.Errorf("those that preempt see (-want +got):\n%s", diff)
	}
	var kinds []string
	for _, gvk := range v.Watched() {
		kinds = append(kinds, gvk.Kind)
	}
	if diff := cmp.Diff([]string{"ConfigMap", "StatefulSet", "Pod"}, kinds); diff != "" {
		t.Errorf("kinds to watch (-want +got):\n%s", diff)
	}
	in := v.SampleInputs(map[string]any{"size": int64(3), "mode": "fast"})
	pod := map[string]any{"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}}
	for name, tc := range map[string]struct {
		rule    int
		objects map[string]any
		want    bool
	}{
		"holds":                     {0, map[string]any{"pods": []any{pod}}, true},
		"does not":                  {0, map[string]any{"pods": []any{pod, pod}}, false},
		"what could not be read":    {0, map[string]any{}, false},
		"an object that is missing": {1, map[string]any{"flag": nil}, false},
		"a field that is missing":   {1, map[string]any{"flag": map[string]any{"data": map[string]any{}}}, false},
		"a field that says so":      {1, map[string]any{"flag": map[string]any{"data": map[string]any{"broken": "yes"}}}, true},
	} {
		got, err := v.Broken(&v.Recovery[tc.rule], in, front, tc.objects)
		if err != nil || got != tc.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestRecoveryRulesThatAreWrong(t *testing.T) {
	tests := map[string]func(*spec){
		"spec.recovery[0].name: Invalid value":            func(s *spec) { s.Recovery[0].Name = "Quorum lost" },
		"spec.recovery[1].name: Duplicate value":          func(s *spec) { s.Recovery[1].Name = "quorum-lost" },
		`there is no such plan; did you mean "deploy"?`:   func(s *spec) { s.Recovery[0].Plan = "deplyo" },
		"cleanup runs on deletion only":                   func(s *spec) { s.Recovery[0].Plan = "cleanup" },
		"recovery[0].plan: Invalid value: \"rollback\"":   func(s *spec) { s.Recovery[0].Plan = "rollback" },
		"names nothing of objects":                        func(s *spec) { s.Recovery[0].When = "params.size > 3" },
		"spec.recovery[0].when: Invalid value":            func(s *spec) { s.Recovery[0].When = "objects.podz.size() > 3" },
		"recovery[0].for: Invalid value: \"-1s\"":         func(s *spec) { s.Recovery[0].For = duration(-time.Second) },
		"recovery[1].limit.attempts: Invalid value: 21":   func(s *spec) { s.Recovery[1].Limit.Attempts = 21 },
		"recovery[1].limit.window: Invalid value: \"0s\"": func(s *spec) { s.Recovery[1].Limit.Window = metav1.Duration{} },
		"a plan that runs beside others repairs nothing": func(s *spec) {
			s.Plans = append(s.Plans, v1alpha1.Plan{Name: "backup", Concurrency: v1alpha1.Shared, Phases: []v1alpha1.Phase{{
				Name: "main", Steps: []v1alpha1.Step{{Name: "work", Tasks: []v1alpha1.StepTask{{Task: "work"}}}},
			}}})
			s.Recovery[0].Plan = "backup"
		},
	}
	for sentence, change := range tests {
		t.Run(sentence, func(t *testing.T) {
			_, errs := Compile(ring(t, change))
			wantErrors(t, errs, sentence)
		})
	}
}

// A limit that is not written down is stored, and stays what it was under another build.
func TestTheLimitOfARuleIsStored(t *testing.T) {
	s := ring(t, nil)
	Default(s, nil)
	if s.Recovery[0].Limit == nil || s.Recovery[0].Limit.Attempts != 3 || s.Recovery[1].Limit.Attempts != 1 {
		t.Errorf("limits %+v, %+v", s.Recovery[0].Limit, s.Recovery[1].Limit)
	}
	s.Recovery[0].Limit.Attempts = 7 // as another build had it
	again := ring(t, nil)
	Default(again, s)
	if again.Recovery[0].Limit.Attempts != 7 {
		t.Errorf("limit %+v, want the stored one", again.Recovery[0].Limit)
	}
}
