// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestNewest(t *testing.T) {
	secret := func(name, version string) client.Object {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, ResourceVersion: version}}
	}
	last := secret("a", "100")
	tests := map[string]struct {
		read client.Object
		want string
	}{
		"older":                        {secret("a", "99"), "100"},
		"the same":                     {secret("a", "100"), "100"},
		"newer, by another's hand":     {secret("a", "101"), "101"},
		"another object":               {secret("b", "99"), "99"},
		"another kind":                 {&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a", ResourceVersion: "99"}}, "99"},
		"a version that is not theirs": {secret("a", "x"), "x"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := written{}
			w.remember(last)
			if got := newest(w, tc.read).GetResourceVersion(); got != tc.want {
				t.Errorf("version = %s, want %s", got, tc.want)
			}
		})
	}
}
