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

func TestDefaultFillsEverythingIn(t *testing.T) {
	s := parse(t, app)
	Default(s, nil)
	if s.AppVersion != "2.0.0" || s.PracticeProfile != "none" {
		t.Errorf("appVersion %q, practiceProfile %q", s.AppVersion, s.PracticeProfile)
	}
	if applyTask(s).Apply.OnImmutable != v1alpha1.ImmutableFail || s.Tasks[1].Job.Mode != v1alpha1.JobOnce {
		t.Errorf("onImmutable %q, mode %q", applyTask(s).Apply.OnImmutable, s.Tasks[1].Job.Mode)
	}
	p := deployPlan(s)
	if p.Concurrency != "Exclusive" || p.Strategy != v1alpha1.Serial || mainPhase(s).Strategy != v1alpha1.Serial {
		t.Errorf("concurrency %q, strategies %q and %q", p.Concurrency, p.Strategy, mainPhase(s).Strategy)
	}
	retry := func(limit int32) *v1alpha1.Retry {
		return &v1alpha1.Retry{Limit: &limit, Backoff: duration(10 * time.Second), Factor: 2}
	}
	type timing struct {
		Timeout *metav1.Duration
		Retry   *v1alpha1.Retry
	}
	want := []timing{{duration(10 * time.Minute), retry(3)}, {duration(time.Hour), retry(0)}, {duration(time.Hour), retry(0)}}
	var got []timing
	for _, step := range mainPhase(s).Steps {
		got = append(got, timing{step.Timeout, step.Retry})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps: apply, job, wait (-want +got):\n%s", diff)
	}
}

func TestDefaultIsIdempotent(t *testing.T) {
	for name, text := range map[string]string{"with plans": app, "without plans": withoutPlans} {
		t.Run(name, func(t *testing.T) {
			once := parse(t, text)
			Default(once, nil)
			twice := once.DeepCopy()
			Default(twice, nil)
			if diff := cmp.Diff(once, twice); diff != "" {
				t.Errorf("the second time changes (-once +twice):\n%s", diff)
			}
			again := parse(t, text)
			Default(again, once)
			if diff := cmp.Diff(once, again); diff != "" {
				t.Errorf("the same YAML over the stored object (-stored +again):\n%s", diff)
			}
		})
	}
}

const withoutPlans = `
framework: app
version: 1.0.0
templates:
- {name: b.yaml, content: "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}"}
- {name: a.yaml, content: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"}
`

func TestAVersionWithoutPlansGetsDeploy(t *testing.T) {
	s := parse(t, withoutPlans)
	Default(s, nil)
	v := mustCompile(t, s)
	if diff := cmp.Diff([]string{"deploy"}, v.PlanNames); diff != "" {
		t.Fatalf("plans (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b.yaml", "a.yaml"}, s.Tasks[0].Apply.Templates); diff != "" {
		t.Errorf("templates of the task, in the order of the version (-want +got):\n%s", diff)
	}
}

// What is stored was filled in by another build, whose defaults were others.
func TestDefaultFillsGapsFromTheStoredObject(t *testing.T) {
	stored := parse(t, app)
	Default(stored, nil)
	one, no := int32(1), int32(9)
	stored.AppVersion, stored.PracticeProfile = "1.2.3", "old-1"
	applyTask(stored).Apply.OnImmutable = v1alpha1.ImmutableRecreate
	stored.Tasks[1].Job.Mode = v1alpha1.JobAtLeastOnce
	deployPlan(stored).Strategy, deployPlan(stored).Concurrency = v1alpha1.Parallel, "Shared"
	mainPhase(stored).Strategy = v1alpha1.Parallel
	*firstStep(stored) = v1alpha1.Step{
		Name: "config", Strategy: v1alpha1.Parallel, Timeout: duration(time.Minute), Tasks: firstStep(stored).Tasks,
		Retry: &v1alpha1.Retry{Limit: &one, Backoff: duration(time.Second), Factor: 3},
	}
	s := parse(t, app)
	Default(s, stored)
	if diff := cmp.Diff(stored, s); diff != "" {
		t.Errorf("the same YAML is a change (-stored +defaulted):\n%s", diff)
	}
	s, stored.Development = parse(t, app), true
	firstStep(s).Retry = &v1alpha1.Retry{Limit: &no}
	Default(s, stored)
	if *firstStep(s).Retry.Limit != 9 || firstStep(s).Retry.Factor != 3 {
		t.Errorf("retry %+v: what is said wins, the gaps come from the stored object", firstStep(s).Retry)
	}
}

func TestStoredDeployPlanIsKept(t *testing.T) {
	stored := parse(t, withoutPlans)
	Default(stored, nil)
	stored.Plans[0].Description = "by another build"
	s := parse(t, withoutPlans)
	Default(s, stored)
	if diff := cmp.Diff(stored, s); diff != "" {
		t.Errorf("the same YAML is a change (-stored +defaulted):\n%s", diff)
	}
}

func TestUpgradableFrom(t *testing.T) {
	tests := map[string]struct {
		from       []string
		old, wrong string
	}{
		"the same version":                  {nil, "2.0.0", ""},
		"a lower one, without constraints":  {nil, "1.9.9", ""},
		"a pre-release of the same":         {nil, "2.0.0-rc1", ""},
		"a higher one, without constraints": {nil, "2.0.1", "version 2.0.0 can not be reached from 2.0.1: it is not higher, and it names no upgradableFrom"},
		"a constraint that fits":            {[]string{"~1.9.0"}, "1.9.3", ""},
		"one of two constraints":            {[]string{"~1.8.0", ">=1.9.0 <1.9.5"}, "1.9.3", ""},
		"a constraint that does not fit":    {[]string{"~1.8.0", "~1.7.0"}, "1.9.3", "version 2.0.0 can not be reached from 1.9.3: it is upgradable from ~1.8.0, ~1.7.0"},
		"a declared downgrade":              {[]string{">=2.0.0"}, "2.1.0", ""},
		"no version":                        {nil, "latest", "version latest can not be upgraded: it is not a semantic version"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v := mustCompile(t, changedApp(t, func(s *spec) { s.UpgradableFrom = tc.from }))
			got := ""
			if err := v.UpgradableFrom(tc.old); err != nil {
				got = err.Error()
			}
			if got != tc.wrong {
				t.Errorf("got %q, want %q", got, tc.wrong)
			}
		})
	}
}
