// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

const versionYAML = `
framework: f
version: 1.0.0
parameters:
- {name: nodes, schema: {type: integer}, default: 1}
- {name: extra, schema: {type: boolean}, default: false}
observe:
- {name: pods, apiVersion: v1, kind: Pod, selector: {app: x}}
templates:
- name: a.yaml
  content: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: "{{ .Name }}-a"}
    data: {nodes: "{{ .Params.nodes }}"}
- name: b.yaml
  content: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: "{{ .Name }}-b"}
- name: job.yaml
  content: |
    apiVersion: batch/v1
    kind: Job
    metadata: {name: job}
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}
tasks:
- {name: a, apply: {templates: [a.yaml]}}
- {name: b, apply: {templates: [b.yaml]}}
- {name: away, delete: {templates: [b.yaml, a.yaml]}}
- {name: job, job: {template: job.yaml}}
plans:
- name: deploy
  phases:
  - name: one
    strategy: Parallel
    steps:
    - {name: a, tasks: [{task: a}]}
    - {name: b, tasks: [{task: b}], when: params.extra}
    - {name: seen, tasks: [{task: b}], when: "objects.pods.exists(p, true)"}
  - name: two
    steps:
    - {name: check, tasks: [{task: job}]}
    - {name: ask, approve: {message: look at it}}
    - {name: rest, wait: {for: 1m}}
    - {name: last, tasks: [{task: a}]}
- name: away
  phases: [{name: all, steps: [{name: all, tasks: [{task: away}]}]}]
- name: picky
  require: [{rule: "params.nodes > 1", message: more than one node is needed}]
  phases: [{name: all, steps: [{name: all, tasks: [{task: a}]}]}]
`

func subject(t *testing.T, plan string, change func(*revision.Inputs)) Subject {
	t.Helper()
	var spec v1alpha1.FrameworkVersionSpec
	if err := yaml.UnmarshalStrict([]byte(versionYAML), &spec); err != nil {
		t.Fatal(err)
	}
	graph.Default(&spec, nil)
	v, errs := graph.Compile(&spec)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	values, err := v.Params.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	in := v.SampleInputs(values)
	in.Plan = plan
	if change != nil {
		change(in)
	}
	return Subject{Version: v, Inputs: in, Identity: graph.Identity{Name: "x", Namespace: "ns"}}
}

func show(f *Forecast) string {
	var out strings.Builder
	for _, t := range f.Tasks {
		fmt.Fprintf(&out, "%d %s %s", t.Wave, t.Kind, t.Path)
		for _, o := range t.Objects {
			fmt.Fprintf(&out, " %s/%s", o.Object.GetKind(), o.Object.GetName())
		}
		if t.Waits != "" {
			fmt.Fprintf(&out, " (%s)", t.Waits)
		}
		out.WriteString("\n")
	}
	for _, s := range f.Skipped {
		fmt.Fprintf(&out, "skipped %s: %s\n", s.Path, s.When)
	}
	for _, d := range f.Doubts {
		fmt.Fprintf(&out, "doubt: %s\n", d)
	}
	return out.String()
}

// The order is the engine's: what it would run at once, what after what, what not at all.
func TestAForecastFollowsThePlan(t *testing.T) {
	tests := map[string]struct {
		plan   string
		change func(*revision.Inputs)
		want   string
	}{
		"a plan of every kind of task": {"deploy", nil, `1 apply one/a/a ConfigMap/x-a
1 apply one/seen/b ConfigMap/x-b
2 job two/check/job Job/job
3 approve two/ask/approve (approval: look at it)
4 wait two/rest/wait (1m0s)
5 apply two/last/a ConfigMap/x-a
skipped one/b: params.extra
doubt: one/seen is decided when its turn comes, and shown as if it ran: objects.pods.exists(p, true)
`},
		"deletes run backwards": {"away", nil, "1 delete all/all/away ConfigMap/x-a ConfigMap/x-b\n"},
		"what a plan requires": {"picky", nil, `1 apply all/all/a ConfigMap/x-a
doubt: the plan starts only once what it requires holds: more than one node is needed
`},
		"what is required holds": {"picky", func(in *revision.Inputs) { in.Params["nodes"] = int64(3) }, "1 apply all/all/a ConfigMap/x-a\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := Of(subject(t, tt.plan, tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(f)); diff != "" {
				t.Errorf("forecast (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAForecastOfAPlanThatIsNotThere(t *testing.T) {
	if _, err := Of(subject(t, "nope", nil)); err == nil || !strings.Contains(err.Error(), `has no plan "nope"`) {
		t.Errorf("error %v", err)
	}
}

func atRest(t *testing.T, plan string, change func(*revision.Inputs)) []*unstructured.Unstructured {
	t.Helper()
	f, err := Of(subject(t, plan, change))
	if err != nil {
		t.Fatal(err)
	}
	return f.AtRest()
}

func TestCompare(t *testing.T) {
	old := atRest(t, "deploy", nil)
	set := func(text string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatal(err)
		}
		return o
	}
	workload := func(image string, replicas int) *unstructured.Unstructured {
		return set(fmt.Sprintf("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {replicas: %d, template: {spec: {containers: [{image: %s}]}}}}", replicas, image))
	}
	secret := func(value string) *unstructured.Unstructured {
		return set("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {password: " + value + "}}")
	}
	list := func(o ...*unstructured.Unstructured) []*unstructured.Unstructured { return o }
	tests := map[string]struct {
		old, updated []*unstructured.Unstructured
		want         []string
		diff, hidden string
	}{
		"nothing":          {old, old, []string{"keep x-b", "keep x-a"}, "", ""},
		"the first time":   {nil, old, []string{"create x-b", "create x-a"}, "+apiVersion: v1", ""},
		"all of it goes":   {old, nil, []string{"remove x-b", "remove x-a"}, "-apiVersion: v1", ""},
		"a value":          {old, atRest(t, "deploy", func(in *revision.Inputs) { in.Params["nodes"] = int64(3) }), []string{"keep x-b", "update x-a"}, "-  nodes: \"1\"\n+  nodes: \"3\"", ""},
		"an image":         {list(workload("a", 1)), list(workload("b", 1)), []string{"update s restarts"}, "-      - image: a\n+      - image: b", ""},
		"a number of pods": {list(workload("a", 1)), list(workload("a", 3)), []string{"update s"}, "-  replicas: 1\n+  replicas: 3", ""},
		"a secret":         {list(secret("hush")), list(secret("hush2")), []string{"update s"}, "+  password: sha256:", "hush"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changes, err := Compare(tt.old, tt.updated)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			all := ""
			for _, c := range changes {
				line := string(c.Verb) + " " + c.Object.GetName()
				if c.Restarts {
					line += " restarts"
				}
				got, all = append(got, line), all+c.Diff
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if !strings.Contains(all, tt.diff) || tt.hidden != "" && strings.Contains(all, tt.hidden) {
				t.Errorf("diff has no %q, or shows %q:\n%s", tt.diff, tt.hidden, all)
			}
		})
	}
}

// What is deleted and made again is another object, also where its content is the same.
func TestWhatIsMadeAgainIsNotKept(t *testing.T) {
	s := subject(t, "away", nil)
	object := func(name string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
		u.SetName(name)
		return u
	}
	applied := &revision.Applied{}
	for _, name := range []string{"x-a", "x-b"} {
		o, err := revision.NewObject(object(name), "", "a", "")
		if err != nil {
			t.Fatal(err)
		}
		applied.Objects = append(applied.Objects, o)
	}
	rendered := func(name string) []graph.Rendered { return []graph.Rendered{{Object: object(name), Task: "a"}} }
	f := &Forecast{Tasks: []Task{
		{Kind: engine.TaskDelete, Name: "away", Objects: rendered("x-a")},
		{Kind: engine.TaskApply, Name: "a", Objects: append(rendered("x-a"), rendered("x-b")...)},
	}}
	changes, err := f.Changes(s.Version, Rest{
		Applied: applied, Content: func(*revision.Object) *unstructured.Unstructured { return nil }, Outlives: func(schema.GroupKind) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Verb{}
	for _, c := range changes {
		got[c.Object.GetName()] = c.Verb
		if c.Remade != (c.Object.GetName() == "x-a") {
			t.Errorf("%s is made again: %v", c.Object.GetName(), c.Remade)
		}
	}
	if diff := cmp.Diff(map[string]Verb{"x-a": Update, "x-b": Keep}, got); diff != "" {
		t.Errorf("verbs (-want +got):\n%s", diff)
	}
}
