// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kubelet makes a node on which only logs work, and returns its name.
func (n *tenant) kubelet(log string) string {
	n.Helper()
	n.w.Kubelet(n, n.ns, log)
	return n.ns
}

// pod makes the pod that the controller of a workload would make, in the given state.
func (n *tenant) pod(owner client.Object, kind, labels, node, status string) *corev1.Pod {
	n.Helper()
	o := n.create(fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: %s-0
  labels: {%s}
  ownerReferences: [{apiVersion: %s, kind: %s, name: %s, uid: %s, controller: true}]
spec: {nodeName: %q, containers: [{name: main, image: busybox}]}
`, owner.GetName(), labels, apiVersionOf(kind), kind, owner.GetName(), owner.GetUID(), node))
	n.setStatus(o, status)
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: o.GetName()}}
}

func apiVersionOf(kind string) string {
	if kind == "Job" {
		return "batch/v1"
	}
	return "apps/v1"
}

// setStatus writes the status of an object as its controller would.
func (n *tenant) setStatus(o client.Object, status string) {
	n.Helper()
	patch := client.RawPatch(types.MergePatchType, []byte(`{"status":`+status+`}`))
	if err := n.w.admin().Status().Patch(n.Context(), o, patch); err != nil {
		n.Fatalf("writing the status of %s: %v", o.GetName(), err)
	}
}
