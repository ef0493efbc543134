// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
)

func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }

func TestManifests(t *testing.T) {
	objects, err := install.Manifests(12345)
	if err != nil {
		t.Fatal(err)
	}
	hooks := 0
	for _, o := range objects {
		entries, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
		for _, entry := range entries {
			url, _, _ := unstructured.NestedString(entry.(map[string]any), "clientConfig", "url")
			if !strings.HasPrefix(url, "https://127.0.0.1:12345/") {
				t.Errorf("%s calls %q", o.GetName(), url)
			}
			hooks++
		}
	}
	if hooks == 0 || objects[0].GetKind() != "Namespace" {
		t.Errorf("%d webhooks, the first object is a %s", hooks, objects[0].GetKind())
	}
}

func TestInstall(t *testing.T) {
	c := cluster.Get(t)
	for range 2 { // the second time changes nothing
		if _, err := install.Install(t.Context(), c.Client, 1); err != nil {
			t.Fatal(err)
		}
	}
	config, err := install.ManagerConfig(t.Context(), c.Config)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if config, err = clientcmd.BuildConfigFromFlags("", file); err != nil {
		t.Fatal(err)
	}
	manager, err := install.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.List(t.Context(), &v1alpha1.InstanceList{}); err != nil {
		t.Errorf("the manager reads Instances: %v", err)
	}
	if err := manager.List(t.Context(), &corev1.SecretList{}); !apierrors.IsForbidden(err) {
		t.Errorf("the manager reads Secrets: %v, want it to be forbidden", err)
	}
}

func TestTenant(t *testing.T) {
	c := cluster.Get(t)
	if _, err := install.Install(t.Context(), c.Client, 1); err != nil {
		t.Fatal(err)
	}
	tenant := install.Tenant{Namespace: "tenant", Account: "installer", Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
	}}
	if err := tenant.Apply(t.Context(), c.Client); err != nil {
		t.Fatal(err)
	}
	config, err := install.ManagerConfig(t.Context(), c.Config)
	if err != nil {
		t.Fatal(err)
	}
	config.Impersonate.UserName = "system:serviceaccount:tenant:installer"
	// Discovery is not among what the manager may do as an account.
	account, err := client.New(config, client.Options{Mapper: c.Client.RESTMapper()})
	if err != nil {
		t.Fatal(err)
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", GenerateName: "by-the-account-"}}
	if err := account.Create(t.Context(), object); err != nil {
		t.Errorf("creating what the account may: %v", err)
	}
	if err := account.Delete(t.Context(), object); !apierrors.IsForbidden(err) {
		t.Errorf("deleting what the account may not: %v, want it to be forbidden", err)
	}
	role := &rbacv1.Role{}
	if err := c.Client.Get(t.Context(), client.ObjectKey{Namespace: "tenant", Name: "installer"}, role); err != nil || len(role.Rules) != 1 {
		t.Errorf("role %v, %v", role.Rules, err)
	}
}
