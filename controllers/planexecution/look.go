// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
)

// look reads what expressions need to see now, as the Instance's account, and
// evaluates the conditions that may be decided next. What can not be read is an
// error of the expression that needs it.
func (r *Reconciler) look(ctx context.Context, n *run) error {
	near := n.plan.Near(n.state)
	running := func(path string) bool {
		s := n.state.Node(path)
		return s.Run == v1alpha1.RunRunning || s.Run == v1alpha1.RunStalled || near[path]
	}
	n.observed = map[string]any{}
	for _, name := range n.version.Needed(n.plan, near, running, n.state.StartedAt.IsZero()) {
		query, err := n.version.Query(name, n.inputs, n.identity)
		if err != nil {
			continue // the expression that needs it says what is missing
		}
		seen, err := r.ask(ctx, n, query)
		stopping := n.admission.Stop != ""
		if apply.Classify(err).Class == engine.OutcomeTransient && !stopping {
			return fmt.Errorf("observing %s: %w", name, err)
		}
		if err == nil {
			n.observed[name] = seen
		}
	}
	n.facts.When = n.version.Conditions(n.plan, near, n.inputs, n.identity, n.observed)
	return nil
}

// ask answers one query: an object or nil, or a list.
func (r *Reconciler) ask(ctx context.Context, n *run, q graph.Query) (any, error) {
	if q.ObjectName != "" {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(q.GVK)
		err := n.applier.Client.Get(ctx, client.ObjectKey{Namespace: n.pe.Namespace, Name: q.ObjectName}, u)
		if apierrors.IsNotFound(err) {
			return nil, nil //nolint:nilnil // null is the answer
		}
		return u.Object, err
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(q.GVK)
	options := []client.ListOption{client.InNamespace(n.pe.Namespace)}
	if q.Selector != nil {
		options = append(options, client.MatchingLabels(q.Selector))
	}
	if err := n.applier.Client.List(ctx, list, options...); err != nil {
		return nil, err
	}
	out := []any{}
	for i := range list.Items {
		if n.belongs(&list.Items[i], q) {
			out = append(out, list.Items[i].Object)
		}
	}
	return out, nil
}

// belongs says whether an object is owned by the observed one, or is a claim of it.
func (n *run) belongs(u *unstructured.Unstructured, q graph.Query) bool {
	owner := q.OwnedBy + q.ClaimsOf
	if owner == "" {
		return true
	}
	content, ok := n.observed[owner].(map[string]any)
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
