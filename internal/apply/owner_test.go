// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

var zk = Owner{Name: "zk", Namespace: "prod", UID: "u-1"}

func thing(kind, namespace string, labels map[string]string, owner types.UID) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind}}
	if kind == "CustomResourceDefinition" {
		u.SetAPIVersion("apiextensions.k8s.io/v1")
	}
	u.SetNamespace(namespace)
	u.SetName("a")
	u.SetLabels(labels)
	if owner != "" {
		yes := true
		u.SetOwnerReferences([]metav1.OwnerReference{{Kind: "Instance", Name: "zk", UID: owner, Controller: &yes}})
	}
	return u
}

func annotated(u *unstructured.Unstructured, owner string) *unstructured.Unstructured {
	u.SetAnnotations(map[string]string{v1alpha1.AnnotationOwner: owner})
	return u
}

func TestOwns(t *testing.T) {
	ours := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelInstance: "zk"}
	theirs := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelInstance: "other"}
	tests := map[string]struct {
		object *unstructured.Unstructured
		want   bool
	}{
		"our controller":                    {thing("ConfigMap", "prod", nil, "u-1"), true},
		"27 nobody's":                       {thing("ConfigMap", "prod", nil, ""), false},
		"27 labels alone do not make it so": {thing("ConfigMap", "prod", ours, ""), false},
		"28 of another Instance":            {thing("ConfigMap", "prod", theirs, "u-2"), false},
		"28 of an earlier Instance":         {thing("ConfigMap", "prod", ours, "u-0"), false},
		"retained data of ours":             {thing("PersistentVolumeClaim", "prod", ours, ""), true},
		"retained data of another":          {thing("PersistentVolumeClaim", "prod", theirs, ""), false},
		"data of nobody":                    {thing("PersistentVolumeClaim", "prod", nil, ""), false},
		"elsewhere, by label only":          {thing("ConfigMap", "other", ours, ""), false},
		"elsewhere, by annotation":          {annotated(thing("ConfigMap", "other", ours, ""), "prod/zk/u-1"), true},
		"elsewhere, of a namesake":          {annotated(thing("ConfigMap", "other", ours, ""), "test/zk/u-7"), false},
		"elsewhere, of an earlier Instance": {annotated(thing("ConfigMap", "other", ours, ""), "prod/zk/u-0"), false},
		"elsewhere, of another controller":  {thing("ConfigMap", "other", ours, "u-9"), false},
		"a definition by label only":        {thing("CustomResourceDefinition", "", ours, ""), false},
		"a definition that outlived":        {annotated(thing("CustomResourceDefinition", "", ours, ""), "prod/zk/u-0"), true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := zk.Owns(tc.object); got != tc.want {
				t.Errorf("owns: %v, want %v", got, tc.want)
			}
		})
	}
}

// Case 30: an owner reference across namespaces has the garbage collector delete the
// object; and data outlives its Instance.
func TestMark(t *testing.T) {
	tests := map[string]struct {
		object *unstructured.Unstructured
		owned  bool
	}{
		"in the namespace": {thing("ConfigMap", "prod", nil, ""), true},
		"elsewhere":        {thing("ConfigMap", "other", nil, ""), false},
		"of the cluster":   {thing("ClusterRole", "", nil, ""), false},
		"a claim":          {thing("PersistentVolumeClaim", "prod", nil, ""), false},
		"a namespace":      {thing("Namespace", "", nil, ""), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			zk.Mark(tc.object)
			refs := tc.object.GetOwnerReferences()
			if (len(refs) == 1) != tc.owned {
				t.Fatalf("owner references %v", refs)
			}
			if tc.owned && (refs[0].UID != "u-1" || !*refs[0].Controller || refs[0].APIVersion != "kudo.dev/v1alpha1") {
				t.Errorf("owner reference %+v", refs[0])
			}
		})
	}
}

// foreign tells whether another manager had made the object in the moment before.
func TestForeign(t *testing.T) {
	entry := func(manager, subresource string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Subresource: subresource}
	}
	tests := map[string]struct {
		fields []metav1.ManagedFieldsEntry
		want   bool
	}{
		"only Kudo":          {[]metav1.ManagedFieldsEntry{entry("kudo", "")}, false},
		"someone's status":   {[]metav1.ManagedFieldsEntry{entry("kudo", ""), entry("kcm", "status")}, false},
		"someone else, too":  {[]metav1.ManagedFieldsEntry{entry("kudo", ""), entry("kubectl", "")}, true},
		"nothing is managed": {nil, false},
	}
	for name, tc := range tests {
		u := thing("ConfigMap", "prod", nil, "")
		u.SetManagedFields(tc.fields)
		if got := foreign(u); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

const jobYAML = `
apiVersion: batch/v1
kind: Job
metadata: {name: work, labels: {team: a}}
spec:
  backoffLimit: 6
  ttlSecondsAfterFinished: 10
  template:
    spec:
      restartPolicy: OnFailure
      containers:
      - {name: one, image: busybox, env: [{name: A, value: b}]}
      - {name: two, image: busybox}
`

func job(t *testing.T, change func(*unstructured.Unstructured)) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(jobYAML), &u.Object); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(u)
	}
	return u
}

// A job task runs its program at most once per attempt, and the program can tell a repetition.
func TestPrepareJob(t *testing.T) {
	u := job(t, nil)
	if err := PrepareJob(u, JobRun{Name: "zk-work-1", Execution: "run", UID: "u-7", Attempt: 3, Timeout: 90 * time.Second}); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{}
	err := yaml.Unmarshal([]byte(`
backoffLimit: 0
activeDeadlineSeconds: 90
podReplacementPolicy: Failed
template:
  spec:
    restartPolicy: Never
    automountServiceAccountToken: false
    containers:
    - {name: one, image: busybox, env: [{name: A, value: b}, {name: PLAN_EXECUTION_ID, value: u-7}, {name: ATTEMPT, value: "3"}]}
    - {name: two, image: busybox, env: [{name: PLAN_EXECUTION_ID, value: u-7}, {name: ATTEMPT, value: "3"}]}
`), &want)
	if err != nil {
		t.Fatal(err)
	}
	want["backoffLimit"], want["activeDeadlineSeconds"] = int64(0), int64(90)
	if diff := cmp.Diff(want, u.Object["spec"]); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	if u.GetName() != "zk-work-1" || u.GetLabels()[v1alpha1.LabelExecution] != "run" || u.GetLabels()["team"] != "a" {
		t.Errorf("name %q, labels %v", u.GetName(), u.GetLabels())
	}
}

func TestPrepareJobRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*unstructured.Unstructured)
		want   string
	}{
		"another kind":  {func(u *unstructured.Unstructured) { u.SetKind("CronJob") }, "a job task renders one batch/v1 Job, not batch/v1 CronJob"},
		"no containers": {func(u *unstructured.Unstructured) { unstructured.RemoveNestedField(u.Object, "spec", "template") }, "it has no containers"},
		"no spec":       {func(u *unstructured.Unstructured) { u.Object["spec"] = "x" }, "preparing the job"},
		"odd container": {func(u *unstructured.Unstructured) {
			_ = unstructured.SetNestedSlice(u.Object, []any{"x"}, "spec", "template", "spec", "containers")
		}, "container 0 is not an object"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := PrepareJob(job(t, tc.change), JobRun{Name: "n", Execution: "e", UID: "u", Attempt: 1})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "%!w") {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// An account that the template names keeps its token: that is what it is named for.
func TestAJobWithItsOwnAccountKeepsItsToken(t *testing.T) {
	u := job(t, func(u *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(u.Object, "mine", "spec", "template", "spec", "serviceAccountName")
	})
	if err := PrepareJob(u, JobRun{Name: "n", Execution: "e", UID: "u", Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := unstructured.NestedBool(u.Object, "spec", "template", "spec", "automountServiceAccountToken"); found {
		t.Error("automountServiceAccountToken is set")
	}
}
