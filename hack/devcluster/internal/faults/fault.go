// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package faults makes pods of simulated nodes fail on demand, also pods that do not exist yet.
package faults

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Kind says which name a fault's pattern is compared with.
type Kind string

// The kinds of targets.
const (
	KindPod Kind = "pod"
	KindJob Kind = "job" // the pods of a Job
)

// Mode is what goes wrong.
type Mode string

// The modes.
const (
	// ModeFail lets containers exit: the pod ends as Failed, or crash-loops if its restart policy says so.
	ModeFail Mode = "fail"
	// ModeUnready lets pods run without being Ready; pods of Jobs do not complete.
	ModeUnready Mode = "unready"
	// ModeSlow lets pods become Ready, and pods of Jobs complete, only after a delay.
	ModeSlow Mode = "slow"
)

// DefaultDelay is the delay of ModeSlow.
const DefaultDelay = 10 * time.Second

// Fault is a switch that is on: what goes wrong, and with which pods.
type Fault struct {
	Target `json:",inline"`
	Mode   Mode `json:"mode"`
	// Delay is for ModeSlow.
	Delay metav1.Duration `json:"delay,omitzero"`
	// ExitCode and Message are for ModeFail.
	ExitCode int    `json:"exitCode,omitempty"`
	Message  string `json:"message,omitempty"`
}

// Target is the set of pods that a fault is about. Namespace and Name are shell patterns; an empty Name means any.
type Target struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name,omitempty"`
	// Selector is a label selector for the pods.
	Selector string `json:"selector,omitempty"`
}

// String returns the target as one writes it on the command line.
func (t Target) String() string {
	s := string(t.Kind)
	if t.Name != "" {
		s += "/" + t.Name
	}
	s += " -n " + t.Namespace
	if t.Selector != "" {
		s += " -l " + t.Selector
	}
	return s
}

// String describes the fault in one line.
func (f Fault) String() string {
	s := string(f.Mode) + " " + f.Target.String()
	if f.Mode == ModeSlow {
		s += " --delay " + f.Delay.Duration.String()
	}
	return s
}

// Validate returns an error if no pod could ever match, or the mode makes no sense.
func (f Fault) Validate() error {
	if f.Kind != KindPod && f.Kind != KindJob {
		return fmt.Errorf("kind %q is not pod or job", f.Kind)
	}
	switch f.Mode {
	case ModeFail, ModeUnready, ModeSlow:
	default:
		return fmt.Errorf("mode %q is not fail, unready or slow", f.Mode)
	}
	if f.Name == "" && f.Selector == "" {
		return errors.New("neither a name nor a selector is given")
	}
	for _, pattern := range []string{f.Namespace, f.Name} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	if _, err := labels.Parse(f.Selector); err != nil {
		return fmt.Errorf("selector %q: %w", f.Selector, err)
	}
	if f.ExitCode < 0 || f.ExitCode > 255 {
		return fmt.Errorf("exit code %d is not between 0 and 255", f.ExitCode)
	}
	return nil
}

// Matches tells whether the target includes the pod.
func (t Target) Matches(pod *corev1.Pod) bool {
	name := pod.Name
	if t.Kind == KindJob {
		if name = jobOf(pod); name == "" {
			return false
		}
	}
	selector, err := labels.Parse(t.Selector)
	if err != nil || !selector.Matches(labels.Set(pod.Labels)) {
		return false
	}
	return glob(t.Namespace, pod.Namespace) && (t.Name == "" || glob(t.Name, name))
}

func glob(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func jobOf(pod *corev1.Pod) string {
	if owner := metav1.GetControllerOf(pod); owner != nil && owner.Kind == "Job" {
		return owner.Name
	}
	return ""
}

// Annotations through which a pod's faults reach the stages; the stages' files use the same names.
const (
	// AnnotationChecked says that the injector has looked at the pod: no pod starts before.
	AnnotationChecked   = "devcluster/checked"
	AnnotationFault     = "devcluster/fault"
	AnnotationNotBefore = "devcluster/not-before"
	AnnotationExitCode  = "devcluster/exit-code"
	AnnotationMessage   = "devcluster/message"
)

// annotationsFor returns all annotations the pod should have; an empty value means none. The last fault that matches wins.
func annotationsFor(pod *corev1.Pod, faults []Fault, now time.Time) map[string]string {
	want := map[string]string{
		AnnotationChecked: "true", AnnotationFault: "", AnnotationNotBefore: "", AnnotationExitCode: "", AnnotationMessage: "",
	}
	for i := len(faults) - 1; i >= 0; i-- {
		f := faults[i]
		if !f.Matches(pod) {
			continue
		}
		want[AnnotationFault] = string(f.Mode)
		switch f.Mode {
		case ModeFail:
			want[AnnotationExitCode], want[AnnotationMessage] = strconv.Itoa(f.ExitCode), f.Message
		case ModeSlow:
			want[AnnotationNotBefore] = notBefore(pod, f, now)
		case ModeUnready:
		}
		break
	}
	return want
}

// notBefore is a time and not a duration: each change of a pod makes KWOK count its delay anew.
func notBefore(pod *corev1.Pod, f Fault, now time.Time) string {
	if at := pod.Annotations[AnnotationNotBefore]; at != "" {
		return at
	}
	return now.Add(f.Delay.Duration).Format(time.RFC3339Nano)
}
