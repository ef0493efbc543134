// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/evidence"
)

// What config/default calls the manager, and the role by which it may act as accounts.
const (
	managerNamespace = "kudo-system"
	managerAccount   = "kudo-manager"
	impersonateOn    = "kudo-impersonate-on"
)

// grant makes an account with the rights that a version needs, and lets the manager act as it.
// What is there already is left as it is, but for a role of that name, which is brought up to date.
func (s *session) grant(ctx context.Context, account string, fwv *v1alpha1.FrameworkVersion) error {
	if len(fwv.Status.Rules) == 0 {
		return fmt.Errorf("the version %s does not say which rights it needs: the manager has not checked it yet. Is it running?", fwv.Name)
	}
	named := metav1.ObjectMeta{Namespace: s.namespace, Name: account}
	noToken := false
	for _, o := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: named, AutomountServiceAccountToken: &noToken},
		&rbacv1.Role{ObjectMeta: named, Rules: fwv.Status.Rules},
		s.binding(account, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: account}, s.namespace, account),
		s.binding(impersonateOn, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: impersonateOn}, managerNamespace, managerAccount),
	} {
		what := title(fmt.Sprintf("%T", o)[len("*v1."):], o.GetName())
		err := s.client.Create(ctx, o, manager)
		if role, isRole := o.(*rbacv1.Role); isRole && apierrors.IsAlreadyExists(err) {
			err = s.client.Update(ctx, role, manager)
		}
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return evidence.Denied("making "+what, err) //nolint:wrapcheck // it says what it is about
		}
		s.Printf("%s is there\n", what)
	}
	return nil
}

func (s *session) binding(name string, role rbacv1.RoleRef, namespace, account string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}, RoleRef: role,
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
	}
}
