// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import "slices"

// api is a version of an API that Kubernetes no longer serves, or will not for long.
type api struct {
	version string
	kinds   []string
	// successor is the version that has the same fields; empty if a person must look.
	successor string
	// why and do say what else there is to know.
	why, do string
}

const (
	removed = "Kubernetes no longer serves it"
	same    = "; its successor has the same fields"
)

// oldAPIs are the versions that packages of KUDO's time name.
var oldAPIs = []api{
	{version: "extensions/v1beta1", kinds: []string{"Deployment", "DaemonSet", "ReplicaSet"}, successor: "apps/v1", why: removed + " (since 1.16)" + same},
	{version: "apps/v1beta1", kinds: []string{"Deployment", "StatefulSet", "ControllerRevision"}, successor: "apps/v1", why: removed + " (since 1.16)" + same},
	{version: "apps/v1beta2", kinds: []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ControllerRevision"}, successor: "apps/v1", why: removed + " (since 1.16)" + same},
	{version: "extensions/v1beta1", kinds: []string{"NetworkPolicy"}, successor: "networking.k8s.io/v1", why: removed + " (since 1.16)" + same},
	{
		version: "policy/v1beta1", kinds: []string{"PodDisruptionBudget"}, successor: "policy/v1",
		why: removed + " (since 1.25)" + same + ", but an empty selector selects all pods, not none",
	},
	{version: "rbac.authorization.k8s.io/v1beta1", kinds: rbacKinds, successor: "rbac.authorization.k8s.io/v1", why: removed + " (since 1.22)" + same},
	{version: "rbac.authorization.k8s.io/v1alpha1", kinds: rbacKinds, successor: "rbac.authorization.k8s.io/v1", why: removed + " (since 1.22)" + same},
	{version: "batch/v1beta1", kinds: []string{"CronJob"}, successor: "batch/v1", why: removed + " (since 1.25)" + same},
	{version: "batch/v2alpha1", kinds: []string{"CronJob"}, successor: "batch/v1", why: removed + " (since 1.21)" + same},
	{version: "autoscaling/v2beta2", kinds: []string{"HorizontalPodAutoscaler"}, successor: "autoscaling/v2", why: removed + " (since 1.26)" + same},
	{
		version: "autoscaling/v2beta1", kinds: []string{"HorizontalPodAutoscaler"}, why: removed + " (since 1.25)",
		do: "write it for autoscaling/v2: the targets of metrics stand in a field target there",
	},
	{version: "scheduling.k8s.io/v1beta1", kinds: []string{"PriorityClass"}, successor: "scheduling.k8s.io/v1", why: removed + " (since 1.22)" + same},
	{version: "scheduling.k8s.io/v1alpha1", kinds: []string{"PriorityClass"}, successor: "scheduling.k8s.io/v1", why: removed + " (since 1.17)" + same},
	{
		version: "storage.k8s.io/v1beta1", kinds: []string{"StorageClass", "CSIDriver", "CSINode", "VolumeAttachment"}, successor: "storage.k8s.io/v1",
		why: removed + " (since 1.22)" + same,
	},
	{version: "coordination.k8s.io/v1beta1", kinds: []string{"Lease"}, successor: "coordination.k8s.io/v1", why: removed + " (since 1.22)" + same},
	{version: "apiregistration.k8s.io/v1beta1", kinds: []string{"APIService"}, successor: "apiregistration.k8s.io/v1", why: removed + " (since 1.22)" + same},
	{version: "node.k8s.io/v1beta1", kinds: []string{"RuntimeClass"}, successor: "node.k8s.io/v1", why: removed + " (since 1.25)" + same},
	{version: "networking.k8s.io/v1beta1", kinds: []string{"IngressClass"}, successor: "networking.k8s.io/v1", why: removed + " (since 1.22)" + same},
	{version: "networking.k8s.io/v1beta1", kinds: []string{"Ingress"}, why: removed + " (since 1.22)", do: ingressFields},
	{version: "extensions/v1beta1", kinds: []string{"Ingress"}, why: removed + " (since 1.22)", do: ingressFields},
	{
		version: "apiextensions.k8s.io/v1beta1", kinds: []string{"CustomResourceDefinition"}, why: removed + " (since 1.22)",
		do: "write it for apiextensions.k8s.io/v1: each of spec.versions has a schema there",
	},
	{
		version: "admissionregistration.k8s.io/v1beta1", kinds: []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}, why: removed + " (since 1.22)",
		do: "write it for admissionregistration.k8s.io/v1: sideEffects and admissionReviewVersions are required there",
	},
	{version: "discovery.k8s.io/v1beta1", kinds: []string{"EndpointSlice"}, why: removed + " (since 1.25)", do: "write it for discovery.k8s.io/v1: topology became deprecatedTopology and zone"},
	{version: "certificates.k8s.io/v1beta1", kinds: []string{"CertificateSigningRequest"}, why: removed + " (since 1.22)", do: "write it for certificates.k8s.io/v1: signerName and usages are required there"},
	{version: "policy/v1beta1", kinds: []string{"PodSecurityPolicy"}, why: removed + " (since 1.25), and there is no successor", do: "remove it, and use Pod Security Admission"},
	{version: "extensions/v1beta1", kinds: []string{"PodSecurityPolicy"}, why: removed + " (since 1.16), and there is no successor", do: "remove it, and use Pod Security Admission"},
}

var rbacKinds = []string{"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}

const ingressFields = "write it for networking.k8s.io/v1: backends are service.name and service.port there, and pathType is required"

func oldAPI(apiVersion, kind string) (api, bool) {
	i := slices.IndexFunc(oldAPIs, func(a api) bool { return a.version == apiVersion && slices.Contains(a.kinds, kind) })
	if i < 0 {
		return api{}, false
	}
	return oldAPIs[i], true
}
