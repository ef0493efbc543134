// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

func object1(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	objs := objects(t, text)
	if len(objs) != 1 {
		t.Fatalf("got %d objects, want 1", len(objs))
	}
	return objs[0]
}

func objects(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	objs, err := renderOne(t, text, params())
	if err != nil {
		t.Fatal(err)
	}
	return objs
}

func manifest(version, kind, rest string) string {
	return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: a}\n" + rest
}

// widgets is a cluster with one CustomResourceDefinition of each scope.
func widgets(gk schema.GroupKind) (namespaced, known bool) {
	switch gk {
	case schema.GroupKind{Group: "example.com", Kind: "Widget"}:
		return true, true
	case schema.GroupKind{Group: "example.com", Kind: "ClusterWidget"}:
		return false, true
	}
	return BuiltinScope(gk)
}

func TestGateRefusesWhatAnInstanceMayNotHave(t *testing.T) {
	cases := map[string]struct {
		text     string
		declared []Permission
		want     string
		reason   Reason
	}{
		"case 26 cluster scope":       {manifest("example.com/v1", "ClusterWidget", ""), nil, "ClusterWidget/a: kind: ClusterWidget.example.com is cluster-scoped; declare it", ReasonForbidden},
		"case 26 other namespace":     {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, namespace: kube-system}", 1), nil, "ConfigMap/a: metadata.namespace: the object is in another namespace than the instance", ReasonForbidden},
		"case 26 declared elsewhere":  {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, namespace: kube-system}", 1), []Permission{{Kind: "ConfigMap", Namespace: "other"}}, "another namespace", ReasonForbidden},
		"namespace on cluster scope":  {strings.Replace(manifest("example.com/v1", "ClusterWidget", ""), "{name: a}", "{name: a, namespace: prod}", 1), []Permission{{Group: "example.com", Kind: "ClusterWidget"}}, "is cluster-scoped and has no namespace", ReasonForbidden},
		"unknown kind":                {manifest("nobody.io/v1", "Thing", ""), nil, "Thing.nobody.io is not known to the cluster; install its CustomResourceDefinition first", ReasonUnknownKind},
		"case 29 reserved label":      {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, labels: {kudo.dev/instance: b}}", 1), nil, "metadata.labels: kudo.dev/instance is set by Kudo", ReasonForbidden},
		"case 29 subdomain":           {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, annotations: {packages.kudo.dev/x: b}}", 1), nil, "metadata.annotations: packages.kudo.dev/x is set by Kudo", ReasonForbidden},
		"case 29 managed-by":          {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, labels: {app.kubernetes.io/managed-by: Helm}}", 1), nil, "app.kubernetes.io/managed-by is set by Kudo", ReasonForbidden},
		"case 29 pod template":        {manifest("apps/v1", "Deployment", "spec: {template: {metadata: {labels: {kudo.dev/instance: b}}}}"), nil, "spec.template.metadata.labels: kudo.dev/instance is set by Kudo", ReasonForbidden},
		"case 29 claim template":      {manifest("apps/v1", "StatefulSet", "spec: {volumeClaimTemplates: [{metadata: {name: d, ownerReferences: []}}]}"), nil, "spec.volumeClaimTemplates[0].metadata.ownerReferences", ReasonForbidden},
		"case 29 owner":               {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, ownerReferences: [{uid: x}]}", 1), nil, "metadata.ownerReferences: owners are set by Kudo", ReasonForbidden},
		"case 29 finalizer":           {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, finalizers: [kudo.dev/x]}", 1), nil, "metadata.finalizers: kudo.dev/x is managed", ReasonForbidden},
		"case 29 foreground":          {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, finalizers: [foregroundDeletion]}", 1), nil, "foregroundDeletion is managed", ReasonForbidden},
		"uid":                         {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, uid: x}", 1), nil, "metadata.uid: is written by the API server", ReasonForbidden},
		"resourceVersion":             {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, resourceVersion: \"1\"}", 1), nil, "metadata.resourceVersion", ReasonForbidden},
		"managedFields":               {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, managedFields: []}", 1), nil, "metadata.managedFields", ReasonForbidden},
		"creationTimestamp":           {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, creationTimestamp: \"2020-01-01T00:00:00Z\"}", 1), nil, "metadata.creationTimestamp", ReasonForbidden},
		"status":                      {manifest("v1", "Pod", "status: {phase: Running}"), nil, "Pod/a: status: is written by controllers", ReasonForbidden},
		"case 31 execution":           {manifest("kudo.dev/v1alpha1", "PlanExecution", ""), nil, "PlanExecution.kudo.dev is not allowed: of Kudo's own kinds templates may only make Instances", ReasonForbidden},
		"case 31 version":             {manifest("kudo.dev/v1alpha1", "FrameworkVersion", ""), nil, "FrameworkVersion.kudo.dev is not allowed", ReasonForbidden},
		"case 32 role":                {manifest("rbac.authorization.k8s.io/v1", "Role", ""), nil, "is not allowed: it grants rights; declare it", ReasonForbidden},
		"case 32 cluster role":        {manifest("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", ""), nil, "it grants rights", ReasonForbidden},
		"case 32 webhook":             {manifest("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", ""), nil, "is not allowed", ReasonForbidden},
		"case 32 policy":              {manifest("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", ""), nil, "is not allowed", ReasonForbidden},
		"case 32 definition":          {manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", ""), nil, "it changes the API of the cluster", ReasonForbidden},
		"case 32 API service":         {manifest("apiregistration.k8s.io/v1", "APIService", ""), nil, "is not allowed", ReasonForbidden},
		"case 32 node":                {manifest("v1", "Node", ""), nil, "Node is not allowed: it is part of the cluster", ReasonForbidden},
		"case 32 namespace":           {manifest("v1", "Namespace", ""), nil, "Namespace is not allowed", ReasonForbidden},
		"case 32 signing request":     {manifest("certificates.k8s.io/v1", "CertificateSigningRequest", ""), nil, "it issues credentials", ReasonForbidden},
		"case 32 token":               {manifest("authentication.k8s.io/v1", "TokenReview", ""), nil, "is not allowed", ReasonForbidden},
		"case 24 Service":             {strings.Replace(manifest("v1", "Service", ""), "name: a", "name: a"+strings.Repeat("x", 63), 1), nil, "metadata.name: has 64 characters, more than the 63 that a Service may have; shorten", ReasonForbidden},
		"case 24 StatefulSet":         {strings.Replace(manifest("apps/v1", "StatefulSet", ""), "name: a", "name: a"+strings.Repeat("x", 63), 1), nil, "more than the 63 that a StatefulSet may have", ReasonForbidden},
		"case 24 CronJob":             {strings.Replace(manifest("batch/v1", "CronJob", ""), "name: a", "name: a"+strings.Repeat("x", 52), 1), nil, "more than the 52 that a CronJob may have", ReasonForbidden},
		"case 24 ConfigMap":           {strings.Replace(manifest("v1", "ConfigMap", ""), "name: a", "name: a"+strings.Repeat("x", 252), 1), nil, "", ""},
		"declared role":               {manifest("rbac.authorization.k8s.io/v1", "Role", ""), []Permission{{Group: "rbac.authorization.k8s.io", Kind: "Role"}}, "", ""},
		"declared cluster scope":      {manifest("example.com/v1", "ClusterWidget", ""), []Permission{{Group: "example.com", Kind: "ClusterWidget"}}, "", ""},
		"declared namespace":          {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, namespace: other}", 1), []Permission{{Kind: "ConfigMap", Namespace: "other"}}, "", ""},
		"own label with our value":    {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, labels: {kudo.dev/instance: zk}}", 1), nil, "", ""},
		"own namespace":               {strings.Replace(manifest("v1", "ConfigMap", ""), "{name: a}", "{name: a, namespace: prod}", 1), nil, "", ""},
		"foreign finalizer and empty": {strings.Replace(manifest("v1", "ConfigMap", "status: null"), "{name: a}", "{name: a, finalizers: [example.com/x], creationTimestamp: null}", 1), nil, "", ""},
		"case 31 child instance":      {manifest("kudo.dev/v1alpha1", "Instance", ""), nil, "", ""},
		"custom resource":             {manifest("example.com/v1", "Widget", ""), nil, "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := Gate(objects(t, tc.text), Policy{Namespace: "prod", Scope: widgets, Declared: tc.declared, Metadata: Metadata{Labels: map[string]string{"kudo.dev/instance": "zk"}}})
			if tc.want == "" {
				if err != nil {
					t.Fatalf("got %v, want the object to pass", err)
				}
				return
			}
			wantError(t, err, tc.reason, tc.want)
		})
	}
}

func TestGateFillsInANamespaceAndMovesNothing(t *testing.T) {
	objs := objects(t, manifest("v1", "ConfigMap", "")+"---\n"+manifest("v1", "Secret", "")+"---\n"+manifest("example.com/v1", "ClusterWidget", ""))
	objs[1].SetNamespace("other")
	p := Policy{Namespace: "prod", Scope: widgets, Declared: []Permission{{Kind: "Secret", Namespace: "*"}, {Group: "example.com", Kind: "ClusterWidget"}}}
	if err := Gate(objs, p); err != nil {
		t.Fatal(err)
	}
	got := []string{objs[0].GetNamespace(), objs[1].GetNamespace(), objs[2].GetNamespace()}
	if diff := cmp.Diff([]string{"prod", "other", ""}, got); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
}

func TestGateWithoutAClusterLetsUnknownKindsThrough(t *testing.T) {
	if err := Gate(objects(t, manifest("nobody.io/v1", "Thing", "")), Policy{Namespace: "prod"}); err != nil {
		t.Error(err)
	}
	err := Gate(objects(t, manifest("storage.k8s.io/v1", "StorageClass", "")), Policy{Namespace: "prod"})
	wantError(t, err, ReasonForbidden, "is cluster-scoped")
}

func TestGateReportsEveryObjectAndTheirSize(t *testing.T) {
	objs := objects(t, manifest("v1", "Node", "")+"---\n"+manifest("v1", "Namespace", ""))
	err := Gate(objs, Policy{Namespace: "prod"})
	for _, want := range []string{"Node/a", "Namespace/a"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
	pods := objects(t, manifest("v1", "Pod", "")+"---\n"+manifest("v1", "Secret", ""))
	wantError(t, Gate(pods, Policy{Namespace: "prod", MaxObjects: 1}), ReasonLimit, "the task has 2 objects, more than 1")
	wantError(t, Gate(pods, Policy{Namespace: "prod", MaxBytes: 10}), ReasonLimit, "the objects of the task are larger than")
	twice := []*unstructured.Unstructured{pods[0], pods[0].DeepCopy()}
	twice[1].SetNamespace("")
	wantError(t, Gate(twice, Policy{Namespace: "prod"}), ReasonForbidden, "Pod/a: stands twice in one task")
}

func TestDecorateAddsMetadataToTheObjectsOnly(t *testing.T) {
	obj := object1(t, strings.Replace(manifest("apps/v1", "Deployment", "spec: {template: {metadata: {labels: {app: a}}}}"), "{name: a}", "{name: a, labels: {app.kubernetes.io/component: server, own: x}}", 1))
	err := Decorate([]*unstructured.Unstructured{obj}, Metadata{
		Labels:      map[string]string{"kudo.dev/instance": "zk", "app.kubernetes.io/managed-by": "kudo", "app.kubernetes.io/component": "default"},
		Annotations: map[string]string{"kudo.dev/task": "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
  labels: {kudo.dev/instance: zk, app.kubernetes.io/managed-by: kudo, app.kubernetes.io/component: server, own: x}
  annotations: {kudo.dev/task: x}
spec: {template: {metadata: {labels: {app: a}}}}`
	diffObject(t, want, obj)
	obj.SetLabels(map[string]string{"kudo.dev/instance": "other"})
	err = Decorate([]*unstructured.Unstructured{obj}, Metadata{Labels: map[string]string{"kudo.dev/instance": "zk"}})
	wantError(t, err, ReasonForbidden, "Deployment/a: metadata.labels: kudo.dev/instance is set by Kudo")
}

func diffObject(t *testing.T, want string, got *unstructured.Unstructured) {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(want), &m); err != nil {
		t.Fatal(err)
	}
	wanted, err := plainData(m, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, any(got.Object)); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
}
