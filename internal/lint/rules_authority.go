// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

var authorityRules = []Rule{
	{ID: "KUDO160", Family: "authority", Severity: Warning, Title: "a declared permission is not needed", check: idlePermission, compiled: true,
		Why: "Whoever reviews the version takes it for one that reaches further than it does, and the next mistake is let through.",
		Fix: "remove it from version.permissions"},
	{ID: "KUDO161", Family: "authority", Severity: Warning, Title: "other namespaces are declared and not used", check: idleNamespaces, compiled: true,
		Why: "anyNamespace lets a template write anywhere that the account may.",
		Fix: "remove anyNamespace"},
	{ID: "KUDO162", Family: "authority", Severity: Info, Title: "a kind needs a role of its own", check: foreignKind, compiled: true,
		Why: "The ClusterRole kudo-impersonate-on does not list the kind, so an admin must allow it in each namespace, for the account and for the manager.",
		Fix: "say so in README.md"},
	{ID: "KUDO163", Family: "authority", Severity: Warning, Title: "a role grants everything", check: wildcard, compiled: true,
		Why: "A wildcard covers kinds that do not exist yet.",
		Fix: "list the groups, resources and verbs that the software uses"},
	{ID: "KUDO164", Family: "authority", Severity: Error, Title: "a binding makes an admin, or binds everybody", check: adminBinding, compiled: true,
		Why: "Whoever breaks into one pod of one Instance owns the cluster.",
		Fix: "bind a role of its own to an account of its own"},
	{ID: "KUDO165", Family: "authority", Severity: Warning, Title: "a role reads all Secrets", check: readsSecrets, compiled: true,
		Why: "The software can read the credentials of everything in the namespace.",
		Fix: "name the Secrets in resourceNames"},
	{ID: "KUDO166", Family: "authority", Severity: Warning, Title: "a pod uses the account of others", check: borrowedAccount, compiled: true,
		Why: "It names an account that no template renders and no parameter gives, so it has whatever rights that has.",
		Fix: "render a ServiceAccount, or make its name a parameter"},
}

func idlePermission(s *subject, r *reporter) {
	for i, p := range s.spec.Permissions {
		if !slices.ContainsFunc(s.version.Rendered, func(gvk schema.GroupVersionKind) bool { return gvk.Group == p.Group && gvk.Kind == p.Kind }) {
			r.field("version.permissions["+strconv.Itoa(i)+"]", "no template renders a %s", schema.GroupKind{Group: p.Group, Kind: p.Kind})
		}
	}
}

func idleNamespaces(s *subject, r *reporter) {
	for i, p := range s.spec.Permissions {
		if !p.AnyNamespace {
			continue
		}
		used := false
		for _, rendering := range s.renderings {
			used = used || slices.ContainsFunc(rendering.objects, func(o *object) bool {
				return o.is(p.Group, p.Kind) && o.GetNamespace() != o.instance.Namespace && !o.clustered()
			})
		}
		if !used {
			r.field("version.permissions["+strconv.Itoa(i)+"].anyNamespace", "no %s is in another namespace", p.Kind)
		}
	}
}

// allowed are the kinds of the ClusterRole kudo-impersonate-on.
var allowed = map[string][]string{
	"":                  {"ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "ServiceAccount", "Service"},
	"apps":              {"DaemonSet", "Deployment", "StatefulSet"},
	"batch":             {"CronJob", "Job"},
	"policy":            {"PodDisruptionBudget"},
	"networking.k8s.io": {"Ingress", "NetworkPolicy"},
	"autoscaling":       {"HorizontalPodAutoscaler"},
	"kudo.dev":          {"Instance"},
}

func foreignKind(s *subject, r *reporter) {
	seen := map[schema.GroupKind]bool{}
	for _, rendering := range s.renderings {
		for _, o := range rendering.objects {
			if gk := o.group(); !slices.Contains(allowed[gk.Group], gk.Kind) && !seen[gk] {
				seen[gk] = true
				r.object(o, []string{"kind"}, "%s is not in kudo-impersonate-on", gk)
			}
		}
	}
}

// rules calls a function for each rule of a role.
func (o *object) rules(do func(i int, rule map[string]any)) {
	if o.group().Group == "rbac.authorization.k8s.io" && strings.HasSuffix(o.GetKind(), "Role") {
		eachMap(o.items("rules"), do)
	}
}

func has(rule map[string]any, field string, values ...string) bool {
	list, _ := rule[field].([]any)
	return slices.ContainsFunc(list, func(v any) bool {
		s, ok := v.(string)
		return ok && slices.Contains(values, s)
	})
}

var wildcard = eachObject(func(o *object, r *reporter) {
	o.rules(func(i int, rule map[string]any) {
		for _, field := range []string{"apiGroups", "resources", "verbs"} {
			if has(rule, field, "*") {
				r.object(o, []string{"rules", strconv.Itoa(i), field}, "%s of a rule is *", field)
			}
		}
	})
})

var adminBinding = eachObject(func(o *object, r *reporter) {
	if o.group().Group != "rbac.authorization.k8s.io" || !strings.HasSuffix(o.GetKind(), "Binding") {
		return
	}
	if name := o.text("roleRef", "name"); name == "cluster-admin" || name == "admin" && o.clustered() {
		r.object(o, []string{"roleRef", "name"}, "binds %s", name)
	}
	eachMap(o.items("subjects"), func(_ int, m map[string]any) {
		name, _ := m["name"].(string)
		if name == "system:authenticated" || name == "system:unauthenticated" || name == "system:anonymous" || name == "system:serviceaccounts" {
			r.object(o, []string{"subjects"}, "binds %s", name)
		}
	})
})

var readsSecrets = eachObject(func(o *object, r *reporter) {
	o.rules(func(i int, rule map[string]any) {
		if has(rule, "apiGroups", "") && has(rule, "resources", "secrets") && has(rule, "verbs", "get", "list", "watch") && rule["resourceNames"] == nil {
			r.object(o, []string{"rules", strconv.Itoa(i)}, "a rule reads all Secrets")
		}
	})
})

var borrowedAccount = together(func(s *subject, all []*object, r *reporter) {
	own := map[string]bool{}
	for _, o := range all {
		own[o.GetName()] = own[o.GetName()] || o.is("", "ServiceAccount")
	}
	for _, o := range all {
		if o.pod == nil {
			continue
		}
		name := o.pod.spec.ServiceAccountName
		if name != "" && !own[name] && !s.named(name) && !strings.Contains(name, o.instance.Name) {
			r.object(o, []string{"serviceAccountName"}, "its pods use the account %s", name)
		}
	}
})
