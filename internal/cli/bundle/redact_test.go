// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// hush is what must never come out.
const hush = "hunter2-is-secret"

func raw(text string) apiextensionsv1.JSON { return apiextensionsv1.JSON{Raw: []byte(text)} }

// patient is an Instance with secrets wherever one may stand, and its version.
func patient() (*v1alpha1.Instance, *v1alpha1.FrameworkVersion) {
	inst := &v1alpha1.Instance{}
	inst.Name = "zk"
	inst.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": hush, "kudo.dev/typed-name": "zk"}
	inst.Spec.Parameters = map[string]apiextensionsv1.JSON{
		"nodes": raw("3"), "adminPassword": raw(`"` + hush + `"`), "key": raw(`{"name":"` + hush + `"}`), "ref": raw(`"` + hush + `"`),
		"unknown": raw(`["` + hush + `"]`), "users": raw(`[{"name":"alice","password":"` + hush + `"}]`), "pin": raw("1234567"),
	}
	inst.Status.Outputs = map[string]apiextensionsv1.JSON{"uri": raw(`"` + hush + `"`)}
	fwv := &v1alpha1.FrameworkVersion{}
	def := raw(`"` + hush + `-default"`)
	fwv.Spec.Parameters = []v1alpha1.Parameter{
		{Name: "nodes"}, {Name: "adminPassword", Default: &def}, {Name: "key", Generate: &v1alpha1.Generate{Length: 20}}, {Name: "ref", SecretRef: true},
		{Name: "users"}, {Name: "pin"},
	}
	return inst, fwv
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Wherever a secret stands, it does not come out; what is no secret does.
func TestSecretsDoNotComeOut(t *testing.T) {
	inst, fwv := patient()
	r := NewRedactor(inst, fwv)
	pe := &v1alpha1.PlanExecution{}
	pe.Spec.Parameters = map[string]apiextensionsv1.JSON{"file": raw(`"` + hush + `"`)}
	pe.Status.Outputs = map[string]apiextensionsv1.JSON{"x": raw(`"` + hush + `"`)}
	pe.Status.Phases = []v1alpha1.PhaseStatus{{Steps: []v1alpha1.StepStatus{{
		Tasks: []v1alpha1.TaskStatus{{Name: "a", LogTail: "other-secret"}}, Undo: []v1alpha1.TaskStatus{{Name: "b", LogTail: "other-secret"}}}}}}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "zk-0", Annotations: map[string]string{"x": "other-secret"}}}
	pod.Spec.Containers = []corev1.Container{{Name: "zk", Env: []corev1.EnvVar{{Name: "PASSWORD", Value: "other-secret"}}, Args: []string{"other-secret"}}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "zk", Image: "zk:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "other-secret"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Message: "other-secret"}}}}
	config := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c"}, "data": map[string]any{"password": "other-secret"}}}
	custom := &unstructured.Unstructured{Object: map[string]any{"kind": "Database", "status": map[string]any{"phase": "Ready", "adminPassword": "other-secret"}}}
	for name, tt := range map[string]struct {
		value any
		keeps []string
	}{
		"instance":  {r.Instance(inst), []string{`"nodes":3`, `"adminPassword":"<redacted>"`, `"key":"<redacted>"`, `"unknown":"<redacted>"`, `"name":"alice"`, "kudo.dev/typed-name"}},
		"version":   {r.Version(fwv), []string{`"name":"adminPassword"`, `"default":"<redacted>"`}},
		"execution": {r.Execution(pe), []string{`"file":"<redacted>"`, `"name":"a"`}},
		"pod":       {r.Object(toUnstructured(pod, "Pod")), []string{"CrashLoopBackOff", `"exitCode":3`, "zk:1"}},
		"configmap": {r.Object(config), []string{`"name":"c"`}},
		"custom":    {r.Object(custom), []string{`"phase":"Ready"`, `"adminPassword":"<redacted>"`}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &Bundle{redactor: r}
			text := encoded(t, tt.value)
			b.Add("x.yaml", tt.value)
			for _, secret := range []string{hush, "other-secret", "1234567"} {
				if strings.Contains(b.files[0].Content, secret) {
					t.Errorf("%s comes out:\n%s", secret, b.files[0].Content)
				}
			}
			text = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(text)
			for _, want := range tt.keeps {
				if !strings.Contains(text, want) {
					t.Errorf("%s is lost:\n%s", want, text)
				}
			}
		})
	}
	if inst.Spec.Parameters["adminPassword"].Raw == nil || !strings.Contains(encoded(t, inst), hush) {
		t.Error("what was read is changed")
	}
}

// Without the version nobody knows what is secret, so no value comes out.
func TestWithoutTheVersionAllIsSecret(t *testing.T) {
	inst, _ := patient()
	if text := encoded(t, NewRedactor(inst, nil).Instance(inst)); strings.Contains(text, `"nodes":3`) || strings.Contains(text, "alice") {
		t.Error(text)
	}
}

// Texts are searched for the values of secrets, and for what looks like one.
func TestTexts(t *testing.T) {
	inst, fwv := patient()
	r := NewRedactor(inst, fwv)
	for text, want := range map[string]string{
		"connecting with " + hush + "-default":                           "connecting with <redacted>",
		"is " + hush + "!":                                               "is <redacted>!",
		"cut hunter2-is-se... here":                                      "cut <redacted>... here",
		"data: aHVudGVyMi1pcy1zZWNyZXQ=":                                 "data: <redacted>",
		"password=abc, next":                                             "password=<redacted>, next",
		`"apiKey": "a b c", x`:                                           `"apiKey": <redacted>, x`,
		"Authorization: Bearer abcdefghijk":                              "Authorization: <redacted>",
		"sent bearer abcdefghijk":                                        "sent bearer <redacted>",
		"eyJhbGciOi.eyJzdWIi.c2ln":                                       "<redacted>",
		"postgres://u:p@db:5432/x":                                       "postgres://<redacted>@db:5432/x",
		"a -----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY----- b": "a <redacted> b",
		"StatefulSet zk: 1 of 3 pods ready":                              "StatefulSet zk: 1 of 3 pods ready",
		`secret "tls" not found`:                                         `secret "tls" not found`,
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// A value of several lines is found although YAML indents it.
func TestLinesOfAValue(t *testing.T) {
	inst := &v1alpha1.Instance{}
	inst.Spec.Parameters = map[string]apiextensionsv1.JSON{"token": raw(`"first secret line\nsecond secret line\n"`)}
	b := &Bundle{redactor: NewRedactor(inst, nil)}
	b.Add("x", map[string]string{"log": "got\nfirst secret line\nsecond secret line\n"})
	if text := b.files[0].Content; strings.Contains(text, "secret line") || !strings.Contains(text, "got") {
		t.Error(text)
	}
}

// The archive holds what was added, below one directory, and is the same every time.
func TestArchive(t *testing.T) {
	b := &Bundle{redactor: NewRedactor(&v1alpha1.Instance{}, nil)}
	b.AddText("../../etc/a b", "password: x\n")
	b.Add("objects/y.yaml", map[string]int{"a": 1})
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := Write(w, "dir", b.Files(), at); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("not the same twice")
	}
	zipped, err := gzip.NewReader(&first)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for in := tar.NewReader(zipped); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = string(content)
	}
	if diff := cmp.Diff(map[string]string{"dir/etc/a_b": "password: <redacted>\n", "dir/objects/y.yaml": "a: 1\n"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
