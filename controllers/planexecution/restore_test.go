// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// What was put back has another UID than the last completed run left. Status is read again
// while it gets ready: without the UID the revision would name an object that is gone, and
// no drift of the new one would be seen.
func TestRevertedObjectsAreKnownByUID(t *testing.T) {
	const path = "main/nodes/undo/revert"
	ref := v1alpha1.ObjectReference{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "n", Name: "zk"}
	created := v1alpha1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: "n", Name: "extra", UID: "e"}
	answer := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "StatefulSet"}}
	answer.SetNamespace("n")
	answer.SetName("zk")
	answer.SetUID("new")
	n := &run{
		objects: map[string][]v1alpha1.ObjectReference{path: {ref, created}},
		state:   engine.State{Nodes: map[string]engine.NodeState{path: {Run: v1alpha1.RunStalled, Attempt: 1}}},
		memory:  &recollection{applied: map[string]*applied{"key": {answers: []*unstructured.Unstructured{answer}}}},
	}
	(&Reconciler{}).observeRevert(t.Context(), n, path, "key")
	if got := []types.UID{n.objects[path][0].UID, n.objects[path][1].UID}; got[0] != "new" || got[1] != "e" {
		t.Errorf("UIDs %v", got)
	}
}

// What was put back is not all: a removal that failed is asked for again.
func TestRevertIsNotDoneBeforeItRemoved(t *testing.T) {
	const path = "main/base/undo/revert"
	n := &run{
		state:  engine.State{Nodes: map[string]engine.NodeState{path: {Run: v1alpha1.RunRunning, Attempt: 1}}},
		memory: &recollection{applied: map[string]*applied{"key": {}}, deleted: map[string][]v1alpha1.ObjectReference{}},
	}
	if got := (&Reconciler{}).observeRevert(t.Context(), n, path, "key"); got.Class != engine.OutcomeNone {
		t.Errorf("got %+v", got)
	}
}
