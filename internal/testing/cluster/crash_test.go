// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestCrash: what was written before a crash is there after it.
func TestCrash(t *testing.T) {
	Get(t)
	c, err := Start() // the other tests go on with theirs
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kept"}}
	if err := c.Client.Create(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"kube-apiserver", "etcd", "kube-apiserver"} {
		revive, err := c.Crash(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := revive(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Client.Get(t.Context(), client.ObjectKeyFromObject(kept), kept); err != nil {
			t.Errorf("after a crash of %s: %v", program, err)
		}
	}
}
