// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package revision

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func TestInputsRoundTrip(t *testing.T) {
	in := &Inputs{
		Framework: "zookeeper", FrameworkVersion: "zookeeper-3.8.4", Version: VersionName{"3.8.4", "3.8.4"}, Digest: "d",
		Desired: "e", Plan: "update", Trigger: "spec/2/e", Generation: 1<<53 + 1, Account: "sa", Labels: map[string]string{"team": "a"},
		Params: Values{
			"big": int64(1<<53 + 1), "least": int64(-1 << 63), "huge": uint64(1<<63 + 1), "half": 0.5, "text": "1e3", "yes": true,
			"none": nil, "list": []any{int64(1), "a"}, "object": map[string]any{"n": int64(9007199254740993)},
		},
		Old: Values{}, OldVersion: &VersionName{"3.8.3", "3.8.3"}, Changed: []string{"big"}, Previous: "p",
		Tracked: true, Contents: []Content{{Kind: "Secret", Name: "s", Keys: []string{"a"}, Optional: true, Digest: "f", UID: "u", ResourceVersion: "7"}},
	}
	if err := in.SetProgram(&v1alpha1.FrameworkVersionSpec{Framework: "zookeeper", Version: "3.8.4"}); err != nil {
		t.Fatal(err)
	}
	raw, err := in.Encode()
	if err != nil {
		t.Fatal(err)
	}
	out, err := DecodeInputs(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	again, err := out.Encode()
	if err != nil || !bytes.Equal(again, raw) {
		t.Errorf("encoded again it differs: %v", err)
	}
	program, err := out.GetProgram()
	if err != nil || program.Version != "3.8.4" {
		t.Errorf("program %+v, %v", program, err)
	}
}

// An Instance without parameters that was deployed is not one that never was.
func TestNoOldParametersAreNotEmptyOnes(t *testing.T) {
	for name, old := range map[string]Values{"never deployed": nil, "deployed without parameters": {}} {
		raw, err := (&Inputs{Old: old}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		out, err := DecodeInputs(raw)
		if err != nil {
			t.Fatal(err)
		}
		if (out.Old == nil) != (old == nil) {
			t.Errorf("%s: read back as %#v", name, out.Old)
		}
	}
}

func TestASealedVersionIsNotStored(t *testing.T) {
	if program, err := (&Inputs{}).GetProgram(); program != nil || err != nil {
		t.Errorf("program %v, %v", program, err)
	}
}

func TestWhatIsTooLargeIsRefusedWithItsSize(t *testing.T) {
	_, err := (&Inputs{Params: Values{"a": strings.Repeat("x", MaxSize)}}).Encode()
	if err == nil || !strings.Contains(err.Error(), "more than the 900000 that can be stored: make the parameters smaller") {
		t.Errorf("inputs: %v", err)
	}
	noise := make([]byte, 1<<20)
	source := rand.NewChaCha8([32]byte{})
	if _, err := source.Read(noise); err != nil {
		t.Fatal(err)
	}
	_, err = (&Applied{Objects: []Object{{Task: strings.ToValidUTF8(string(noise), "?")}}}).Encode()
	if err == nil || !strings.Contains(err.Error(), "bytes, more than the 900000") {
		t.Errorf("applied objects: %v", err)
	}
}

func TestBrokenRevisionsAreErrors(t *testing.T) {
	for name, raw := range map[string]string{"nothing": "", "no JSON": "{", "no compression": `{"objects":"AAAA"}`, "list for values": `{"params":[1]}`} {
		_, wrongInputs := DecodeInputs([]byte(raw))
		_, wrongApplied := DecodeApplied([]byte(raw))
		if wrongInputs == nil && wrongApplied == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
}

func TestDigest(t *testing.T) {
	digest := func(v any) string {
		t.Helper()
		d, err := Digest(v)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if digest(map[string]any{"a": 1, "b": 2}) != digest(map[string]any{"b": 2, "a": 1}) {
		t.Error("the order of keys matters")
	}
	if digest(map[string]any{"a": int64(1 << 53)}) == digest(map[string]any{"a": int64(1<<53 + 1)}) {
		t.Error("large integers are not told apart")
	}
}

func object(kind, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"namespace": "prod", "name": name}, "data": map[string]any{"a": "aGVsbG8="},
	}}
}

func TestAppliedRoundTrip(t *testing.T) {
	o, err := NewObject(object("ConfigMap", "a"), "u-1", "config", "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	in := &Applied{Objects: []Object{o}}
	raw, err := in.Encode()
	if err != nil {
		t.Fatal(err)
	}
	out, err := DecodeApplied(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	if found := out.Find("/ConfigMap/prod/a"); found == nil || found.UID != "u-1" {
		t.Errorf("found %+v", found)
	}
	if out.Find("/ConfigMap/prod/b") != nil || (*Applied)(nil).Find("x") != nil {
		t.Error("found what is not there")
	}
}

// Secrets are kept by digest only.
func TestNoRevisionHoldsASecret(t *testing.T) {
	o, err := NewObject(object("Secret", "a"), "u", "t", "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if o.Content != nil || o.Digest == "" {
		t.Errorf("content %s, digest %q", o.Content, o.Digest)
	}
}

// Another version of the same kind is the same object.
func TestKeyIgnoresTheVersion(t *testing.T) {
	a := v1alpha1.ObjectReference{APIVersion: "policy/v1beta1", Kind: "PodDisruptionBudget", Namespace: "n", Name: "x", UID: "1"}
	b := v1alpha1.ObjectReference{APIVersion: "policy/v1", Kind: "PodDisruptionBudget", Namespace: "n", Name: "x", UID: "2"}
	if Key(a) != Key(b) || Key(a) == Key(v1alpha1.ObjectReference{APIVersion: "v1", Kind: "PodDisruptionBudget", Namespace: "n", Name: "x"}) {
		t.Errorf("keys %q and %q", Key(a), Key(b))
	}
}
