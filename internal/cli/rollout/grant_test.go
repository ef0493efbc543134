// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/internal/forecast"
)

const group = "{apiVersion: rbac.authorization.k8s.io/v1, "

// Whatever is there already stays, and what has all that is wanted is not written.
func TestBeside(t *testing.T) {
	role := func(rules string) string {
		return group + "kind: Role, metadata: {name: a, namespace: ns}, rules: " + rules + "}"
	}
	binding := func(ref, subjects string) string {
		return group + "kind: RoleBinding, metadata: {name: a, namespace: ns}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: " + ref + "}, subjects: " + subjects + "}"
	}
	const (
		account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: ns}, automountServiceAccountToken: false}"
		pods    = "{apiGroups: [''], resources: [pods], verbs: [get]}"
		leases  = "{apiGroups: [x], resources: [leases], verbs: [get]}"
		mine    = "{kind: ServiceAccount, namespace: ns, name: a}"
		others  = "{kind: ServiceAccount, namespace: ns, name: b}"
	)
	for name, tt := range map[string]struct {
		want, live string
		verb       forecast.Verb
		sent, err  string
	}{
		"an account":                  {account, "", forecast.Create, account, ""},
		"an account that is there":    {account, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}", forecast.Keep, account, ""},
		"a role":                      {role("[" + pods + "]"), "", forecast.Create, role("[" + pods + "]"), ""},
		"a role that has more":        {role("[" + pods + "]"), role("[" + leases + ", " + pods + "]"), forecast.Keep, role("[" + pods + "]"), ""},
		"a role that lacks something": {role("[" + pods + "]"), role("[" + leases + "]"), forecast.Update, role("[" + leases + ", " + pods + "]"), ""},
		"a binding that is there":     {binding("a", "["+mine+"]"), binding("a", "["+others+", "+mine+"]"), forecast.Keep, binding("a", "["+mine+"]"), ""},
		"a binding to somebody else":  {binding("a", "["+mine+"]"), binding("a", "["+others+"]"), forecast.Update, binding("a", "["+others+", "+mine+"]"), ""},
		"a binding of another role":   {binding("a", "["+mine+"]"), binding("b", "["+mine+"]"), "", "", "rolebinding/a in the namespace ns is there already and binds role/b"},
	} {
		t.Run(name, func(t *testing.T) {
			var live *unstructured.Unstructured
			if tt.live != "" {
				live = object(t, tt.live)
			}
			got, err := beside(object(t, tt.want), live)
			if tt.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, tt.sent).Object, got.object.Object); diff != "" || got.verb != tt.verb {
				t.Errorf("%s, want %s (-want +got):\n%s", got.verb, tt.verb, diff)
			}
		})
	}
}

// Who may not grant something learns what he lacks, and who can do it how.
func TestDeniedRightsNameTheAdmin(t *testing.T) {
	roles := schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "roles"}
	r := rights{admin: "kubectl kudo deploy x"}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"nothing":     {nil, ""},
		"escalation":  {apierrors.NewForbidden(roles, "a", errors.New("user \"u\" (groups=[g]) is "+lacking+":\n{APIGroups:[\"apps\"]}\n{APIGroups:[\"x\"]}")), "making role/a: you may not grant rights that you do not have yourself:\n  {APIGroups:[\"apps\"]}\n  {APIGroups:[\"x\"]}\nAn admin must run: kubectl kudo deploy x\nAfter that, deploy without --grant"},
		"no right":    {apierrors.NewForbidden(roles, "a", errors.New("no")), "making role/a: roles.rbac.authorization.k8s.io \"a\" is forbidden: no. An admin must run: kubectl kudo deploy x\nAfter that, deploy without --grant"},
		"a conflict":  {apierrors.NewConflict(roles, "a", errors.New("no")), "making role/a: somebody else wrote it, and not all that is needed: Operation cannot be fulfilled on roles.rbac.authorization.k8s.io \"a\": no. Add it there, or take another account"},
		"another one": {errors.New("no route"), "making role/a: no route"},
	} {
		got := ""
		if err := r.denied("role/a", tt.err); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\n%q, want\n%q", name, got, tt.want)
		}
	}
}
