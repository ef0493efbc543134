// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/diagnose"
)

func decoded[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func live(t *testing.T, text string) *unstructured.Unstructured {
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

// Pods stand below what owns them, also through a ReplicaSet; those of others do not.
func TestTree(t *testing.T) {
	owner := func(kind, uid string) string {
		return "ownerReferences: [{apiVersion: apps/v1, kind: " + kind + ", name: x, uid: " + uid + ", controller: true}]"
	}
	pod := func(name, owner, rest string) corev1.Pod {
		return decoded[corev1.Pod](t, "{metadata: {name: "+name+", "+owner+"}, "+rest+"}")
	}
	ready := `status: {phase: Running, conditions: [{type: Ready, status: "True"}]}`
	set := &diagnose.Workload{
		Object: live(t, "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: zk, uid: s, generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, replicas: 2, readyReplicas: 1}}"),
		Pods: []corev1.Pod{
			pod("zk-0", owner("StatefulSet", "s"), ready),
			pod("zk-1", owner("StatefulSet", "s"), "spec: {volumes: [{name: d, persistentVolumeClaim: {claimName: data-zk-1}}]}, status: {phase: Pending, conditions: [{type: PodScheduled, status: \"False\", reason: Unschedulable, message: unbound}]}"),
			pod("stranger", owner("StatefulSet", "other"), ready),
		},
		Claims: []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data-zk-1"}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}}},
	}
	web := &diagnose.Workload{
		Object: live(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, uid: d, generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}}"),
		Sets: []*unstructured.Unstructured{
			live(t, "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, uid: r1, "+owner("Deployment", "d")+"}}"),
			live(t, "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-0, uid: r0, "+owner("Deployment", "d")+"}}"),
		},
		Pods: []corev1.Pod{pod("web-1-a", owner("ReplicaSet", "r1"), ready)},
	}
	run := execution(v1alpha1.RunStalled, v1alpha1.ReasonTimeout, pods)
	root := &leaf{Object: "Instance zk", Health: "Stalled", Why: "plan update is stalled: " + pods,
		Owns: []*leaf{runLeaf(run, today), objectLeaf(set), objectLeaf(web), {Object: "Secret zk-tls", Why: "not read"}}}
	looks(t, "tree", func(l screen.Look) []string { return leafLines(l, root) })
}

// Without a step the logs are those of what holds the run up; with one, of all below it.
func TestLogsOfWhichStep(t *testing.T) {
	stalled := execution(v1alpha1.RunStalled, v1alpha1.ReasonJobFailed, "")
	over := execution(v1alpha1.RunSucceeded, "", "")
	over.Status.Phases[0].Steps[0].Tasks = []v1alpha1.TaskStatus{{Name: "services"}}
	for name, tt := range map[string]struct {
		pe   *v1alpha1.PlanExecution
		step string
		want []string
	}{
		"what is stalled": {stalled, "", []string{"servers/roll/servers"}},
		"all of the last": {over, "", []string{"network/services/services", "servers/roll/servers"}},
		"a phase":         {over, "network", []string{"network/services/services"}},
		"a step":          {over, "servers/roll/", []string{"servers/roll/servers"}},
		"no such":         {over, "nope", nil},
	} {
		t.Run(name, func(t *testing.T) {
			tasks, err := (&logsOptions{step: tt.step}).tasks(tt.pe)
			if (err != nil) != (tt.want == nil) || len(tasks) != len(tt.want) {
				t.Fatalf("%v, %v", tasks, err)
			}
			for i, want := range tt.want {
				if tasks[i].Path != want {
					t.Errorf("%s, want %s", tasks[i].Path, want)
				}
			}
		})
	}
}
