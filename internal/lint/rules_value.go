// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// words are fields of Kubernetes that take a few words only, wherever they stand.
var words = map[string][]string{
	"accessModes":                {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"},
	"completionMode":             {"NonIndexed", "Indexed"},
	"concurrencyPolicy":          {"Allow", "Forbid", "Replace"},
	"dnsPolicy":                  {"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"},
	"effect":                     {"NoSchedule", "PreferNoSchedule", "NoExecute"},
	"externalTrafficPolicy":      {"Cluster", "Local"},
	"fsGroupChangePolicy":        {"OnRootMismatch", "Always"},
	"imagePullPolicy":            {"Always", "IfNotPresent", "Never"},
	"internalTrafficPolicy":      {"Cluster", "Local"},
	"ipFamilyPolicy":             {"SingleStack", "PreferDualStack", "RequireDualStack"},
	"pathType":                   {"Exact", "Prefix", "ImplementationSpecific"},
	"podManagementPolicy":        {"OrderedReady", "Parallel"},
	"policyTypes":                {"Ingress", "Egress"},
	"preemptionPolicy":           {"PreemptLowerPriority", "Never"},
	"protocol":                   {"TCP", "UDP", "SCTP"},
	"restartPolicy":              {"Always", "OnFailure", "Never"},
	"scheme":                     {"HTTP", "HTTPS"},
	"sessionAffinity":            {"None", "ClientIP"},
	"terminationMessagePolicy":   {"File", "FallbackToLogsOnError"},
	"unhealthyPodEvictionPolicy": {"IfHealthyBudget", "AlwaysAllow"},
	"volumeMode":                 {"Filesystem", "Block"},
	"whenDeleted":                {"Retain", "Delete"},
	"whenScaled":                 {"Retain", "Delete"},
	"whenUnsatisfiable":          {"DoNotSchedule", "ScheduleAnyway"},
}

// kindsOf are the types of what has a type, by the path of the field.
var kindsOf = map[string]map[string][]string{
	"Service":     {"spec.type": {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}},
	"Deployment":  {"spec.strategy.type": {"RollingUpdate", "Recreate"}},
	"StatefulSet": {"spec.updateStrategy.type": {"RollingUpdate", "OnDelete"}},
	"DaemonSet":   {"spec.updateStrategy.type": {"RollingUpdate", "OnDelete"}},
}

// freely are fields whose keys are not those of Kubernetes.
var freely = []string{"labels", "annotations", "matchLabels", "nodeSelector", "selector", "data", "stringData", "binaryData", "parameters"}

var unknownValue = eachObject(func(o *object, r *reporter) {
	if typed(o.GroupVersionKind()) == nil {
		return
	}
	say := func(path []string, value string, known []string) {
		r.object(o, path, "%s can not be %q: %s", strings.Join(path, "."), value, strings.Join(known, ", "))
	}
	eachWord(o.Object, nil, say)
	for path, known := range kindsOf[o.GetKind()] {
		if value := o.text(steps(path)...); value != "" && !slices.Contains(known, value) {
			say(steps(path), value, known)
		}
	}
})

// eachWord finds values that are none of the words of their field.
func eachWord(v any, path []string, say func(path []string, value string, known []string)) {
	switch x := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			if !slices.Contains(freely, key) {
				eachWord(x[key], append(slices.Clone(path), key), say)
			}
		}
	case []any:
		for i, item := range x {
			eachWord(item, append(slices.Clone(path), strconv.Itoa(i)), say)
		}
	case string:
		field := path[len(path)-1]
		if _, err := strconv.Atoi(field); err == nil && len(path) > 1 {
			field = path[len(path)-2]
		}
		if known := words[field]; len(known) > 0 && x != "" && !slices.Contains(known, x) {
			say(path, x, known)
		}
	}
}

// replaced are prefixes of annotations and labels that fields have replaced.
var replaced = []struct{ prefix, successor string }{
	{"seccomp.security.alpha.kubernetes.io/", "securityContext.seccompProfile"},
	{"container.seccomp.security.alpha.kubernetes.io/", "securityContext.seccompProfile"},
	{"container.apparmor.security.beta.kubernetes.io/", "securityContext.appArmorProfile"},
	{"scheduler.alpha.kubernetes.io/", "priorityClassName, affinity and tolerations"},
	{"service.alpha.kubernetes.io/tolerate-unready-endpoints", "spec.publishNotReadyAddresses"},
	{"volume.beta.kubernetes.io/storage-class", "spec.storageClassName"},
	{"volume.alpha.kubernetes.io/", "spec.storageClassName"},
	{"kubernetes.io/ingress.class", "spec.ingressClassName"},
	{"pod.beta.kubernetes.io/", "a field of the pod"},
	{"pod.alpha.kubernetes.io/", "a field of the pod"},
	{"failure-domain.beta.kubernetes.io/", "topology.kubernetes.io/zone and region"},
	{"beta.kubernetes.io/", "kubernetes.io/os and kubernetes.io/arch"},
}

var oldAnnotation = eachObject(func(o *object, r *reporter) {
	eachKey(o.Object, nil, func(path []string, key string) {
		for _, old := range replaced {
			if strings.HasPrefix(key, old.prefix) {
				r.object(o, append(path, key), "%s is replaced by %s", key, old.successor)
			}
		}
	})
})

// eachKey visits the keys of annotations, labels and node selectors, and topology keys.
func eachKey(v any, path []string, do func(path []string, key string)) {
	switch x := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			at := append(slices.Clone(path), key)
			if key == "annotations" || key == "labels" || key == "nodeSelector" || key == "matchLabels" {
				inner, _ := x[key].(map[string]any)
				for _, name := range slices.Sorted(maps.Keys(inner)) {
					do(at, name)
				}
				continue
			}
			if name, ok := x[key].(string); ok && (key == "topologyKey" || key == "key") {
				do(path, name)
			}
			eachKey(x[key], at, do)
		}
	case []any:
		for i, item := range x {
			eachKey(item, append(slices.Clone(path), strconv.Itoa(i)), do)
		}
	}
}
