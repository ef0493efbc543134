// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// awaitManagerRights waits until the authorizer knows every role that the manifests bind
// to the manager, so that a refusal later on is never just a late grant.
func awaitManagerRights(ctx context.Context, c client.Client, objects []*unstructured.Unstructured) error {
	roles := map[string][]rbacv1.PolicyRule{}
	for _, o := range objects {
		var role rbacv1.ClusterRole // a Role has the same fields
		if o.GetKind() != "ClusterRole" && o.GetKind() != "Role" {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role); err != nil {
			return fmt.Errorf("decoding %s %s: %w", o.GetKind(), o.GetName(), err)
		}
		roles[o.GetKind()+"/"+o.GetName()] = role.Rules
	}
	for _, o := range objects {
		var binding rbacv1.RoleBinding // a ClusterRoleBinding has the same fields
		if o.GetKind() != "ClusterRoleBinding" && o.GetKind() != "RoleBinding" {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &binding); err != nil {
			return fmt.Errorf("decoding %s %s: %w", o.GetKind(), o.GetName(), err)
		}
		if !binds(binding.Subjects) {
			continue
		}
		rules := roles[binding.RoleRef.Kind+"/"+binding.RoleRef.Name]
		if err := awaitRules(ctx, c, ManagerUser, o.GetNamespace(), rules); err != nil {
			return err
		}
	}
	return nil
}

func binds(subjects []rbacv1.Subject) bool {
	for _, s := range subjects {
		if s.Kind == rbacv1.ServiceAccountKind && s.Name == ServiceAccount && s.Namespace == Namespace {
			return true
		}
	}
	return false
}

// awaitRules waits until the authorizer grants the first verb of every rule on its first resource.
func awaitRules(ctx context.Context, c client.Client, user, namespace string, rules []rbacv1.PolicyRule) error {
	for _, rule := range rules {
		if len(rule.Resources) == 0 {
			continue
		}
		resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
		asked := authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: resource, Subresource: subresource,
		}
		if len(rule.ResourceNames) > 0 {
			asked.Name = rule.ResourceNames[0]
		}
		err := poll(ctx, func(ctx context.Context) (bool, error) {
			review := &authorizationv1.SubjectAccessReview{
				Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &asked},
			}
			err := c.Create(ctx, review)
			return review.Status.Allowed, err
		})
		if err != nil {
			return fmt.Errorf("waiting until %s may %s %s: %w", user, asked.Verb, rule.Resources[0], err)
		}
	}
	return nil
}
