// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package content

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/revision"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

const pod = `
imagePullSecrets: [{name: registry}]
initContainers:
- name: init
  env: [{name: A, valueFrom: {secretKeyRef: {name: keys, key: b}}}]
containers:
- name: main
  env:
  - {name: PLAIN, value: x}
  - {name: B, valueFrom: {secretKeyRef: {name: keys, key: a}}}
  - {name: C, valueFrom: {configMapKeyRef: {name: settings, key: c, optional: true}}}
  envFrom: [{configMapRef: {name: all}}, {secretRef: {name: maybe, optional: true}}]
volumes:
- {name: v, secret: {secretName: tls}}
- {name: w, configMap: {name: files, items: [{key: x, path: at}]}}
- {name: p, projected: {sources: [{secret: {name: keys, items: [{key: z, path: z}], optional: true}}, {configMap: {name: all}}, {serviceAccountToken: {path: t}}]}}
- {name: e, emptyDir: {}}
`

func indent(by int) string {
	return strings.ReplaceAll(strings.TrimSpace(pod), "\n", "\n"+strings.Repeat(" ", by))
}

// What pods consume are variables and volumes, by the keys that they name; what the
// kubelet uses for itself is not.
func TestWhatPodsConsume(t *testing.T) {
	want := []revision.Content{
		{Kind: ConfigMap, Name: "all"},
		{Kind: ConfigMap, Name: "files", Keys: []string{"x"}},
		{Kind: ConfigMap, Name: "settings", Keys: []string{"c"}, Optional: true},
		{Kind: Secret, Name: "keys", Keys: []string{"a", "b", "z"}},
		{Kind: Secret, Name: "maybe", Optional: true},
		{Kind: Secret, Name: "tls"},
	}
	for kind, text := range map[string]string{
		"Deployment":  "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      " + indent(6),
		"StatefulSet": "apiVersion: apps/v1\nkind: StatefulSet\nspec:\n  template:\n    spec:\n      " + indent(6),
		"CronJob":     "apiVersion: batch/v1\nkind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          " + indent(10),
		"Pod":         "apiVersion: v1\nkind: Pod\nspec:\n  " + indent(2),
	} {
		if diff := cmp.Diff(want, Consumed(parse(t, text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	for _, text := range []string{
		"apiVersion: batch/v1\nkind: Job\nspec:\n  template:\n    spec:\n      " + indent(6),
		"apiVersion: example.com/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      " + indent(6),
		"{apiVersion: apps/v1, kind: Deployment, spec: {template: {spec: {containers: nonsense}}}}",
		"{apiVersion: apps/v1, kind: Deployment}", "{apiVersion: v1, kind: Pod, spec: 7}",
	} {
		if got := Consumed(parse(t, text)); len(got) > 0 {
			t.Errorf("%s consumes %v", text, got)
		}
	}
}

func digest(t *testing.T, text string, keys ...string) string {
	t.Helper()
	d, err := Digest(parse(t, text), keys)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A digest is of values: not of metadata, nor of how a template spells them, nor of keys
// that nobody reads.
func TestADigestIsOfValues(t *testing.T) {
	stored := "{apiVersion: v1, kind: Secret, metadata: {name: s, labels: {a: b}}, data: {k: aGVsbG8=, other: eA==}, type: Opaque}"
	same := digest(t, stored, "k")
	for _, text := range []string{
		"{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {k: aGVsbG8=}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {k: eA==}, stringData: {k: hello}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: s}, data: {k: hello}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: s}, binaryData: {k: aGVsbG8=}}",
	} {
		if digest(t, text, "k") != same {
			t.Errorf("%s has another digest", text)
		}
	}
	for _, text := range []string{
		"{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {k: aGVsbG8h}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {l: aGVsbG8=}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: s}}",
	} {
		if digest(t, text, "k") == same {
			t.Errorf("%s has the same digest", text)
		}
	}
	if digest(t, stored) == same || digest(t, stored) != digest(t, stored, "k", "other") {
		t.Error("no keys mean all of them")
	}
	if len(same) != 64 || strings.Contains(same, "hello") {
		t.Errorf("digest %q", same)
	}
}

// What is gone is no change, unless pods start without it.
func TestWhatIsAChange(t *testing.T) {
	tests := map[string]struct {
		known revision.Content
		now   string
		want  bool
	}{
		"the same":                      {revision.Content{Digest: "a"}, "a", false},
		"another value":                 {revision.Content{Digest: "a"}, "b", true},
		"gone":                          {revision.Content{Digest: "a"}, "", false},
		"gone, and optional":            {revision.Content{Digest: "a", Optional: true}, "", true},
		"there now":                     {revision.Content{}, "a", true},
		"still not there":               {revision.Content{}, "", false},
		"still not there, and optional": {revision.Content{Optional: true}, "", false},
	}
	for name, tc := range tests {
		if got := Changed(tc.known, tc.now); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Pods start anew with what they consume: no more, no less, and the same in every build.
func TestTheHashOfAPodTemplate(t *testing.T) {
	a := revision.Content{Kind: Secret, Name: "a", Digest: "1", ResourceVersion: "7"}
	b := revision.Content{Kind: Secret, Name: "b", Digest: "2"}
	hash := func(consumed []revision.Content, known ...revision.Content) string {
		t.Helper()
		h, err := Hash(consumed, known)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	uses := []revision.Content{{Kind: Secret, Name: "a"}}
	first := hash(uses, a, b)
	touched := a
	touched.ResourceVersion, touched.UID = "8", "u"
	if hash(uses, touched) != first || len(first) != readable {
		t.Errorf("hash %q and %q", first, hash(uses, touched))
	}
	other := a
	other.Digest = "3"
	if hash(uses, other) == first {
		t.Error("another value has the same hash")
	}
	if hash(uses, b) != "" || hash(nil, a, b) != "" {
		t.Error("what is no reason to restart has a hash")
	}
	if first != "f9d4e5ccc8b834d2" {
		t.Errorf("hash %s: another build of Kudo would restart everybody's pods", first)
	}
}
