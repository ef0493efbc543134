// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// selector selects the pods that a scale is about: those of the only workload with replicas
// that the Instance has. With several, nobody can tell which one is meant.
func (p *Projector) selector(ctx context.Context, inst *v1alpha1.Instance) (string, error) {
	var found []string
	for _, kind := range []string{"StatefulSet", "Deployment"} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: kind + "List"})
		err := p.Cache.List(ctx, list, client.InNamespace(inst.Namespace), client.MatchingLabels{v1alpha1.LabelInstance: inst.Name})
		if err != nil {
			return "", fmt.Errorf("listing the workloads of the Instance: %w", err)
		}
		for i := range list.Items {
			if text := selectorOf(&list.Items[i]); text != "" && metav1.IsControlledBy(&list.Items[i], inst) {
				found = append(found, text)
			}
		}
	}
	if len(found) != 1 {
		return "", nil
	}
	return found[0], nil
}

func selectorOf(workload *unstructured.Unstructured) string {
	raw, found, err := unstructured.NestedMap(workload.Object, "spec", "selector")
	if err != nil || !found {
		return ""
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &selector); err != nil {
		return ""
	}
	return metav1.FormatLabelSelector(&selector)
}
