// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
)

// TestBudgetOfWhatIsObserved holds what contents and recovery rules cost: one read for
// each object that pods consume, one look at what rules observe where that changed, and
// nothing at rest.
func TestBudgetOfWhatIsObserved(t *testing.T) {
	w := newWorld(t)
	rules := w.publish([]string{"duo-1.0.0"}, "test", "integration", "budget", "testdata", "duo.yaml")
	const namespace = "budget-observed"
	w.tenant(namespace, rules["duo-1.0.0"])
	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "theirs"}, StringData: map[string]string{"a": "b"}}
	w.must(w.cluster.Client.Create(t.Context(), theirs))
	inst := instance(namespace, "one", "duo", "1.0.0")
	all := []measurement{}
	measure := func(operation string, limit int, do func()) {
		all = append(all, measurement{operation, cluster.Work(w.requests(do)), limit})
	}
	measure("deploy", 11, func() { w.roll(inst, nil) })
	measure("nothing", 0, func() {})
	measure("another label of the Secret", 1, func() {
		w.must(w.cluster.Client.Patch(t.Context(), theirs, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"a":"b"}}}`))))
	})
	measure("another content of the Secret", 12, func() {
		w.must(w.cluster.Client.Patch(t.Context(), theirs, client.RawPatch("application/merge-patch+json", []byte(`{"stringData":{"a":"c"}}`))))
		w.follow(&v1alpha1.InstanceList{}, namespace, func(e watch.Event) bool {
			now, ok := e.Object.(*v1alpha1.Instance)
			return ok && now.Status.Plan == "update: Succeeded" && now.Status.Active == nil &&
				meta.IsStatusConditionTrue(now.Status.Conditions, v1alpha1.ConditionReady)
		})
	})
	measure("nothing again", 0, func() {})
	measure("restart with nothing to do", 2, func() { // what the rule observes is looked at once
		w.must(w.process.Stop())
		w.start()
	})
	for _, m := range all {
		m.requests = slices.DeleteFunc(m.requests, func(r cluster.Request) bool {
			return r.Namespace != namespace // other tests' Instances go on
		})
		t.Log(m)
		if len(m.requests) > m.limit {
			t.Errorf("%s: %d requests, more than %d", m.operation, len(m.requests), m.limit)
		}
	}
	w.remove(inst)
}

// The time that a rule waits goes on while no manager runs, and is not begun anew by the
// next one.
func TestTheTimeOfARuleOutlivesTheManager(t *testing.T) {
	w := newWorld(t)
	rules := w.publish([]string{"duo-1.0.0"}, "test", "integration", "budget", "testdata", "duo.yaml")
	const namespace = "rule-time"
	w.tenant(namespace, rules["duo-1.0.0"])
	w.must(w.cluster.Client.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "theirs"}}))
	inst := instance(namespace, "one", "duo", "1.0.0")
	w.roll(inst, nil)
	pod := w.failed(namespace)
	var since time.Time
	w.follow(&v1alpha1.InstanceList{}, namespace, func(e watch.Event) bool {
		now, ok := e.Object.(*v1alpha1.Instance)
		if ok && len(now.Status.Broken) == 1 {
			since = now.Status.Broken[0].Since.Time
		}
		return !since.IsZero()
	})
	w.must(w.process.Stop())
	w.start()
	var began time.Time
	w.follow(&v1alpha1.PlanExecutionList{}, namespace, func(e watch.Event) bool {
		run, ok := e.Object.(*v1alpha1.PlanExecution)
		if ok && run.Spec.Trigger == "recovery/failed/1" && run.Status.StartedAt != nil {
			began = run.Status.StartedAt.Time
		}
		return !began.IsZero()
	})
	if waited := began.Sub(since); waited < 8*time.Second {
		t.Errorf("the plan began %s after the rule held first, want 8s", waited)
	}
	w.must(w.cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(inst), inst))
	if now := inst.Status.Broken; len(now) != 1 || !now[0].Since.Time.Equal(since) {
		t.Errorf("the rule holds since %+v, want %s", now, since)
	}
	w.must(w.cluster.Client.Delete(t.Context(), pod, client.GracePeriodSeconds(0)))
	w.remove(inst)
}

// failed makes a pod of the StatefulSet that has failed.
func (w *world) failed(namespace string) *corev1.Pod {
	w.t.Helper()
	set := &appsv1.StatefulSet{}
	w.must(w.cluster.Client.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: "one"}, set))
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "one-0", OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "apps/v1", Kind: "StatefulSet", Name: set.Name, UID: set.UID, Controller: ptr.To(true),
		}}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: ptr.To(false), Containers: []corev1.Container{{Name: "main", Image: "example.invalid/duo:1"}},
		},
	}
	w.must(w.cluster.Client.Create(w.t.Context(), pod))
	failed := client.RawPatch("application/merge-patch+json", []byte(`{"status":{"phase":"Failed"}}`))
	w.must(w.cluster.Client.Status().Patch(w.t.Context(), pod, failed))
	return pod
}
