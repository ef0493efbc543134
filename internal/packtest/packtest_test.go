// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package packtest

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/scaffold"
)

func version(t *testing.T) *graph.Version {
	t.Helper()
	files, err := scaffold.New(scaffold.Options{Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := pack.FS(files)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Load(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	graph.Default(&p.Version.Spec, nil)
	v, errs := graph.Compile(&p.Version.Spec)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return v
}

// A test must fail wherever the package is not as it says.
func TestRun(t *testing.T) {
	v := version(t)
	tests := map[string]struct {
		text string
		want []string
	}{
		"what is so":                       {"expect: {plan: deploy, steps: [main/network, main/server], objects: [{kind: Deployment, spec: {replicas: 2}}]}", nil},
		"another plan":                     {"expect: {plan: update}", []string{"expect.plan: plan deploy runs, not update"}},
		"a plan that is asked for":         {"plan: cleanup\nexpect: {steps: [main/server], absent: [{kind: Deployment}]}", nil},
		"other steps":                      {"expect: {steps: [main/server]}", []string{"expect.steps: these run: main/network, main/server"}},
		"nothing skipped":                  {"expect: {skipped: [main/server]}", []string{"expect.skipped: main/server is not skipped"}},
		"another value":                    {"parameters: {replicas: 3}\nexpect: {objects: [{kind: Deployment, spec: {replicas: 2}}]}", []string{"expect.objects[0]: Deployment/example: spec.replicas is 3, not 2"}},
		"a field that is missing":          {"expect: {objects: [{kind: Deployment, spec: {paused: true}}]}", []string{"expect.objects[0]: Deployment/example: spec.paused is missing, not true"}},
		"another list":                     {"expect: {objects: [{kind: Service, spec: {ports: []}}]}", []string{`expect.objects[0]: Service/example: spec.ports is [{"name":"http","port":80,"targetPort":"http"}]`}},
		"no such object":                   {"expect: {objects: [{kind: StatefulSet}]}", []string{"expect.objects[0]: there is no StatefulSet; there are: Service/example, PodDisruptionBudget/example, ConfigMap/example, Deployment/example"}},
		"one that must not be":             {"expect: {absent: [{kind: Service}]}", []string{"expect.absent[0]: Service/example is there"}},
		"one that must not be, and is not": {"parameters: {replicas: 1}\nexpect: {absent: [{kind: PodDisruptionBudget}]}", nil},
		"a change":                         {"old: {}\nparameters: {replicas: 3}\nexpect: {plan: update}", nil},
		"a refusal":                        {"parameters: {replicas: 99}\nexpect: {error: must be at most 20}", nil},
		"another refusal":                  {"parameters: {replicas: 99}\nexpect: {error: too many}", []string{`expect.error: "too many" is not in: parameters.replicas: Invalid value: 99: must be at most 20`}},
		"no refusal":                       {"expect: {error: too many}", []string{`expect.error: nothing was refused; want "too many"`}},
		"a refusal that is not wanted":     {"parameters: {replicas: 99}\nexpect: {plan: deploy}", []string{"unexpected error: parameters.replicas: Invalid value: 99: must be at most 20"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cases, err := Load(fstest.MapFS{"tests/a.yaml": {Data: []byte(tt.text)}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, cases[0].Run(v)); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ text, words string }{
		"a misspelt field": {"expects: {plan: a}", `tests/a.yaml: `},
		"no demand":        {"parameters: {a: 1}\nexpect: {}", "tests/a.yaml: expect is empty: a test that demands nothing can not fail"},
		"no YAML":          {"{", "tests/a.yaml: "},
		"a large file":     {strings.Repeat("#", maxFile+1), "more than 262144"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(fstest.MapFS{"tests/a.yaml": {Data: []byte(tt.text)}})
			if err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error %v, want the words %q", err, tt.words)
			}
		})
	}
}

// The package that init makes passes its own tests.
func TestTheFirstPackagePasses(t *testing.T) {
	files, err := scaffold.New(scaffold.Options{Name: "message-queue"})
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := pack.FS(files)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := Load(fsys)
	if err != nil || len(cases) < 2 {
		t.Fatal(cases, err)
	}
	v := version(t)
	for _, c := range cases {
		if wrong := c.Run(v); len(wrong) > 0 {
			t.Errorf("%s: %v", c.File, wrong)
		}
	}
}
