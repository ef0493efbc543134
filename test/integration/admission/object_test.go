// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/testing/install"
)

const frameworkYAML = `
apiVersion: kudo.dev/v1alpha1
kind: Framework
metadata: {name: app}
spec: {displayName: App}
`

const versionYAML = `
apiVersion: kudo.dev/v1alpha1
kind: FrameworkVersion
metadata: {name: app-1.0.0}
spec:
  framework: app
  version: 1.0.0
  parameters:
  - {name: size, schema: {type: integer, minimum: 1, maximum: 7}, default: 3}
  - {name: mode, schema: {type: string, enum: [fast, slow]}, default: fast}
  - {name: disk, default: ssd, immutable: true}
  - {name: zone, required: true}
  templates:
  - name: config.yaml
    content: |
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: "{{ .Instance.Name }}-config"}
      data: {size: "{{ .Params.size }}"}
  tasks:
  - {name: config, apply: {templates: [config.yaml]}}
  plans:
  - name: deploy
    phases: [{name: main, steps: [{name: config, tasks: [{task: config}]}]}]
  - name: update
    phases: [{name: main, steps: [{name: config, tasks: [{task: config}]}]}]
`

const instanceYAML = `
apiVersion: kudo.dev/v1alpha1
kind: Instance
metadata: {name: one, namespace: default}
spec:
  framework: app
  version: 1.0.0
  serviceAccountName: deployer
  parameters: {zone: a}
`

const executionYAML = `
apiVersion: kudo.dev/v1alpha1
kind: PlanExecution
metadata: {name: run, namespace: default}
spec: {instance: one, plan: deploy}
`

// set holds changes of an object: YAML by the path of the field, with dots between.
type set map[string]string

// object parses a manifest and changes it.
func object(t testing.TB, manifest string, changes ...set) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &o.Object); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		for _, path := range slices.Sorted(maps.Keys(c)) {
			put(t, o, path, c[path])
		}
	}
	return o
}

func put(t testing.TB, o *unstructured.Unstructured, path, text string) {
	t.Helper()
	fields := strings.Split(path, ".")
	if text == "-" {
		unstructured.RemoveNestedField(o.Object, fields...)
		return
	}
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := unstructured.SetNestedField(o.Object, value, fields...); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// versionOf is the version of a framework of its own.
func versionOf(t testing.TB, framework, version string, changes ...set) *unstructured.Unstructured {
	t.Helper()
	own := set{"metadata.name": framework + "-" + version, "spec.framework": framework, "spec.version": version}
	return object(t, versionYAML, append([]set{own}, changes...)...)
}

func instanceOf(t testing.TB, namespace, name, framework, version string, changes ...set) *unstructured.Unstructured {
	t.Helper()
	own := set{"metadata.name": name, "metadata.namespace": namespace, "spec.framework": framework, "spec.version": `"` + version + `"`}
	return object(t, instanceYAML, append([]set{own}, changes...)...)
}

func executionOf(t testing.TB, namespace, name, instance, plan string, changes ...set) *unstructured.Unstructured {
	t.Helper()
	own := set{"metadata.name": name, "metadata.namespace": namespace, "spec.instance": instance, "spec.plan": plan}
	return object(t, executionYAML, append([]set{own}, changes...)...)
}

// The layers that refuse.
const (
	server  = "server"  // the API server itself, before Kudo is asked
	schema  = "schema"  // the CRD: structure, bounds and CEL
	webhook = "webhook" // a webhook of Kudo
	policy  = "policy"  // a ValidatingAdmissionPolicy of Kudo
)

// layerOf tells who refused from how the refusal is worded and coded.
func layerOf(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return "none"
	}
	s := status.Status()
	switch {
	case strings.Contains(s.Message, "admission webhook"):
		return webhook
	case strings.Contains(s.Message, "ValidatingAdmissionPolicy"):
		return policy
	case s.Reason == metav1.StatusReasonInvalid && s.Details != nil && s.Details.Group == "kudo.dev":
		return schema
	}
	return server
}

// refusal is what must come of a request.
type refusal struct {
	layer  string
	code   int32
	reason metav1.StatusReason
	words  []string
}

func invalid(layer string, words ...string) refusal {
	return refusal{layer, 422, metav1.StatusReasonInvalid, words}
}

func forbidden(layer string, words ...string) refusal {
	return refusal{layer, 403, metav1.StatusReasonForbidden, words}
}

func badRequest(layer string, words ...string) refusal {
	return refusal{layer, 400, metav1.StatusReasonBadRequest, words}
}

// undecodable is what a webhook answers to a value that it can not read at all.
func undecodable(words ...string) refusal { return refusal{webhook, 400, "", words} }

// check says where a refusal is not as it should be.
func (r refusal) check(t *testing.T, err error) {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		t.Fatalf("got %v, want a refusal by the %s", err, r.layer)
	}
	s := status.Status()
	if got := layerOf(err); got != r.layer || s.Code != r.code || s.Reason != r.reason {
		t.Errorf("refused by %s with %d %s, want %s with %d %s", got, s.Code, s.Reason, r.layer, r.code, r.reason)
	}
	missing := false
	for _, words := range r.words {
		if !strings.Contains(s.Message, words) {
			missing = true
			t.Errorf("the answer does not say %q", words)
		}
	}
	if missing || t.Failed() {
		t.Logf("answer: %.2000s", s.Message)
	}
}

// try creates an object without storing it, strictly as kubectl does.
func try(t *testing.T, c client.Client, o *unstructured.Unstructured, options ...client.CreateOption) error {
	t.Helper()
	options = append(options, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
	return c.Create(t.Context(), o.DeepCopy(), options...)
}

// create stores an object and removes it with the test.
func create(t *testing.T, c client.Client, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	if err := c.Create(t.Context(), o); err != nil {
		t.Fatalf("creating %s %s: %v", o.GetKind(), o.GetName(), err)
	}
	return o
}

// as is the client of another user; warnings that it gets are kept.
func (w *world) as(t *testing.T, user string, groups ...string) (client.Client, *warnings) {
	t.Helper()
	config := rest.CopyConfig(w.Cluster.Config)
	if user != "" {
		config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	}
	heard := &warnings{}
	config.WarningHandlerWithContext = heard
	c, err := install.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, heard
}

func isTrue(conditions []metav1.Condition, kind string) bool {
	return meta.IsStatusConditionTrue(conditions, kind)
}
