// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestCrash: what was written before a crash is there after it, and the control plane ends
// whatever has crashed in it.
func TestCrash(t *testing.T) {
	Get(t)
	tests := map[string][]string{
		"one after the other": {"kube-apiserver", "etcd", "kube-apiserver"},
		"etcd alone":          {"etcd"},
	}
	for name, programs := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Start() // the other tests go on with theirs
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := c.Stop(); err != nil {
					t.Error(err)
				}
			})
			c.survive(t, programs)
		})
	}
}

// survive crashes programs in this order.
func (c *Cluster) survive(t *testing.T, programs []string) {
	t.Helper()
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kept"}}
	if err := c.Client.Create(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
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
