// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package typed_test

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Who is admin, editor or viewer of a namespace can use a new kind at once.
func TestNamespaceRolesCoverNewKinds(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	for role, may := range map[string]bool{"kudo-view": false, "kudo-edit": true, "kudo-admin": true} {
		user := a.bound(a.name+"-"+role,
			// The cluster's own roles aggregate these; envtest runs no controller that does that.
			binding(a.name, a.name+role, role, a.name+"-"+role), binding(a.name, a.name+role+"-read", "kudo-view", a.name+"-"+role))
		o := a.object("zk", "1.0.0", "{}")
		err := user.Create(t.Context(), o)
		// The account is another matter: without the right to impersonate it, the policy refuses.
		reached := err != nil && apierrors.IsForbidden(err) && contains(err, "may not run anything as ServiceAccount")
		if reached != may {
			t.Errorf("%s: %v", role, err)
		}
		if err := user.Status().Update(t.Context(), o); err == nil {
			t.Errorf("%s writes status", role)
		}
	}
}

func binding(namespace, name, role, user string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
}
