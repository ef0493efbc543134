// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Policy is what the objects of one instance may be.
type Policy struct {
	// Namespace is the instance's.
	Namespace string
	// Scope says whether a kind is namespaced, and whether it is known at all.
	// nil is BuiltinScope with unknown kinds let through, for checks without a cluster.
	Scope func(schema.GroupKind) (namespaced, known bool)
	// Declared lists what the FrameworkVersion asks for beyond the ordinary.
	Declared []Permission
	// Metadata is what Decorate has set: reserved keys may stand with these values only.
	Metadata Metadata
	// MaxObjects and MaxBytes bound one task; zero is 1,000 and 1 MiB.
	MaxObjects, MaxBytes int
}

// Permission is a kind that is cluster-scoped, on the deny list, or in another
// namespace, and that a FrameworkVersion declares to apply.
type Permission struct {
	Group, Kind string
	// Namespace is a namespace other than the instance's, or "*" for any.
	Namespace string
}

// declares says whether the version asks for the kind at all.
func (p *Policy) declares(gk schema.GroupKind) bool {
	return slices.ContainsFunc(p.Declared, func(d Permission) bool { return d.Group == gk.Group && d.Kind == gk.Kind })
}

func (p *Policy) declaresNamespace(gk schema.GroupKind, namespace string) bool {
	return slices.ContainsFunc(p.Declared, func(d Permission) bool {
		return d.Group == gk.Group && d.Kind == gk.Kind && (d.Namespace == "*" || d.Namespace == namespace)
	})
}

// sensitive says why a kind is on the deny list, or gives "".
func sensitive(gk schema.GroupKind) string {
	switch gk.Group {
	case "rbac.authorization.k8s.io":
		return "it grants rights"
	case "admissionregistration.k8s.io":
		return "it decides over the requests of everyone"
	case "apiextensions.k8s.io", "apiregistration.k8s.io":
		return "it changes the API of the cluster"
	case "certificates.k8s.io":
		return "it issues credentials"
	case "authentication.k8s.io", "authorization.k8s.io":
		return "it is a question about identity and rights, and no object to keep"
	case "flowcontrol.apiserver.k8s.io":
		return "it decides over the requests of everyone"
	case "packages.kudo.dev":
		return "a template makes an Instance instead, whose depth is checked"
	case "kudo.dev":
		if gk.Kind != "Instance" {
			return "of Kudo's own kinds templates may only make Instances"
		}
	case "":
		return sensitiveCore[gk.Kind]
	}
	return ""
}

var sensitiveCore = map[string]string{ //nolint:gosec // reasons, not credentials
	"Node":             "it is part of the cluster",
	"Namespace":        "it holds the objects of others",
	"TokenRequest":     "it issues credentials",
	"PersistentVolume": "it gives access to storage of the cluster",
	"Binding":          "it places pods past the scheduler",
	"Eviction":         "it ends pods",
}

// BuiltinScope knows the kinds that every cluster has.
func BuiltinScope(gk schema.GroupKind) (namespaced, known bool) {
	if slices.Contains(clusterScoped[gk.Group], gk.Kind) {
		return false, true
	}
	return true, slices.Contains(namespaceScoped[gk.Group], gk.Kind)
}

var clusterScoped = map[string][]string{
	"":                             {"Namespace", "Node", "PersistentVolume", "ComponentStatus"},
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
	"admissionregistration.k8s.io": {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"},
	"apiextensions.k8s.io":         {"CustomResourceDefinition"},
	"apiregistration.k8s.io":       {"APIService"},
	"authentication.k8s.io":        {"TokenReview", "SelfSubjectReview"},
	"authorization.k8s.io":         {"SubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview"},
	"certificates.k8s.io":          {"CertificateSigningRequest", "ClusterTrustBundle"},
	"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
	"networking.k8s.io":            {"IngressClass", "IPAddress", "ServiceCIDR"},
	"node.k8s.io":                  {"RuntimeClass"},
	"resource.k8s.io":              {"DeviceClass", "ResourceSlice"},
	"scheduling.k8s.io":            {"PriorityClass"},
	"storage.k8s.io":               {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"},
	"kudo.dev":                     {"Framework", "FrameworkVersion"},
}

var namespaceScoped = map[string][]string{
	"": {
		"Binding", "ConfigMap", "Endpoints", "Event", "LimitRange", "PersistentVolumeClaim", "Pod", "PodTemplate",
		"ReplicationController", "ResourceQuota", "Secret", "Service", "ServiceAccount",
	},
	"apps":                      {"ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"},
	"autoscaling":               {"HorizontalPodAutoscaler"},
	"batch":                     {"CronJob", "Job"},
	"coordination.k8s.io":       {"Lease"},
	"discovery.k8s.io":          {"EndpointSlice"},
	"events.k8s.io":             {"Event"},
	"networking.k8s.io":         {"Ingress", "NetworkPolicy"},
	"policy":                    {"PodDisruptionBudget"},
	"rbac.authorization.k8s.io": {"Role", "RoleBinding"},
	"resource.k8s.io":           {"ResourceClaim", "ResourceClaimTemplate"},
	"storage.k8s.io":            {"CSIStorageCapacity"},
	"authorization.k8s.io":      {"LocalSubjectAccessReview"},
	"kudo.dev":                  {"Instance", "PlanExecution"},
}

// podMetadata lists the templates of pods and claims inside an object.
func podMetadata(obj *unstructured.Unstructured) map[string]map[string]any {
	out := map[string]map[string]any{}
	for path, fields := range map[string][]string{
		"spec.template.metadata":                  {"spec", "template", "metadata"},
		"spec.jobTemplate.metadata":               {"spec", "jobTemplate", "metadata"},
		"spec.jobTemplate.spec.template.metadata": {"spec", "jobTemplate", "spec", "template", "metadata"},
	} {
		if v, found, err := unstructured.NestedFieldNoCopy(obj.Object, fields...); err == nil && found {
			if m, ok := v.(map[string]any); ok {
				out[path] = m
			}
		}
	}
	claims, _, _ := unstructured.NestedFieldNoCopy(obj.Object, "spec", "volumeClaimTemplates")
	list, _ := claims.([]any)
	for i, claim := range list {
		if m, ok := claim.(map[string]any); ok {
			if meta, ok := m["metadata"].(map[string]any); ok {
				out[fmt.Sprintf("spec.volumeClaimTemplates[%d].metadata", i)] = meta
			}
		}
	}
	return out
}
