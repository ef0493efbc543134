// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworkversion

import (
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
)

const version = `
spec:
  framework: app
  version: 1.0.0
  parameters:
  - {name: pdb, schema: {type: boolean}, default: false}
  templates:
  - name: all.yaml
    content: |
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: a}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: a}
      ---
      apiVersion: example.com/v1
      kind: Widget
      metadata: {name: a}
      {{ if .Params.pdb }}
      ---
      apiVersion: policy/v1
      kind: PodDisruptionBudget
      metadata: {name: a}
      {{ end }}
`

func frameworkVersion(t *testing.T) *v1alpha1.FrameworkVersion {
	t.Helper()
	fwv := &v1alpha1.FrameworkVersion{}
	if err := yaml.UnmarshalStrict([]byte(version), fwv); err != nil {
		t.Fatal(err)
	}
	graph.Default(&fwv.Spec, nil)
	return fwv
}

func reconciler() *Reconciler {
	mapper := meta.NewDefaultRESTMapper(nil)
	for gvk, scope := range map[schema.GroupVersionKind]meta.RESTScope{
		{Version: "v1", Kind: "ConfigMap"}:                            meta.RESTScopeNamespace,
		{Version: "v1", Kind: "Service"}:                              meta.RESTScopeNamespace,
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}: meta.RESTScopeNamespace,
	} {
		mapper.Add(gvk, scope)
	}
	return &Reconciler{Mapper: mapper, Versions: graph.NewCache(), Clock: clocktesting.NewFakePassiveClock(time.Unix(1, 0))}
}

// compileAgain is what a reconciliation makes of the version.
func compileAgain(r *Reconciler, fwv *v1alpha1.FrameworkVersion) metav1.Condition {
	v, errs := r.Versions.Compile(&fwv.Spec)
	valid := r.valid(fwv, v, errs)
	r.set(fwv, valid)
	r.set(fwv, sealed(fwv))
	fwv.Status.ObservedGeneration = 1
	return valid
}

// Case 46: where CEL does not look and the webhook was off, the digest tells.
func TestASealedVersionThatChangedIsReported(t *testing.T) {
	r, fwv := reconciler(), frameworkVersion(t)
	if c := compileAgain(r, fwv); c.Status != metav1.ConditionTrue || c.Message != "1 parameters, 1 templates, 1 plans" {
		t.Fatalf("condition %+v", c)
	}
	digest := fwv.Status.Digest
	fwv.Spec.Description = "edited"
	if c := compileAgain(r, fwv); c.Reason != v1alpha1.ReasonSpecChanged || fwv.Status.Digest != digest {
		t.Errorf("after the edit: %s, digest changed: %v", c.Reason, fwv.Status.Digest != digest)
	}
	fwv.Spec.Description = ""
	if c := compileAgain(r, fwv); c.Status != metav1.ConditionTrue {
		t.Errorf("put back: %+v", c)
	}
}

func TestADevelopmentVersionMayChangeUntilItIsSealed(t *testing.T) {
	r, fwv := reconciler(), frameworkVersion(t)
	fwv.Spec.Development = true
	compileAgain(r, fwv)
	fwv.Spec.Description = "edited"
	if c := compileAgain(r, fwv); c.Status != metav1.ConditionTrue {
		t.Errorf("edited: %+v", c)
	}
	fwv.Spec.Development, fwv.Spec.Description = false, "sealed"
	if c := compileAgain(r, fwv); c.Status != metav1.ConditionTrue {
		t.Errorf("sealed with an edit: %+v", c)
	}
	fwv.Spec.Description = "edited again"
	if c := compileAgain(r, fwv); c.Reason != v1alpha1.ReasonSpecChanged {
		t.Errorf("edited after that: %+v", c)
	}
}

func TestAVersionThatDoesNotCompileSaysWhere(t *testing.T) {
	r, fwv := reconciler(), frameworkVersion(t)
	compileAgain(r, fwv)
	fwv.Spec.Templates[0].Content = "{{"
	c := compileAgain(r, fwv)
	if c.Reason != v1alpha1.ReasonInvalid || !strings.Contains(c.Message, "all.yaml:1") || fwv.Status.Plans != nil || fwv.Status.Rules != nil {
		t.Errorf("condition %+v, plans %v", c, fwv.Status.Plans)
	}
}

// What waits for a version by the rules of kstatus ends with an error where it is not valid.
func TestAnInvalidVersionIsStalled(t *testing.T) {
	r, fwv := reconciler(), frameworkVersion(t)
	invalid := metav1.Condition{Type: v1alpha1.ConditionValid, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonInvalid, Message: "wrong"}
	r.stall(fwv, invalid)
	c := meta.FindStatusCondition(fwv.Status.Conditions, v1alpha1.ConditionStalled)
	if c == nil || c.Status != metav1.ConditionTrue || c.Reason != v1alpha1.ReasonInvalid || c.Message != "wrong" {
		t.Errorf("of an invalid version: %+v", c)
	}
	invalid.Status = metav1.ConditionTrue
	r.stall(fwv, invalid)
	if c := meta.FindStatusCondition(fwv.Status.Conditions, v1alpha1.ConditionStalled); c != nil {
		t.Errorf("of a valid version: %+v", c)
	}
}

// A version that was never rendered is valid, but what it needs is not known: it says so.
func TestAVersionThatCanNotBeTriedSaysSo(t *testing.T) {
	for name, tt := range map[string]struct {
		schema string
		words  string
		rules  bool
	}{
		"no sample":  {`{"type":"string","pattern":"^[a-z]+$","minLength":9}`, "the rights that an Instance needs are not known: no value was found that fits the schema of code", false},
		"an example": {`{"type":"string","pattern":"^[a-z]+$","minLength":9,"example":"ninetimes"}`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			fwv := frameworkVersion(t)
			fwv.Spec.Parameters = append(fwv.Spec.Parameters, v1alpha1.Parameter{
				Name: "code", Required: true, Schema: &apiextensionsv1.JSON{Raw: []byte(tt.schema)},
			})
			got := compileAgain(reconciler(), fwv)
			if got.Status != metav1.ConditionTrue || !strings.Contains(got.Message, tt.words) || strings.Contains(got.Message, "not known") == tt.rules {
				t.Errorf("the condition says %s: %q", got.Status, got.Message)
			}
			if (len(fwv.Status.Rules) > 0) != tt.rules {
				t.Errorf("rules %v", fwv.Status.Rules)
			}
		})
	}
}
