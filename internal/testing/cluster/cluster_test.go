// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/install"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// recorded returns what was asked of the API server while do ran.
func recorded(t *testing.T, a *Audit, do func()) []Request {
	t.Helper()
	from, err := a.Now()
	if err != nil {
		t.Fatal(err)
	}
	do()
	requests, err := a.Since(from)
	if err != nil {
		t.Fatal(err)
	}
	return requests
}

func TestAudit(t *testing.T) {
	c := Get(t)
	if c.Audit == nil {
		t.Skip("an existing cluster has no audit log that a test could read")
	}
	config := rest.CopyConfig(c.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "alice", Groups: []string{"system:masters"}}
	alice, err := install.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "audited"}}
	requests := recorded(t, c.Audit, func() {
		for _, err := range []error{
			c.Client.Create(t.Context(), object),
			alice.Get(t.Context(), client.ObjectKeyFromObject(object), object),
			alice.Get(t.Context(), client.ObjectKeyFromObject(object), object),
			alice.Delete(t.Context(), object),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	for _, r := range requests {
		if r.Resource == "configmaps" && (r.Name != "audited" || r.Namespace != "default" || r.Code/100 != 2 || r.At.IsZero()) {
			t.Errorf("request %+v", r)
		}
	}
	counts := Count(Work(By("admin", requests)))
	for key, want := range map[Key]int{
		{User: "admin", Verb: "create", Resource: "configmaps"}:              1,
		{User: "admin", As: "alice", Verb: "get", Resource: "configmaps"}:    2,
		{User: "admin", As: "alice", Verb: "delete", Resource: "configmaps"}: 1,
	} {
		if counts[key] != want {
			t.Errorf("%v: %d requests, want %d; all:\n%s", key, counts[key], want, Table(counts))
		}
	}
}

func TestAWatchCountsOnce(t *testing.T) {
	c := Get(t)
	if c.Audit == nil {
		t.Skip("an existing cluster has no audit log that a test could read")
	}
	requests := recorded(t, c.Audit, func() {
		w, err := c.Client.Watch(t.Context(), &corev1.SecretList{}, client.InNamespace("default"))
		if err != nil {
			t.Fatal(err)
		}
		w.Stop()
		for range w.ResultChan() {
			continue // until the watch has ended
		}
		if err := c.Client.List(t.Context(), &corev1.SecretList{}, client.InNamespace("default")); err != nil {
			t.Fatal(err)
		}
	})
	counts := Count(requests)
	if n := counts[Key{User: "admin", Verb: "watch", Resource: "secrets"}]; n != 1 {
		t.Errorf("%d watches, want 1:\n%s", n, Table(counts))
	}
	if n := Count(Work(requests))[Key{User: "admin", Verb: "list", Resource: "secrets"}]; n != 1 {
		t.Errorf("%d lists, want 1:\n%s", n, Table(counts))
	}
}
