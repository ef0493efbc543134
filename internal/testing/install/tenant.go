// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// impersonateOn is the ClusterRole that lets the manager act as the accounts of a namespace.
const impersonateOn = "kudo-impersonate-on"

// Tenant is a namespace with one account for Instances, as in config/samples/tenant.yaml.
type Tenant struct {
	// Namespace to make.
	Namespace string
	// Account is the name of the ServiceAccount, of its Role and of its RoleBinding.
	Account string
	// Rules are all that the account may do there.
	Rules []rbacv1.PolicyRule
}

// Apply makes the tenant, or changes its rules, and waits until they are in force.
func (t Tenant) Apply(ctx context.Context, admin client.Client) error {
	for _, o := range t.objects() {
		u, err := toUnstructured(admin.Scheme(), o)
		if err != nil {
			return err
		}
		if err := Apply(ctx, admin, u); err != nil {
			return fmt.Errorf("making the tenant %s: %w", t.Namespace, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	user := "system:serviceaccount:" + t.Namespace + ":" + t.Account
	if err := awaitRules(ctx, admin, user, t.Namespace, t.Rules); err != nil {
		return err
	}
	return t.awaitImpersonation(ctx, admin)
}

func (t Tenant) awaitImpersonation(ctx context.Context, admin client.Client) error {
	role := &rbacv1.ClusterRole{}
	if err := admin.Get(ctx, client.ObjectKey{Name: impersonateOn}, role); err != nil {
		return fmt.Errorf("reading the rules of impersonation: %w", err)
	}
	return awaitRules(ctx, admin, ManagerUser, t.Namespace, role.Rules)
}

func (t Tenant) objects() []client.Object {
	meta := metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Account}
	noToken := false
	bind := func(name string, ref rbacv1.RoleRef, account, namespace string) *rbacv1.RoleBinding {
		ref.APIGroup = rbacv1.GroupName
		return &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: name}, RoleRef: ref,
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: namespace}},
		}
	}
	return []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.Namespace}},
		&corev1.ServiceAccount{ObjectMeta: meta, AutomountServiceAccountToken: &noToken},
		&rbacv1.Role{ObjectMeta: meta, Rules: t.Rules},
		bind(t.Account, rbacv1.RoleRef{Kind: "Role", Name: t.Account}, t.Account, t.Namespace),
		bind(impersonateOn, rbacv1.RoleRef{Kind: "ClusterRole", Name: impersonateOn}, ServiceAccount, Namespace),
	}
}

// toUnstructured makes an object fit for server-side apply: with its kind, and without
// the fields that Go's zero values would add.
func toUnstructured(scheme *runtime.Scheme, o client.Object) (*unstructured.Unstructured, error) {
	gvk, err := apiutil.GVKForObject(o, scheme)
	if err != nil {
		return nil, fmt.Errorf("finding the kind of %s: %w", o.GetName(), err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("encoding %s %s: %w", gvk.Kind, o.GetName(), err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(u.Object, "status")
	return u, nil
}
