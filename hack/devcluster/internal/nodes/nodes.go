// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package nodes makes simulated nodes and plays the part of their kubelets.
package nodes

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-base/version"
)

const (
	// onLabel is on every node that is switched on; simulatedLabel also on one that is lost.
	onLabel        = "type"
	onValue        = "kwok"
	simulatedLabel = "devcluster/simulated"
	namePrefix     = "node-"
)

// Ensure makes the first n nodes that do not exist and switches all of them on.
func Ensure(ctx context.Context, client kubernetes.Interface, n int) error {
	for i := range n {
		node := simulated(i)
		_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			err = Restore(ctx, client, node.Name)
		}
		if err != nil {
			return fmt.Errorf("making node %s: %w", node.Name, err)
		}
	}
	return nil
}

// Count returns how many simulated nodes there are and how many of them are Ready.
func Count(ctx context.Context, client kubernetes.Interface) (ready, all int, err error) {
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: simulatedLabel})
	if err != nil {
		return 0, 0, fmt.Errorf("listing nodes: %w", err)
	}
	for _, node := range list.Items {
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	return ready, len(list.Items), nil
}

// Lose switches a node off as if its machine had lost power: its heartbeat ends and its pods stay as they are.
func Lose(ctx context.Context, client kubernetes.Interface, name string) error {
	return label(ctx, client, name, nil)
}

// Restore switches a node on again.
func Restore(ctx context.Context, client kubernetes.Interface, name string) error {
	return label(ctx, client, name, onValue)
}

func label(ctx context.Context, client kubernetes.Interface, name string, value any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{onLabel: value}}})
	if err != nil {
		return fmt.Errorf("encoding a label: %w", err)
	}
	if _, err := client.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("labelling node %s: %w", name, err)
	}
	return nil
}

func simulated(i int) *corev1.Node {
	name := fmt.Sprintf("%s%d", namePrefix, i)
	resources := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("32"), corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods: resource.MustParse("250"), corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			onLabel: onValue, simulatedLabel: "true",
			corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
			corev1.LabelTopologyZone: fmt.Sprintf("zone-%d", i%3),
		}},
		Status: corev1.NodeStatus{
			Capacity: resources, Allocatable: resources,
			NodeInfo: corev1.NodeSystemInfo{KubeletVersion: version.Get().GitVersion},
		},
	}
}
