// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

var kind = &v1alpha1.GeneratedKind{APIVersion: "packages.kudo.dev/v1alpha1", Kind: "ZooKeeper", Resource: "zookeepers", Singular: "zookeeper"}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return o
}

const typedYAML = `
apiVersion: packages.kudo.dev/v1alpha1
kind: ZooKeeper
metadata: {name: zk, namespace: prod, uid: u-1, generation: 7, labels: {team: a}}
spec:
  version: 3.9.3
  serviceAccountName: sa
  suspend: true
  ignoreFields: [{kind: StatefulSet, path: /spec/replicas}]
  parameters: {nodeCount: 3, big: 9007199254740993, list: [a, {b: 1.5}], text: "<&>"}
`

func TestAnObjectBecomesItsInstance(t *testing.T) {
	inst, err := Instance("zookeeper", kind, object(t, typedYAML))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	want := &v1alpha1.Instance{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "prod", Name: "zookeeper-zk", Labels: map[string]string{"team": "a"},
			Annotations:     map[string]string{"kudo.dev/typed-generation": "7", "kudo.dev/typed-name": "zk"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "packages.kudo.dev/v1alpha1", Kind: "ZooKeeper", Name: "zk", UID: "u-1", Controller: &yes, BlockOwnerDeletion: &yes}},
		},
		Spec: v1alpha1.InstanceSpec{
			Framework: "zookeeper", Version: "3.9.3", ServiceAccountName: "sa", Suspend: true, DriftPolicy: "Correct",
			IgnoreFields: []v1alpha1.IgnoreField{{Kind: "StatefulSet", Path: "/spec/replicas"}},
			Parameters: map[string]apiextensionsv1.JSON{
				"nodeCount": {Raw: []byte("3")}, "big": {Raw: []byte("9007199254740993")},
				"list": {Raw: []byte(`["a",{"b":1.5}]`)}, "text": {Raw: []byte(`"<&>"`)},
			},
		},
	}
	if !SameSpec(&want.Spec, &inst.Spec) {
		t.Errorf("spec (-want +got):\n%s", cmp.Diff(want.Spec, inst.Spec))
	}
	if diff := cmp.Diff(want.ObjectMeta, inst.ObjectMeta); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if Owner(inst) == nil || Owner(inst).Name != "zk" || TakenFrom(inst) != 7 {
		t.Errorf("owner %v, generation %d", Owner(inst), TakenFrom(inst))
	}
}

// Whether anything must be written is a question of meaning: of text it would be for ever.
func TestUpdateWritesOnlyWhatDiffers(t *testing.T) {
	have, err := Instance("zookeeper", kind, object(t, typedYAML))
	if err != nil {
		t.Fatal(err)
	}
	have.UID, have.Annotations["other"] = "i-1", "stays"
	have.Spec.Parameters["list"] = apiextensionsv1.JSON{Raw: []byte(`[ "a", { "b" : 1.50 } ]`)}
	have.Spec.Parameters["text"] = apiextensionsv1.JSON{Raw: []byte("\"\\u003c&>\"")}
	tests := map[string]struct {
		edit func(spec map[string]any, o *unstructured.Unstructured)
		want bool
	}{
		"nothing": {func(map[string]any, *unstructured.Unstructured) {}, false},
		"a parameter": {func(s map[string]any, _ *unstructured.Unstructured) {
			s["parameters"].(map[string]any)["nodeCount"] = int64(5)
		}, true},
		"an integer past a double": {func(s map[string]any, _ *unstructured.Unstructured) {
			s["parameters"].(map[string]any)["big"] = int64(9007199254740992)
		}, true},
		"a parameter less": {func(s map[string]any, _ *unstructured.Unstructured) { delete(s["parameters"].(map[string]any), "text") }, true},
		"the version":      {func(s map[string]any, _ *unstructured.Unstructured) { s["version"] = "3.9.4" }, true},
		"a field less":     {func(s map[string]any, _ *unstructured.Unstructured) { delete(s, "suspend") }, true},
		"a label":          {func(_ map[string]any, o *unstructured.Unstructured) { o.SetLabels(map[string]string{"team": "b"}) }, true},
		"a label less":     {func(_ map[string]any, o *unstructured.Unstructured) { o.SetLabels(nil) }, true},
		"an annotation":    {func(_ map[string]any, o *unstructured.Unstructured) { o.SetAnnotations(map[string]string{"a": "b"}) }, false},
	}
	for name, tc := range tests {
		o := object(t, typedYAML)
		o.SetGeneration(8)
		tc.edit(o.Object["spec"].(map[string]any), o)
		want, err := Instance("zookeeper", kind, o)
		if err != nil {
			t.Fatal(err)
		}
		next, changed := Update(have, want)
		if changed != tc.want {
			t.Errorf("%s: changed %v, want %v", name, changed, tc.want)
		}
		if changed && (next.UID != "i-1" || next.Annotations["other"] != "stays" || TakenFrom(next) != 8 || !SameSpec(&next.Spec, &want.Spec)) {
			t.Errorf("%s: %+v", name, next)
		}
	}
}

func instance() *v1alpha1.Instance {
	inst := &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Name: "zookeeper-zk", Generation: 3}}
	inst.Status = v1alpha1.InstanceStatus{
		ObservedGeneration: 3, Version: "3.8.4", Plan: "upgrade: Running",
		Conditions: []metav1.Condition{{Type: "Ready", Status: "False", Reason: "PlanRunning", ObservedGeneration: 3}},
		Active:     &v1alpha1.ActiveExecution{Name: "run", UID: "r-1"},
	}
	return inst
}

func run() *v1alpha1.PlanExecution {
	pe := &v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Name: "run", UID: "r-1"}, Spec: v1alpha1.PlanExecutionSpec{Plan: "upgrade"}}
	step := func(name string, state v1alpha1.RunState) v1alpha1.StepStatus {
		return v1alpha1.StepStatus{Name: name, NodeStatus: v1alpha1.NodeStatus{State: state}}
	}
	pe.Status = v1alpha1.PlanExecutionStatus{State: v1alpha1.RunRunning, Message: "waits", Phases: []v1alpha1.PhaseStatus{
		{Name: "preflight", Steps: []v1alpha1.StepStatus{step("quorum", v1alpha1.RunSkipped)}},
		{Name: "servers", Steps: []v1alpha1.StepStatus{step("config", v1alpha1.RunSucceeded), step("roll", v1alpha1.RunRunning), step("late", v1alpha1.RunPending)}},
	}}
	return pe
}

// The status is the Instance's, with the object's generation, and how far its run is.
func TestMirror(t *testing.T) {
	five := int32(5)
	got := Mirror(v1alpha1.TypedStatus{Replicas: &five, Selector: "app=zk", Version: "old"}, 7, instance(), run())
	want := v1alpha1.TypedStatus{
		ObservedGeneration: 7, Version: "3.8.4", Plan: "upgrade: Running", Instance: "zookeeper-zk", Replicas: &five, Selector: "app=zk",
		Conditions: []metav1.Condition{{Type: "Ready", Status: "False", Reason: "PlanRunning", ObservedGeneration: 7}},
		Execution:  &v1alpha1.TypedExecution{Name: "run", Plan: "upgrade", State: "Running", Phase: "servers", Step: "roll", StepsDone: 2, StepsTotal: 4, Message: "waits"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ended, other := run(), run()
	ended.Status.State, other.UID = v1alpha1.RunSucceeded, "r-2"
	for name, pe := range map[string]*v1alpha1.PlanExecution{"none": nil, "one that ended": ended, "another one": other} {
		if got := Mirror(v1alpha1.TypedStatus{}, 7, instance(), pe); got.Execution != nil {
			t.Errorf("%s: execution %+v", name, got.Execution)
		}
	}
}

func TestProblemTakesThePlaceOfWhatWas(t *testing.T) {
	now := metav1.NewTime(time.Unix(100, 0))
	old := Mirror(v1alpha1.TypedStatus{}, 6, instance(), run())
	old.Conditions = append(old.Conditions, metav1.Condition{Type: "Reconciling", Status: "True", Reason: "PlanRunning"})
	got := Problem(old, 7, "Refused", "no", now)
	if got.ObservedGeneration != 7 || got.Execution != nil || got.Version != "3.8.4" {
		t.Errorf("%+v", got)
	}
	want := []metav1.Condition{
		{Type: "Ready", Status: "False", Reason: "Refused", Message: "no", ObservedGeneration: 7},
		{Type: "Stalled", Status: "True", Reason: "Refused", Message: "no", ObservedGeneration: 7, LastTransitionTime: now},
	}
	if diff := cmp.Diff(want, got.Conditions); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if again := Problem(got, 7, "Refused", "no", metav1.NewTime(time.Unix(200, 0))); cmp.Diff(got, again) != "" {
		t.Error("the same problem is another status later")
	}
}

func TestReplicas(t *testing.T) {
	inst := &v1alpha1.Instance{Spec: v1alpha1.InstanceSpec{Parameters: map[string]apiextensionsv1.JSON{
		"n": {Raw: []byte("3")}, "text": {Raw: []byte(`"3"`)}, "less": {Raw: []byte("-1")}, "huge": {Raw: []byte("3000000000")},
	}}}
	for name, want := range map[string]int32{"n": 3, "text": -1, "less": -1, "huge": -1, "none": -1, "": -1} {
		if got := Replicas(inst, name); (got == nil) != (want < 0) || got != nil && *got != want {
			t.Errorf("%q: %v, want %d", name, got, want)
		}
	}
}
