// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// app is a version with one of everything that the compiler knows.
const app = `
framework: app
version: 2.0.0
parameters:
- {name: size, schema: {type: integer, minimum: 1, maximum: 7}, default: 3}
- {name: mode, default: fast}
templates:
- name: config.yaml
  content: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: "{{ .Instance.Name }}-config"}
    data: {size: "{{ .Params.size }}", mode: "{{ .Params.mode }}"}
- name: job.yaml
  content: |
    apiVersion: batch/v1
    kind: Job
    metadata: {name: work}
    spec:
      template:
        spec:
          containers: [{name: work, image: busybox, args: ["{{ .Run.attempt }}"]}]
tasks:
- {name: config, apply: {templates: [config.yaml]}}
- {name: work, job: {template: job.yaml}}
- {name: remove, delete: {templates: [config.yaml]}}
- {name: pause, wait: {for: 1s}}
plans:
- name: deploy
  phases:
  - name: main
    steps:
    - {name: config, tasks: [{task: config}]}
    - {name: work, tasks: [{task: work}]}
    - {name: rest, wait: {for: 1s}}
- name: cleanup
  phases:
  - name: main
    steps:
    - {name: remove, tasks: [{task: remove}]}
`

type spec = v1alpha1.FrameworkVersionSpec

func parse(t testing.TB, text string) *spec {
	t.Helper()
	out := &spec{}
	if err := yaml.UnmarshalStrict([]byte(text), out); err != nil {
		t.Fatal(err)
	}
	return out
}

// changed is the fixture with one change.
func changedApp(t testing.TB, change func(*spec)) *spec {
	t.Helper()
	s := parse(t, app)
	change(s)
	return s
}

func mustCompile(t testing.TB, s *spec) *Version {
	t.Helper()
	v, errs := Compile(s)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return v
}

func deployPlan(s *spec) *v1alpha1.Plan { return &s.Plans[0] }
func mainPhase(s *spec) *v1alpha1.Phase { return &s.Plans[0].Phases[0] }
func firstStep(s *spec) *v1alpha1.Step  { return &s.Plans[0].Phases[0].Steps[0] }
func applyTask(s *spec) *v1alpha1.Task  { return &s.Tasks[0] }
func duration(d time.Duration) *metav1.Duration {
	return &metav1.Duration{Duration: d}
}

func jsonOf(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }

// template adds a template and a task that applies it.
func template(content string) func(*spec) {
	return func(s *spec) {
		s.Templates = append(s.Templates, v1alpha1.Template{Name: "more.yaml", Content: content})
		s.Tasks = append(s.Tasks, v1alpha1.Task{Name: "more", TaskAction: v1alpha1.TaskAction{
			Apply: &v1alpha1.ApplyTask{Templates: []string{"more.yaml"}},
		}})
	}
}

// wantErrors checks that every sentence is said, each with its path.
func wantErrors(t *testing.T, errs field.ErrorList, sentences ...string) {
	t.Helper()
	var all []string
	for _, e := range errs {
		all = append(all, e.Error())
	}
	text := strings.Join(all, "\n")
	for _, sentence := range sentences {
		if !strings.Contains(text, sentence) {
			t.Errorf("no error says %q; errors:\n%s", sentence, text)
		}
	}
	if len(sentences) == 0 && len(errs) > 0 {
		t.Errorf("unexpected errors:\n%s", text)
	}
}
