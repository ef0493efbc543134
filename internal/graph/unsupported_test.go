// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// What the API has and this build has not is refused where it stands, never ignored.
func TestUnsupportedFieldsAreRefused(t *testing.T) {
	action := func(a v1alpha1.TaskAction) func(*spec) {
		return func(s *spec) { applyTask(s).TaskAction = a }
	}
	tests := map[string]func(*spec){
		"spec.remember":       func(s *spec) { s.Remember = []v1alpha1.Memory{{Name: "m", Value: "1"}} },
		"spec.budget":         func(s *spec) { s.Budget = &v1alpha1.Budget{Of: "pods", MaxUnavailable: "1"} },
		"recovery[r].forEach": func(s *spec) { s.Recovery = []v1alpha1.RecoveryRule{{Name: "r", ForEach: "[1]"}} },
		"recovery[r].key":     func(s *spec) { s.Recovery = []v1alpha1.RecoveryRule{{Name: "r", Key: "item"}} },
		"recovery[r].with": func(s *spec) {
			s.Recovery = []v1alpha1.RecoveryRule{{Name: "r", With: []v1alpha1.Argument{{Name: "a", Value: "1"}}}}
		},
		"outputs[o].from": func(s *spec) {
			s.Outputs = []v1alpha1.Output{{Name: "o", From: &v1alpha1.OutputSource{Plan: "p", Output: "o"}}}
		},
		"outputs[o].sensitive": func(s *spec) {
			s.Outputs = []v1alpha1.Output{{Name: "o", Value: "1", Sensitive: &v1alpha1.SecretKey{Secret: "s", Key: "k"}}}
		},

		"tasks[config].args":           func(s *spec) { applyTask(s).Args = []string{"a"} },
		"tasks[config].exec":           action(v1alpha1.TaskAction{Exec: &v1alpha1.ExecTask{Command: []string{"ls"}}}),
		"tasks[config].patch":          action(v1alpha1.TaskAction{Patch: &v1alpha1.PatchTask{APIVersion: "v1", Kind: "Node", Name: "n"}}),
		"tasks[config].restart":        action(v1alpha1.TaskAction{Restart: &v1alpha1.RestartTask{Pod: "p"}}),
		"tasks[config].instance":       action(v1alpha1.TaskAction{Instance: &v1alpha1.InstanceTask{Framework: "f", Version: "1.0.0"}}),
		"tasks[config].call":           action(v1alpha1.TaskAction{Call: jsonOf("{}")}),
		"tasks[remove].delete.force":   func(s *spec) { s.Tasks[2].Delete.Force = true },
		"tasks[remove].delete.objects": func(s *spec) { s.Tasks[2].Delete.Objects = "[]" },
		"tasks[work].job.mode":         func(s *spec) { s.Tasks[1].Job.Mode = v1alpha1.JobAtMostOnce },

		"plans[deploy].private":    func(s *spec) { deployPlan(s).Private = true },
		"plans[deploy].schedule":   func(s *spec) { deployPlan(s).Schedule = &v1alpha1.Schedule{Cron: "garbage"} },
		"plans[deploy].parameters": func(s *spec) { deployPlan(s).Parameters = []v1alpha1.Parameter{{Name: "p"}} },
		"plans[deploy].outputs":    func(s *spec) { deployPlan(s).Outputs = []v1alpha1.Output{{Name: "o"}} },

		"plans[deploy].phases[main].forEach": func(s *spec) { mainPhase(s).ForEach = "[1]" },
		"plans[deploy].phases[main].key":     func(s *spec) { mainPhase(s).Key = "item" },
		"plans[deploy].phases[main].plan":    func(s *spec) { mainPhase(s).Plan = "cleanup" },
		"plans[deploy].phases[main].with":    func(s *spec) { mainPhase(s).With = []v1alpha1.Argument{{Name: "a", Value: "1"}} },
		"plans[deploy].phases[main].atomic":  func(s *spec) { mainPhase(s).Atomic = true },
		"plans[deploy].phases[main].canary":  func(s *spec) { mainPhase(s).Canary = &v1alpha1.Canary{Count: 1} },

		"phases[main].steps[config].forEach": func(s *spec) { firstStep(s).ForEach = "[1]" },
		"phases[main].steps[config].key":     func(s *spec) { firstStep(s).Key = "item" },
		"phases[main].steps[config].with":    func(s *spec) { firstStep(s).With = []v1alpha1.Argument{{Name: "a", Value: "1"}} },
		"phases[main].steps[config].require": func(s *spec) { firstStep(s).Require = []v1alpha1.Rule{{Rule: "true", Message: "m"}} },
		"phases[main].steps[config].outputs": func(s *spec) { firstStep(s).Outputs = []v1alpha1.Output{{Name: "o"}} },
	}
	for path, change := range tests {
		t.Run(path, func(t *testing.T) {
			_, errs := Compile(changedApp(t, change))
			wantErrors(t, errs, path)
			wantErrors(t, errs, NotYetSupported)
		})
	}
}

// A default that is spelled out is what the field means anyway.
func TestSpelledOutDefaultsAreNotRefused(t *testing.T) {
	_, errs := Compile(changedApp(t, func(s *spec) {
		s.PracticeProfile = "none"
		deployPlan(s).Concurrency = "Exclusive"
		applyTask(s).Apply.OnImmutable = v1alpha1.ImmutableFail
		s.Tasks[1].Job.Mode = v1alpha1.JobOnce
		firstStep(s).Timeout = &metav1.Duration{Duration: 30 * 24 * time.Hour}
	}))
	wantErrors(t, errs)
}
