// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// gate has pods that consume settings of its own and a Secret of someone else's.
const gate = `
framework: gate
version: 1.0.0
onContentChange: reload
parameters:
- {name: level, default: a}
- {name: seeds, default: x}
templates:
- name: settings.yaml
  content: |
    {apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Name }}-settings", labels: {level: "{{ .Params.level }}"}}, data: {level: "{{ .Params.level }}", note: n}}
- name: seeds.yaml
  restartOnChange: false
  content: |
    {apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Name }}-seeds"}, data: {seeds: "{{ .Params.seeds }}"}}
- name: gate.yaml
  restartOnChange: true
  content: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: "{{ .Name }}"}
    spec:
      selector: {matchLabels: {app: x}}
      template:
        metadata: {labels: {app: x}}
        spec:
          containers:
          - name: main
            image: busybox
            env:
            - {name: LEVEL, valueFrom: {configMapKeyRef: {name: "{{ .Name }}-settings", key: level}}}
            - {name: SEEDS, valueFrom: {configMapKeyRef: {name: "{{ .Name }}-seeds", key: seeds}}}
          volumes: [{name: tls, secret: {secretName: theirs}}]
- name: plain.yaml
  content: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: "{{ .Name }}-plain"}
    spec:
      selector: {matchLabels: {app: y}}
      template:
        metadata: {labels: {app: y}}
        spec: {containers: [{name: main, image: busybox, envFrom: [{secretRef: {name: theirs}}]}]}
tasks:
- {name: settings, apply: {templates: [settings.yaml, seeds.yaml]}}
- {name: gate, apply: {templates: [gate.yaml, plain.yaml]}}
- {name: check, job: {template: job.yaml}}
plans:
- {name: deploy, phases: [{name: main, steps: [{name: settings, tasks: [{task: settings}]}, {name: gate, tasks: [{task: gate}]}]}]}
- {name: reload, phases: [{name: main, steps: [{name: check, tasks: [{task: check}]}]}]}
- {name: inspect, phases: [{name: main, steps: [{name: check, tasks: [{task: check}]}]}]}
- {name: backup, concurrency: Shared, phases: [{name: main, steps: [{name: check, tasks: [{task: check}]}]}]}
- {name: cleanup, phases: [{name: main, steps: [{name: check, tasks: [{task: check}]}]}]}
`

const gateJob = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: j, image: busybox, envFrom: [{secretRef: {name: job}}]}]}}}"

func gateSpec(t *testing.T) *spec {
	t.Helper()
	s := parse(t, gate)
	s.Templates = append(s.Templates, v1alpha1.Template{Name: "job.yaml", Content: gateJob})
	return s
}

var front = Identity{Name: "front", Namespace: "tenant"}

// pin is the inputs of a run with these parameters and this digest of the other's Secret.
func pin(t *testing.T, v *Version, theirs string, pairs ...string) *revision.Inputs {
	t.Helper()
	in := v.SampleInputs(map[string]any{"level": "a", "seeds": "x"})
	for i := 0; i < len(pairs); i += 2 {
		in.Params[pairs[i]] = pairs[i+1]
	}
	in.Tracked, in.Contents = true, v.Contents(in, front, nil)
	for i := range in.Contents {
		if !in.Contents[i].Own {
			in.Contents[i].Digest = theirs
		}
	}
	return in
}

func TestContentsOfAVersion(t *testing.T) {
	v := mustCompile(t, gateSpec(t))
	got := v.Contents(v.SampleInputs(map[string]any{"level": "a", "seeds": "x"}), front, nil)
	for i := range got {
		if got[i].Own != (got[i].Digest != "") {
			t.Errorf("%s has the digest %q", got[i].ID(), got[i].Digest)
		}
		got[i].Digest = ""
	}
	want := []revision.Content{
		{Kind: "ConfigMap", Name: "front-settings", Keys: []string{"level"}, Own: true},
		{Kind: "Secret", Name: "theirs"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var kinds []string
	for _, gvk := range v.Consumed {
		kinds = append(kinds, gvk.Kind)
	}
	if diff := cmp.Diff([]string{"Secret"}, kinds); diff != "" {
		t.Errorf("kinds that an account must read (-want +got):\n%s", diff)
	}
}

// annotations of the pod templates of the task gate.
func annotations(t *testing.T, v *Version, in *revision.Inputs) []string {
	t.Helper()
	rendered, err := v.RenderTask(v.Task("gate"), in, front, Run{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, o := range rendered {
		hash, _, _ := unstructured.NestedString(o.Object.Object, "spec", "template", "metadata", "annotations", v1alpha1.AnnotationContent)
		out = append(out, hash)
	}
	return out
}

// Pods restart exactly when what they consume has changed, where their template says so.
func TestPodsRestartWhenWhatTheyConsumeChanged(t *testing.T) {
	v := mustCompile(t, gateSpec(t))
	before := annotations(t, v, pin(t, v, "1"))
	if before[0] == "" || before[1] != "" {
		t.Fatalf("annotations %q: want one where the template says so", before)
	}
	for what, tc := range map[string]struct {
		in       *revision.Inputs
		restarts bool
	}{
		"nothing":                    {pin(t, v, "1"), false},
		"a Secret of others":         {pin(t, v, "2"), true},
		"own settings":               {pin(t, v, "1", "level", "b"), true},
		"seeds, which are no reason": {pin(t, v, "1", "seeds", "y"), false},
	} {
		if after := annotations(t, v, tc.in); (after[0] != before[0]) != tc.restarts || after[1] != "" {
			t.Errorf("%s changed: %q is now %q", what, before, after)
		}
	}
	s := gateSpec(t)
	s.Templates[2].RestartOnChange = nil
	silent := mustCompile(t, s)
	if got := annotations(t, silent, pin(t, silent, "1")); got[0] != "" {
		t.Errorf("a version that says nothing renders %q", got)
	}
	if got := annotations(t, v, v.SampleInputs(map[string]any{"level": "a", "seeds": "x"})); got[0] != "" {
		t.Errorf("a run that was pinned before renders %q", got)
	}
}

func TestThePlanOfAContentChange(t *testing.T) {
	s := gateSpec(t)
	v := mustCompile(t, s)
	if !v.Plans["reload"].Lifecycle || v.Plans["inspect"].Lifecycle {
		t.Error("the plan that takes a content over is a lifecycle plan, and no other job")
	}
	for chosen, plan := range map[string]string{"": "reload", "deploy": "deploy", v1alpha1.ContentIgnore: ""} {
		if got := v.ContentPlan(chosen); got != plan {
			t.Errorf("%q runs %q, want %q", chosen, got, plan)
		}
	}
	at := field.NewPath("spec", "onContentChange")
	for chosen, sentence := range map[string]string{
		"": "", "reload": "", "deploy": "", v1alpha1.ContentIgnore: "",
		"relod":   `there is no such plan, and it is not "Ignore"; did you mean "reload"?`,
		"cleanup": "cleanup runs on deletion only", "backup": "a plan that runs beside others takes no content over",
		"inspect": "is no lifecycle plan: it applies and deletes nothing",
	} {
		var errs field.ErrorList
		if err := v.ValidateContentChange(chosen, at); err != nil {
			errs = append(errs, err)
		}
		if sentence == "" {
			wantErrors(t, errs)
		} else {
			wantErrors(t, errs, sentence)
		}
	}
	for named, sentence := range map[string]string{
		"relod": "spec.onContentChange: Invalid value: \"relod\": there is no such plan", "cleanup": "cleanup runs on deletion only", "backup": "runs beside others",
	} {
		s.OnContentChange = named
		_, errs := Compile(s)
		wantErrors(t, errs, sentence)
	}
	s.OnContentChange = v1alpha1.ContentIgnore
	if v = mustCompile(t, s); v.ContentPlan("") != "" || v.Plans["reload"].Lifecycle {
		t.Error("Ignore runs a plan")
	}
}
