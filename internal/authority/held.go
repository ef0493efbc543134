// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"reflect"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kudo.dev/kudo/internal/graph"
)

// Held are rights that an account must have only because the version's roles grant them to
// others: RBAC lets nobody grant what he has not. Nobody uses them as the account.
type Held struct{ Namespace, Elsewhere, Cluster []rbacv1.PolicyRule }

func (h Held) all() []rbacv1.PolicyRule { return slices.Concat(h.Namespace, h.Elsewhere, h.Cluster) }

// held finds them in the roles and bindings of a version.
func held(v *graph.Version) Held {
	var out Held
	for _, o := range v.Roles {
		into := &out.Cluster
		switch kind := o.GetKind(); {
		case kind == "ClusterRole" || kind == "ClusterRoleBinding":
		case graph.InSample(o):
			into = &out.Namespace
		default:
			into = &out.Elsewhere
		}
		for _, rule := range granted(v, o) {
			same := func(known rbacv1.PolicyRule) bool { return reflect.DeepEqual(known, rule) }
			if !slices.ContainsFunc(*into, same) {
				*into = append(*into, rule)
			}
		}
	}
	return out
}

// granted are the rules of a role; of a binding to a role of somebody else the right to bind it.
func granted(v *graph.Version, o *unstructured.Unstructured) []rbacv1.PolicyRule {
	var content struct {
		Rules   []rbacv1.PolicyRule `json:"rules"`
		RoleRef rbacv1.RoleRef      `json:"roleRef"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &content); err != nil {
		return nil // the API server will refuse it in better words
	}
	ref := content.RoleRef
	own := func(r *unstructured.Unstructured) bool { return r.GetKind() == ref.Kind && r.GetName() == ref.Name }
	if ref.Name != "" && !slices.ContainsFunc(v.Roles, own) && !graph.OfSample(ref.Name) {
		resources := map[string]string{"Role": "roles", "ClusterRole": "clusterroles"}[ref.Kind]
		return []rbacv1.PolicyRule{{APIGroups: []string{rbacv1.GroupName}, Resources: []string{resources}, ResourceNames: []string{ref.Name}, Verbs: []string{"bind"}}}
	}
	for i := range content.Rules {
		if slices.ContainsFunc(content.Rules[i].ResourceNames, graph.OfSample) {
			content.Rules[i].ResourceNames = nil // each Instance has other names
		}
	}
	return content.Rules
}
