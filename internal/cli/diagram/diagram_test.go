// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/golden"
)

const specYAML = `
framework: app
version: 1.0.0
tasks:
- {name: base, apply: {templates: [a.yaml, b.yaml]}}
- {name: load, job: {template: "load \"big\".yaml"}}
- {name: old, delete: {templates: [old.yaml]}}
- {name: pods, delete: {objects: "objects.pods.filter(p, p.ordinal() > 2)"}}
plans:
- name: update
  strategy: Parallel
  onFailure: {undo: true, plan: repair}
  phases:
  - name: base
    steps:
    - {name: apply, tasks: [{task: base}, {task: old}]}
    - {name: ask, approve: {message: "a <b> #1"}}
    - {name: pause, wait: {for: 5m}}
  - name: data
    dependsOn: [base]
    when: changed.size
    strategy: Parallel
    steps:
    - {name: load, tasks: [{task: load}]}
    - {name: drop, dependsOn: [load], when: "params.drop ==\n true", tasks: [{task: pods}]}
    - {name: see, wait: {until: objects.x.ready}}
- name: simple
  phases: [{name: one, steps: [{name: a, tasks: [{task: base}]}]}, {name: two}]
`

// A plan is drawn with its order, conditions and what each step does, and what a run did of it.
func TestDraw(t *testing.T) {
	var spec v1alpha1.FrameworkVersionSpec
	if err := yaml.UnmarshalStrict([]byte(specYAML), &spec); err != nil {
		t.Fatal(err)
	}
	run := &v1alpha1.PlanExecution{}
	run.Status.Phases = []v1alpha1.PhaseStatus{{Name: "base", NodeStatus: v1alpha1.NodeStatus{State: v1alpha1.RunStalled}, Steps: []v1alpha1.StepStatus{
		{Name: "apply", NodeStatus: v1alpha1.NodeStatus{State: v1alpha1.RunSucceeded}}, {Name: "ask", NodeStatus: v1alpha1.NodeStatus{State: v1alpha1.RunStalled}},
	}}}
	for name, lines := range map[string][]string{
		"text": New(&spec, &spec.Plans[0], nil).Text(), "run": New(&spec, &spec.Plans[0], run).Text(), "mermaid": New(&spec, &spec.Plans[0], run).Mermaid(),
		"dot": New(&spec, &spec.Plans[0], run).DOT(), "simple": New(&spec, &spec.Plans[1], nil).Text(), "simple-dot": New(&spec, &spec.Plans[1], nil).DOT(),
	} {
		t.Run(name, func(t *testing.T) {
			golden.Compare(t, "testdata/"+name+".golden", strings.Join(lines, "\n")+"\n")
		})
	}
}
