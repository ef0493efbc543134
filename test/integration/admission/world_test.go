// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admission_test asks a real API server, with Kudo's CRDs, webhooks and
// policies, for everything that must be refused, and asserts who refuses it and in
// which words.
package admission_test

import (
	"os"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/scene"
)

// world is that of this package.
type world struct{ *scene.World }

func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }

func theWorld(t *testing.T) *world {
	t.Helper()
	return &world{scene.Get(t, nil)}
}

func unique(prefix string) string { return scene.Unique(prefix) }

// account is what Instances run as in the tenants' namespaces.
const account = "deployer"

// tenant makes a namespace with an account that may do what the tests' versions need.
func (w *world) tenant(t *testing.T) string {
	t.Helper()
	ns := unique("team-")
	tenant := install.Tenant{Namespace: ns, Account: account, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "create", "patch", "delete"},
	}}}
	if err := tenant.Apply(t.Context(), w.Cluster.Client); err != nil {
		t.Fatal(err)
	}
	return ns
}

// admin is the client of who may do anything that Kudo itself does not refuse.
func (w *world) admin() client.WithWatch { return w.Admin() }
