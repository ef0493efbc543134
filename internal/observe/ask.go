// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package observe reads what a version observes of an Instance's namespace, and tells from
// metadata alone whether it may have changed.
package observe

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/graph"
)

// Ask answers one query from the API server, as the account that a client acts for: an
// object or nil, or a list. known are the answers that it may depend on.
func Ask(ctx context.Context, as client.Reader, namespace string, q graph.Query, known map[string]any) (any, error) {
	if q.ObjectName != "" {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(q.GVK)
		err := as.Get(ctx, client.ObjectKey{Namespace: namespace, Name: q.ObjectName}, u)
		if apierrors.IsNotFound(err) {
			return nil, nil //nolint:nilnil // null is the answer
		}
		if err != nil {
			return nil, fmt.Errorf("observing %s: %w", q.Name, err)
		}
		return u.Object, nil
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(q.GVK)
	options := []client.ListOption{client.InNamespace(namespace)}
	if q.Selector != nil {
		options = append(options, client.MatchingLabels(q.Selector))
	}
	if err := as.List(ctx, list, options...); err != nil {
		return nil, fmt.Errorf("observing %s: %w", q.Name, err)
	}
	out := []any{}
	for i := range list.Items {
		if belongs(&list.Items[i], q, known) {
			out = append(out, list.Items[i].Object)
		}
	}
	return out, nil
}

// belongs says whether an object is owned by the observed one, or is a claim of it.
func belongs(u *unstructured.Unstructured, q graph.Query, known map[string]any) bool {
	owner := q.OwnedBy + q.ClaimsOf
	if owner == "" {
		return true
	}
	content, ok := known[owner].(map[string]any)
	if !ok {
		return false
	}
	parent := &unstructured.Unstructured{Object: content}
	if q.OwnedBy != "" {
		ref := metav1.GetControllerOf(u)
		return ref != nil && ref.UID == parent.GetUID()
	}
	return claimOf(u.GetName(), parent)
}

// claimOf says whether a volume claim has a name that a StatefulSet gives:
// <template>-<set>-<ordinal>.
func claimOf(name string, set *unstructured.Unstructured) bool {
	templates, _, err := unstructured.NestedSlice(set.Object, "spec", "volumeClaimTemplates")
	if err != nil {
		return false
	}
	for _, t := range templates {
		template, ok := t.(map[string]any)
		if !ok {
			continue
		}
		prefix, _, err := unstructured.NestedString(template, "metadata", "name")
		if err != nil {
			continue
		}
		ordinal, found := strings.CutPrefix(name, prefix+"-"+set.GetName()+"-")
		if found && ordinal != "" && strings.Trim(ordinal, "0123456789") == "" {
			return true
		}
	}
	return false
}
