// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func pod(edit func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "web-0", UID: "1", Labels: map[string]string{"app": "web"},
	}}
	if edit != nil {
		edit(p)
	}
	return p
}

func ownedBy(kind, name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		controller := true
		p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name, Controller: &controller}}
	}
}

func TestMatches(t *testing.T) {
	for name, c := range map[string]struct {
		target Target
		pod    *corev1.Pod
		want   bool
	}{
		"name":                {Target{KindPod, "default", "web-0", ""}, pod(nil), true},
		"other name":          {Target{KindPod, "default", "web-1", ""}, pod(nil), false},
		"pattern":             {Target{KindPod, "default", "web-*", ""}, pod(nil), true},
		"class":               {Target{KindPod, "default", "web-[1-9]", ""}, pod(nil), false},
		"whole name only":     {Target{KindPod, "default", "web", ""}, pod(nil), false},
		"other namespace":     {Target{KindPod, "other", "web-0", ""}, pod(nil), false},
		"any namespace":       {Target{KindPod, "*", "web-0", ""}, pod(nil), true},
		"labels":              {Target{KindPod, "default", "", "app=web"}, pod(nil), true},
		"other labels":        {Target{KindPod, "default", "", "app=db"}, pod(nil), false},
		"labels and name":     {Target{KindPod, "default", "web-1", "app=web"}, pod(nil), false},
		"set selector":        {Target{KindPod, "default", "", "app in (web,db)"}, pod(nil), true},
		"job":                 {Target{KindJob, "default", "backup-*", ""}, pod(ownedBy("Job", "backup-1")), true},
		"other job":           {Target{KindJob, "default", "restore", ""}, pod(ownedBy("Job", "backup-1")), false},
		"pod of no job":       {Target{KindJob, "default", "*", ""}, pod(nil), false},
		"pod of a set":        {Target{KindJob, "default", "*", ""}, pod(ownedBy("ReplicaSet", "backup-1")), false},
		"job by labels":       {Target{KindJob, "default", "", "app=web"}, pod(ownedBy("Job", "backup-1")), true},
		"pod of a job":        {Target{KindPod, "default", "web-0", ""}, pod(ownedBy("Job", "backup-1")), true},
		"no pods of any name": {Target{KindPod, "default", "", "nothing"}, pod(nil), false},
	} {
		if got := c.target.Matches(c.pod); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestValidate(t *testing.T) {
	good := Fault{Target: Target{Kind: KindPod, Namespace: "default", Name: "web-*"}, Mode: ModeFail, ExitCode: 1}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string]func(*Fault){
		"kind":      func(f *Fault) { f.Kind = "node" },
		"mode":      func(f *Fault) { f.Mode = "explode" },
		"no target": func(f *Fault) { f.Name = "" },
		"pattern":   func(f *Fault) { f.Name = "[" },
		"namespace": func(f *Fault) { f.Namespace = "[" },
		"selector":  func(f *Fault) { f.Selector = "=" },
		"exit code": func(f *Fault) { f.ExitCode = 256 },
	} {
		f := good
		edit(&f)
		if err := f.Validate(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAnnotations(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := Target{Kind: KindPod, Namespace: "default", Name: "web-0"}
	elsewhere := Target{Kind: KindPod, Namespace: "default", Name: "db-0"}
	fail := Fault{Target: at, Mode: ModeFail, ExitCode: 42, Message: "boom"}
	slow := Fault{Target: at, Mode: ModeSlow, Delay: metav1.Duration{Duration: time.Minute}}
	for name, c := range map[string]struct {
		faults []Fault
		pod    *corev1.Pod
		want   map[string]string
	}{
		"none":      {nil, pod(nil), nil},
		"elsewhere": {[]Fault{{Target: elsewhere, Mode: ModeUnready}}, pod(nil), nil},
		"fail": {[]Fault{fail}, pod(nil),
			map[string]string{AnnotationFault: "fail", AnnotationExitCode: "42", AnnotationMessage: "boom"}},
		"the last one wins": {[]Fault{fail, {Target: at, Mode: ModeUnready}}, pod(nil),
			map[string]string{AnnotationFault: "unready"}},
		"slow": {[]Fault{slow}, pod(nil),
			map[string]string{AnnotationFault: "slow", AnnotationNotBefore: "2026-01-01T00:01:00Z"}},
		"slow is counted once": {[]Fault{slow}, pod(func(p *corev1.Pod) {
			p.Annotations = map[string]string{AnnotationNotBefore: "2025-12-31T23:59:59Z"}
		}), map[string]string{AnnotationFault: "slow", AnnotationNotBefore: "2025-12-31T23:59:59Z"}},
	} {
		want := map[string]string{
			AnnotationChecked: "true", AnnotationFault: "", AnnotationNotBefore: "", AnnotationExitCode: "", AnnotationMessage: "",
		}
		for k, v := range c.want {
			want[k] = v
		}
		if diff := cmp.Diff(want, annotationsFor(c.pod, c.faults, now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
