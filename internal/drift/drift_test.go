// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

const (
	image    = `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"zk\"}":{"f:image":{}}}}}}}`
	replicas = `{"f:spec":{"f:replicas":{}}}`
	all      = `{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"zk\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`
	noImage  = `{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"zk\"}":{".":{},"f:name":{}}}}}}}`
	noScale  = `{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"zk\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`
	noPod    = `{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:replicas":{}}}`
	noLabel  = `{"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"zk\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`
)

const setYAML = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: zk, namespace: prod, labels: {a: b}}
spec:
  replicas: 3
  template: {spec: {containers: [{name: side, image: s}, {name: zk, image: good}]}}
`

func entry(manager, subresource, fields string) metav1.ManagedFieldsEntry {
	op := metav1.ManagedFieldsOperationUpdate
	if manager == "kudo" {
		op = metav1.ManagedFieldsOperationApply
	}
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: op, Subresource: subresource, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields)}
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := u.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return u
}

func record(t *testing.T, text, fields string) *revision.Object {
	t.Helper()
	o, err := revision.NewObject(object(t, text), "u-1", "task", "template")
	if err != nil {
		t.Fatal(err)
	}
	o.Fields = json.RawMessage(fields)
	return &o
}

func TestDecide(t *testing.T) {
	const correct = v1alpha1.DriftCorrect
	now := metav1.Now()
	ignore := func(path string) []v1alpha1.IgnoreField {
		return []v1alpha1.IgnoreField{{Group: "apps", Kind: "StatefulSet", Path: path}}
	}
	tests := map[string]struct {
		object  string
		fields  string
		gone    bool
		going   bool
		entries []metav1.ManagedFieldsEntry
		policy  v1alpha1.DriftPolicy
		ignore  []v1alpha1.IgnoreField
		want    string
	}{
		"as it was":          {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", all)}, policy: correct},
		"changed":            {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("kubectl-edit", "", image)}, policy: correct, want: `StatefulSet prod/zk: .spec.template.spec.containers[name="zk"].image was changed by kubectl-edit`},
		"reported":           {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("kubectl-edit", "", image)}, policy: v1alpha1.DriftReport, want: `StatefulSet prod/zk: .spec.template.spec.containers[name="zk"].image was changed by kubectl-edit`},
		"nobody cares":       {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("kubectl-edit", "", image)}, policy: v1alpha1.DriftIgnore},
		"added by others":    {fields: noImage, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("kubectl-edit", "", image)}, policy: correct},
		"owned twice":        {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", all), entry("kubectl-edit", "", image)}, policy: correct},
		"removed":            {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noLabel)}, policy: correct, want: "StatefulSet prod/zk: .metadata.labels.a was removed"},
		"an item removed":    {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noPod)}, policy: correct, want: `StatefulSet prod/zk: .spec.template.spec.containers[name="zk"] was removed`},
		"scaled":             {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noScale), entry("hpa", "scale", replicas)}, policy: correct},
		"edited, not scaled": {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noScale), entry("kubectl", "", replicas)}, policy: correct, want: "StatefulSet prod/zk: .spec.replicas was changed by kubectl"},
		"ignored":            {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("x", "", image)}, policy: correct, ignore: ignore("/spec/template/spec/containers/1/image")},
		"ignored above":      {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("x", "", image)}, policy: correct, ignore: ignore("/spec/template")},
		"another ignored":    {fields: all, entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("x", "", image)}, policy: correct, ignore: ignore("/spec/template/spec/containers/0"), want: `StatefulSet prod/zk: .spec.template.spec.containers[name="zk"].image was changed by x`},
		"managers wiped":     {fields: replicas, policy: correct, want: "StatefulSet prod/zk: .spec.replicas was removed"},
		"gone":               {fields: all, gone: true, policy: correct, want: "StatefulSet prod/zk was deleted"},
		"going":              {fields: all, going: true, policy: correct},
		"before the upgrade": {gone: true, policy: correct},
		"a Job":              {object: "{apiVersion: batch/v1, kind: Job, metadata: {name: a}}", fields: all, gone: true, policy: correct},
		"a pod that ends":    {object: "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {restartPolicy: Never}}", fields: all, gone: true, policy: correct},
		"a pod that stays":   {object: "{apiVersion: v1, kind: Pod, metadata: {name: a}}", fields: all, gone: true, policy: correct, want: "Pod a was deleted"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.object == "" {
				tc.object = setYAML
			}
			seen := Seen{Object: record(t, tc.object, tc.fields)}
			if !tc.gone {
				live := &metav1.ObjectMeta{ManagedFields: tc.entries}
				if tc.going {
					live.DeletionTimestamp = &now
				}
				seen.Live = live
			}
			var said []string
			for _, f := range Decide([]Seen{seen}, tc.policy, tc.ignore) {
				said = append(said, f.Describe())
				if f.Correct != (tc.policy == correct) {
					t.Errorf("correct: %v", f.Correct)
				}
			}
			if got := strings.Join(said, ""); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestYield(t *testing.T) {
	rules := []v1alpha1.IgnoreField{{Group: "apps", Kind: "StatefulSet", Path: "/spec/template/spec/containers/1/image"}}
	tests := map[string]struct {
		entries []metav1.ManagedFieldsEntry
		rules   []v1alpha1.IgnoreField
		last    string
		live    string
		want    string
	}{
		"nothing is left to others": {
			entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("x", "", image)},
			want:    `{replicas: 3, template: {spec: {containers: [{name: side, image: s}, {name: zk, image: good}]}}}`,
		},
		"scaled": {
			entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noScale), entry("hpa", "scale", replicas)},
			want:    `{template: {spec: {containers: [{name: side, image: s}, {name: zk, image: good}]}}}`,
		},
		"ignored and another's": {
			entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage), entry("x", "", image)}, rules: rules,
			want: `{replicas: 3, template: {spec: {containers: [{name: side, image: s}, {name: zk}]}}}`,
		},
		"ignored and Kudo's alone": {
			entries: []metav1.ManagedFieldsEntry{entry("kudo", "", all)}, rules: rules,
			live: `{template: {spec: {containers: [{name: zk, image: now}]}}}`,
			want: `{replicas: 3, template: {spec: {containers: [{name: side, image: s}, {name: zk, image: now}]}}}`,
		},
		"ignored and removed": {
			entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage)}, rules: rules, last: all,
			want: `{replicas: 3, template: {spec: {containers: [{name: side, image: s}, {name: zk}]}}}`,
		},
		"ignored and new": {
			entries: []metav1.ManagedFieldsEntry{entry("kudo", "", noImage)}, rules: rules, last: noImage,
			want: `{replicas: 3, template: {spec: {containers: [{name: side, image: s}, {name: zk, image: good}]}}}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.live == "" {
				tc.live = "{}"
			}
			body := object(t, setYAML)
			live := object(t, "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: zk}, spec: "+tc.live+"}")
			live.SetManagedFields(tc.entries)
			Yield(body, live, json.RawMessage(tc.last), tc.rules)
			want := object(t, "{kind: A, spec: "+tc.want+"}").Object["spec"]
			if diff := cmp.Diff(want, body.Object["spec"]); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithdraw(t *testing.T) {
	body, live := object(t, setYAML), object(t, setYAML)
	live.SetManagedFields([]metav1.ManagedFieldsEntry{entry("kudo", "", noScale), entry("x", "", replicas), entry("y", "", image)})
	Withdraw(body, live, json.RawMessage(noScale))
	want := object(t, setYAML)
	unstructured.RemoveNestedField(want.Object, "spec", "replicas")
	if diff := cmp.Diff(want.Object, body.Object); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestMine(t *testing.T) {
	const path = `.spec.template.spec.containers[name="zk"].image`
	for name, tc := range map[string]struct {
		last   string
		fields []string
		want   bool
	}{
		"all of them":  {all, []string{path, ".spec.replicas"}, true},
		"one is not":   {noScale, []string{path, ".spec.replicas"}, false},
		"not recorded": {"", []string{path}, false},
		"no conflict":  {all, nil, false},
	} {
		if got := Mine(json.RawMessage(tc.last), tc.fields); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFights(t *testing.T) {
	f, now := Fights{}, time.Unix(0, 0)
	round := func(after time.Duration) time.Duration {
		now = now.Add(after)
		until := f.Lost("a", now)
		if until.IsZero() {
			f.PutBack("a", now)
			return 0
		}
		return until.Sub(now)
	}
	for i := range 5 {
		if wait := round(time.Second); wait != 0 {
			t.Fatalf("round %d waits %s", i, wait)
		}
	}
	for _, minutes := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		wait := round(0)
		if want := time.Duration(minutes) * time.Minute; wait != want || round(wait/2) != wait/2 {
			t.Fatalf("waits %s, want %s", wait, want)
		}
		if wait := round(wait - wait/2); wait != 0 {
			t.Fatalf("after the truce it waits %s", wait)
		}
	}
	if wait := round(11 * time.Minute); wait != 0 || len(f["a"].putBack) != 1 {
		t.Errorf("after it stayed for a while it waits %s", wait)
	}
	if until := f.Refused("b", now); until.Sub(now) != time.Minute || f.Lost("b", now) != until {
		t.Error("what was refused is tried again at once")
	}
	if until := f.Refused("b", now.Add(time.Minute)); until.Sub(now) != 3*time.Minute {
		t.Errorf("the second try follows at %s", until)
	}
}
