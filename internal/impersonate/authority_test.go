// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package impersonate

import (
	"context"
	"net/http"
	"slices"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const on = "impersonate-on:serviceaccount:"

// whom lets the manager act as ServiceAccounts.
func whom() rbacv1.PolicyRule {
	return rule("authentication.k8s.io", "serviceaccounts", "impersonate:serviceaccount")
}

// what lets the manager act on a resource while it acts as a ServiceAccount.
func what(group, resource string, verbs ...string) rbacv1.PolicyRule {
	r := rule(group, resource)
	for _, v := range verbs {
		r.Verbs = append(r.Verbs, on+v)
	}
	return r
}

func configMap(ns string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, GenerateName: "cm-"}}
}

// status is the HTTP code of a write: that of the error, or 201.
func status(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return http.StatusCreated
	}
	if code := apierrors.ReasonForError(err); code != metav1.StatusReasonForbidden {
		t.Fatalf("neither allowed nor forbidden: %v", err)
	}
	return http.StatusForbidden
}

func TestManagerCanOnlyActAsTheAccount(t *testing.T) {
	w := newWorld(t)
	w.bind(t, "", w.managerSubject(), whom())
	w.bind(t, "", w.managerSubject(), what("", "configmaps", "create"))
	as := func(who rest.ImpersonationConfig) client.Client {
		config := rest.CopyConfig(w.manager)
		config.Impersonate = who
		c, err := client.New(config, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	deployer := Account{w.ns, "deployer"}.UserName()
	tests := map[string]struct {
		client client.Client
		obj    client.Object
		want   int
	}{
		"account, own namespace":   {w.deployer(t), configMap(w.ns), http.StatusCreated},
		"account, kube-system":     {w.deployer(t), configMap("kube-system"), http.StatusForbidden},
		"account, kind not listed": {w.deployer(t), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, GenerateName: "s-"}}, http.StatusForbidden},
		"manager itself":           {as(rest.ImpersonationConfig{}), configMap(w.ns), http.StatusForbidden},
		"account and system:masters": {
			as(rest.ImpersonationConfig{UserName: deployer, Groups: []string{"system:masters"}}), configMap(w.ns), http.StatusForbidden,
		},
		"a user":          {as(rest.ImpersonationConfig{UserName: "alice"}), configMap(w.ns), http.StatusForbidden},
		"a node":          {as(rest.ImpersonationConfig{UserName: "system:node:n1"}), configMap(w.ns), http.StatusForbidden},
		"account and UID": {as(rest.ImpersonationConfig{UserName: deployer, UID: "1"}), configMap(w.ns), http.StatusForbidden},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := tc.client.Create(t.Context(), tc.obj)
			if got := status(t, err); got != tc.want {
				t.Errorf("status = %d, want %d (%v)", got, tc.want, err)
			}
		})
	}
}

// TestWhereTheRulesMustBeBound tells which of the two rules may be granted by a
// RoleBinding in the tenant's namespace, and what that is good for: "god" is an
// account of the tenant that may do everything, everywhere.
func TestWhereTheRulesMustBeBound(t *testing.T) {
	const no, tenant, everywhere = "-", "tenant", ""
	tests := map[string]struct {
		whom, what string
		own        int
		// kubeSystem is what "god" can do outside its namespace through us.
		kubeSystem int
	}{
		"both everywhere":             {everywhere, everywhere, http.StatusCreated, http.StatusCreated},
		"what in the tenant only":     {everywhere, tenant, http.StatusCreated, http.StatusForbidden},
		"whom in the tenant only":     {tenant, everywhere, http.StatusCreated, http.StatusCreated},
		"both in the tenant only":     {tenant, tenant, http.StatusCreated, http.StatusForbidden},
		"whom everywhere, no what":    {everywhere, no, http.StatusForbidden, http.StatusForbidden},
		"what everywhere, no whom":    {no, everywhere, http.StatusForbidden, http.StatusForbidden},
		"what in the tenant, no whom": {no, tenant, http.StatusForbidden, http.StatusForbidden},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			god := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: w.ns, Name: "god"}
			w.bind(t, "", god, rule("", "configmaps", "create"))
			place := map[string]string{tenant: w.ns, everywhere: ""}
			if tc.whom != no {
				w.bind(t, place[tc.whom], w.managerSubject(), whom())
			}
			if tc.what != no {
				w.bind(t, place[tc.what], w.managerSubject(), what("", "configmaps", "create"))
			}
			err := w.deployer(t).Create(t.Context(), configMap(w.ns))
			if got := status(t, err); got != tc.own {
				t.Errorf("deployer in its namespace: %d, want %d (%v)", got, tc.own, err)
			}
			err = clientFor(t, w.pool, Account{w.ns, "god"}).Create(t.Context(), configMap("kube-system"))
			if got := status(t, err); got != tc.kubeSystem {
				t.Errorf("god in kube-system: %d, want %d (%v)", got, tc.kubeSystem, err)
			}
		})
	}
}

// TestAccountOfAnotherNamespaceIsOutOfReach: bound in one tenant's namespace, the
// manager cannot act as an account of another one.
func TestAccountOfAnotherNamespaceIsOutOfReach(t *testing.T) {
	w := newWorld(t)
	w.bind(t, w.ns, w.managerSubject(), whom(), what("", "configmaps", "create"))
	stranger := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "kube-system", Name: "stranger"}
	w.bind(t, w.ns, stranger, rule("", "configmaps", "create"))
	err := clientFor(t, w.pool, Account{"kube-system", "stranger"}).Create(t.Context(), configMap(w.ns))
	if got := status(t, err); got != http.StatusForbidden {
		t.Errorf("status = %d, want 403 (%v)", got, err)
	}
}

func TestVerbOfEachOperation(t *testing.T) {
	all := []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
	existing := func(w *world) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "existing"}}
	}
	tests := map[string]struct {
		verb string
		call func(ctx context.Context, w *world, c client.Client) error
	}{
		"get": {"get", func(ctx context.Context, w *world, c client.Client) error {
			return c.Get(ctx, client.ObjectKeyFromObject(existing(w)), existing(w))
		}},
		"list": {"list", func(ctx context.Context, w *world, c client.Client) error {
			return c.List(ctx, &corev1.ConfigMapList{}, client.InNamespace(w.ns))
		}},
		"watch through the metadata client": {"watch", func(ctx context.Context, w *world, _ client.Client) error {
			m, err := w.pool.MetadataFor(Account{w.ns, "deployer"})
			if err != nil {
				return err
			}
			watch, err := m.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(w.ns).Watch(ctx, metav1.ListOptions{})
			if err == nil {
				watch.Stop()
			}
			return err
		}},
		"create": {"create", func(ctx context.Context, w *world, c client.Client) error { return c.Create(ctx, configMap(w.ns)) }},
		"update": {"update", func(ctx context.Context, w *world, c client.Client) error { return c.Update(ctx, existing(w)) }},
		"merge patch": {"patch", func(ctx context.Context, w *world, c client.Client) error {
			return c.Patch(ctx, existing(w), client.RawPatch(types.MergePatchType, []byte(`{"data":{"a":"b"}}`)))
		}},
		"apply to what exists": {"patch", func(ctx context.Context, w *world, c client.Client) error {
			return c.Apply(ctx, corev1ac.ConfigMap("existing", w.ns).WithData(map[string]string{"c": "d"}))
		}},
		"apply what does not exist": {"patch", func(ctx context.Context, w *world, c client.Client) error {
			return c.Apply(ctx, corev1ac.ConfigMap("fresh", w.ns).WithData(map[string]string{"c": "d"}))
		}},
		"delete": {"delete", func(ctx context.Context, w *world, c client.Client) error { return c.Delete(ctx, existing(w)) }},
		"delete all of": {"deletecollection", func(ctx context.Context, w *world, c client.Client) error {
			return c.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(w.ns), client.MatchingLabels{"no": "such"})
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			others := slices.DeleteFunc(slices.Clone(all), func(v string) bool { return v == tc.verb })
			for _, grant := range []struct {
				verbs []string
				want  int
			}{{[]string{tc.verb}, http.StatusCreated}, {others, http.StatusForbidden}} {
				w := newWorld(t)
				w.bind(t, w.ns, w.account(), rule("", "configmaps", "deletecollection"))
				mustCreate(t, w.admin, existing(w))
				w.bind(t, w.ns, w.managerSubject(), whom(), what("", "configmaps", grant.verbs...))
				err := tc.call(t.Context(), w, w.deployer(t))
				if got := status(t, err); got != grant.want {
					t.Errorf("with %v: %d, want %d (%v)", grant.verbs, got, grant.want, err)
				}
			}
		})
	}
}

// TestSubresourcesAreNamedOnTheirOwn: a rule on pods says nothing about pods/log.
func TestSubresourcesAreNamedOnTheirOwn(t *testing.T) {
	for resource, want := range map[string]int{"serviceaccounts": http.StatusForbidden, "serviceaccounts/token": http.StatusCreated} {
		t.Run(resource, func(t *testing.T) {
			w := newWorld(t)
			w.bind(t, w.ns, w.account(), rule("", "serviceaccounts/token", "create"))
			w.bind(t, w.ns, w.managerSubject(), whom(), what("", resource, "create"))
			sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "deployer"}}
			err := w.deployer(t).SubResource("token").Create(t.Context(), sa, &authenticationv1.TokenRequest{})
			if got := status(t, err); got != want {
				t.Errorf("status = %d, want %d (%v)", got, want, err)
			}
		})
	}
}

// TestPlainVerbUndoesTheList: the plain verb would let the
// manager do as the account whatever the account may, whatever its own list.
func TestPlainVerbUndoesTheList(t *testing.T) {
	w := newWorld(t)
	w.bind(t, "", w.managerSubject(), rule("", "serviceaccounts", "impersonate"))
	err := w.deployer(t).Create(t.Context(), configMap(w.ns))
	if got := status(t, err); got != http.StatusCreated {
		t.Errorf("status = %d, want 201: the API server falls back to plain impersonation (%v)", got, err)
	}
}

// TestAccountThatDoesNotExist: neither impersonation nor RBAC notices.
func TestAccountThatDoesNotExist(t *testing.T) {
	w := newWorld(t)
	w.bind(t, w.ns, w.managerSubject(), whom(), what("", "configmaps", "create"))
	ghost := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: w.ns, Name: "ghost"}
	w.bind(t, w.ns, ghost, rule("", "configmaps", "create"))
	err := clientFor(t, w.pool, Account{w.ns, "ghost"}).Create(t.Context(), configMap(w.ns))
	if got := status(t, err); got != http.StatusCreated {
		t.Errorf("status = %d, want 201 (%v)", got, err)
	}
}

// TestRuleMayNameTheAccount: an admin can allow one account of a namespace only.
func TestRuleMayNameTheAccount(t *testing.T) {
	w := newWorld(t)
	named := whom()
	named.ResourceNames = []string{"deployer"}
	w.bind(t, w.ns, w.managerSubject(), what("", "configmaps", "create"))
	w.bind(t, w.ns, w.managerSubject(), named)
	w.bind(t, w.ns, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: w.ns, Name: "other"}, rule("", "configmaps", "create"))
	for name, want := range map[string]int{"deployer": http.StatusCreated, "other": http.StatusForbidden} {
		err := clientFor(t, w.pool, Account{w.ns, name}).Create(t.Context(), configMap(w.ns))
		if got := status(t, err); got != want {
			t.Errorf("as %s: %d, want %d (%v)", name, got, want, err)
		}
	}
}
