// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package nodes

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/utils/lifecycle"

	"kudo.dev/kudo/hack/devcluster/internal/faults"
)

type podState struct {
	phase   corev1.PodPhase
	ready   bool
	checked bool
	fault   faults.Mode
	restart corev1.RestartPolicy
	ofJob   bool
	deleted bool
}

func (s podState) pod() *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "default", Annotations: map[string]string{}},
		Spec:       corev1.PodSpec{RestartPolicy: s.restart},
		Status:     corev1.PodStatus{Phase: s.phase},
	}
	if s.checked {
		p.Annotations[faults.AnnotationChecked] = "true"
	}
	if s.fault != "" {
		p.Annotations[faults.AnnotationFault] = string(s.fault)
	}
	if s.ofJob {
		p.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: "j"}}
	}
	if s.deleted {
		now := metav1.Now()
		p.DeletionTimestamp = &now
	}
	status := corev1.ConditionFalse
	if s.ready {
		status = corev1.ConditionTrue
	}
	if s.phase != corev1.PodPending {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	}
	return p
}

// played returns the stages that match a pod in the state.
func played(t *testing.T, s podState) []string {
	t.Helper()
	all, err := loadStages()
	if err != nil {
		t.Fatal(err)
	}
	cycle, err := lifecycle.NewLifecycle(all[internalversion.StageResourceRef{APIGroup: "v1", Kind: "Pod"}])
	if err != nil {
		t.Fatal(err)
	}
	pod := s.pod()
	matching, err := cycle.ListAllPossible(context.Background(),
		&lifecycle.Event{Labels: pod.Labels, Annotations: pod.Annotations, Data: pod})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, stage := range matching {
		names = append(names, stage.Name())
	}
	return names
}

func TestStageOfState(t *testing.T) {
	pending, running := corev1.PodPending, corev1.PodRunning
	always, never := corev1.RestartPolicyAlways, corev1.RestartPolicyNever
	for name, c := range map[string]struct {
		state podState
		want  string
	}{
		"not yet checked":     {podState{phase: pending, restart: always}, ""},
		"starts":              {podState{phase: pending, restart: always, checked: true}, "pod-ready"},
		"starts slowly":       {podState{phase: pending, restart: always, checked: true, fault: "slow"}, "pod-start-unready"},
		"starts unready":      {podState{phase: pending, restart: always, checked: true, fault: "unready"}, "pod-start-unready"},
		"crash-loops":         {podState{phase: pending, restart: always, checked: true, fault: "fail"}, "pod-crash-loop"},
		"crashes":             {podState{phase: pending, restart: never, checked: true, fault: "fail"}, "pod-crash"},
		"runs":                {podState{phase: running, ready: true, restart: always, checked: true}, ""},
		"becomes unready":     {podState{phase: running, ready: true, restart: always, fault: "unready"}, "pod-unready"},
		"stays unready":       {podState{phase: running, restart: always, fault: "unready"}, "pod-stay-unready"},
		"heals":               {podState{phase: running, restart: always, checked: true}, "pod-ready-again"},
		"is ready after all":  {podState{phase: running, restart: always, fault: "slow"}, "pod-ready-again"},
		"job completes":       {podState{phase: running, ready: true, restart: never, ofJob: true}, "pod-complete"},
		"slow job completes":  {podState{phase: running, restart: never, ofJob: true, fault: "slow"}, "pod-complete"},
		"stuck job":           {podState{phase: running, restart: never, ofJob: true, fault: "unready"}, "pod-stay-unready"},
		"failing job":         {podState{phase: running, ready: true, restart: never, ofJob: true, fault: "fail"}, "pod-crash"},
		"deleted":             {podState{phase: running, ready: true, restart: always, deleted: true}, "pod-delete"},
		"deleted and failing": {podState{phase: running, restart: always, fault: "fail", deleted: true}, "pod-delete"},
		"succeeded":           {podState{phase: corev1.PodSucceeded, restart: never, ofJob: true, checked: true}, ""},
	} {
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		if diff := cmp.Diff(want, played(t, c.state)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestStagesExcludeEachOther(t *testing.T) {
	both := []bool{false, true}
	for _, phase := range []corev1.PodPhase{corev1.PodPending, corev1.PodRunning, corev1.PodFailed, corev1.PodSucceeded} {
		for _, fault := range []faults.Mode{"", faults.ModeFail, faults.ModeUnready, faults.ModeSlow} {
			for _, restart := range []corev1.RestartPolicy{corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever} {
				for _, ready := range both {
					for _, ofJob := range both {
						s := podState{phase: phase, ready: ready, checked: true, fault: fault, restart: restart, ofJob: ofJob}
						t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
							if names := played(t, s); len(names) > 1 {
								t.Errorf("%v match together", names)
							}
						})
					}
				}
			}
		}
	}
}
