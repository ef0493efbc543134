// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rbac makes the least that an Instance's account, and the manager as that account,
// must be allowed to do.
package rbac

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/internal/authority"
	"kudo.dev/kudo/internal/generate"
)

// Artefact is the name of this artefact.
const Artefact = "rbac"

// The account of Kudo's manager, as config/default makes it.
const (
	ManagerAccount   = "kudo-manager"
	ManagerNamespace = "kudo-system"
)

// Objects are the account and its rights, each list for one file. A namespace is set where
// Kubernetes demands one.
type Objects struct {
	// Account of the Instance.
	Account *corev1.ServiceAccount
	// Role and its binding: what the account may do in its namespace.
	Role []any
	// Impersonation and its binding: what the manager may do as the account, there.
	Impersonation []any
	// Cluster is the same for resources of cluster scope; empty where there are none.
	Cluster []any
	// Elsewhere is a ClusterRole without a binding, for objects in other namespaces.
	Elsewhere []any
}

// Make the objects for an account of a namespace.
func Make(s *generate.Source, namespace, account string) Objects {
	return For(authority.Grants(s.Version, authority.Offline{}), namespace, account)
}

// For makes the objects that give an account of a namespace what a version needs.
func For(grant authority.Grant, namespace, account string) Objects {
	needs := grant.Account()
	noToken := false
	out := Objects{Account: &corev1.ServiceAccount{
		TypeMeta:                     metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta:                   metav1.ObjectMeta{Name: account, Namespace: namespace},
		AutomountServiceAccountToken: &noToken, // Kudo acts as it by impersonation
	}}
	own := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: namespace}
	manager := Manager()
	as := account + "-impersonation"
	out.Role = Pair(namespace, account, needs.Namespace, own)
	out.Impersonation = Pair(namespace, as, authority.Impersonation(grant.Namespace), manager)
	// Objects of the cluster have one name each, so the namespace is part of it.
	wide := namespace + ":" + account
	if len(needs.Cluster) > 0 {
		out.Cluster = append(clusterPair(wide, needs.Cluster, own), clusterPair(wide+"-impersonation", authority.Impersonation(grant.Cluster), manager)...)
	}
	if len(needs.Elsewhere) > 0 {
		out.Elsewhere = []any{
			clusterRole(wide+"-elsewhere", needs.Elsewhere),
			clusterRole(wide+"-elsewhere-impersonation", authority.Impersonation(grant.Elsewhere)),
		}
	}
	return out
}

// Manager is the account of Kudo's manager, to bind roles to.
func Manager() rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: ManagerAccount, Namespace: ManagerNamespace}
}

// Pair is a role with rules in a namespace, and its binding to a subject.
func Pair(namespace, name string, rules []rbacv1.PolicyRule, subject rbacv1.Subject) []any {
	meta := metav1.ObjectMeta{Name: name, Namespace: namespace}
	return []any{
		&rbacv1.Role{TypeMeta: Kind("Role"), ObjectMeta: meta, Rules: rules},
		&rbacv1.RoleBinding{
			TypeMeta: Kind("RoleBinding"), ObjectMeta: meta, Subjects: []rbacv1.Subject{subject},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		},
	}
}

func clusterPair(name string, rules []rbacv1.PolicyRule, subject rbacv1.Subject) []any {
	return []any{
		clusterRole(name, rules),
		&rbacv1.ClusterRoleBinding{
			TypeMeta: Kind("ClusterRoleBinding"), ObjectMeta: metav1.ObjectMeta{Name: name}, Subjects: []rbacv1.Subject{subject},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		},
	}
}

func clusterRole(name string, rules []rbacv1.PolicyRule) any {
	return &rbacv1.ClusterRole{TypeMeta: Kind("ClusterRole"), ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
}

// Kind is the type of an object of RBAC.
func Kind(name string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: name}
}

// Files of the artefact, for a namespace.
func Files(s *generate.Source, namespace string) (generate.Files, error) {
	if err := s.Rights(); err != nil {
		return nil, err
	}
	o := Make(s, namespace, s.Account())
	header := s.Header(Artefact)
	parts := []struct {
		file, comment string
		objects       []any
	}{
		{"account.yaml", "The account as which Kudo writes the objects of an Instance. It needs no token.", []any{o.Account}},
		{"role.yaml", "What the account may do: the rules that the FrameworkVersion reports in its status." + guessed(s), o.Role},
		{"impersonation.yaml", "What Kudo's manager may do as the account. Alone it allows nothing: the account must have\nthe right too. On Kubernetes before 1.36 bind kudo-impersonate-legacy instead.", o.Impersonation},
		{"cluster.yaml", "The same for resources of cluster scope.", o.Cluster},
		{"elsewhere.yaml", "For objects in other namespaces. Bind both with RoleBindings in each of these: the first to\nthe account, the second to the manager.", o.Elsewhere},
	}
	out := generate.Files{}
	resources := []string{}
	for _, p := range parts {
		if len(p.objects) == 0 {
			continue
		}
		raw, err := generate.Documents(header+"\n\n"+p.comment, p.objects...)
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", p.file, err)
		}
		out[p.file] = raw
		resources = append(resources, p.file)
	}
	raw, err := generate.Documents(header+"\n\nSet namespace to that of the Instance.", map[string]any{
		"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources,
	})
	if err != nil {
		return nil, fmt.Errorf("making kustomization.yaml: %w", err)
	}
	out["kustomization.yaml"] = raw
	return out, nil
}

// guessed says which resources no cluster was asked for.
func guessed(s *generate.Source) string {
	kinds := authority.Guessed(s.Version)
	if len(kinds) == 0 {
		return ""
	}
	names := make([]string, 0, len(kinds))
	for _, gvk := range kinds {
		names = append(names, gvk.Kind+" of "+gvk.Group)
	}
	return "\nThe resource of these kinds was guessed from the name, and they are taken for namespaced:\n" + strings.Join(names, ", ") + ". Compare with `kubectl api-resources`."
}
