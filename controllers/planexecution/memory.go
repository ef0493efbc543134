// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
)

// memory is what this process did for the executions that run: it saves requests
// and is never needed for correctness. A new process starts without it.
type memory struct {
	mu   sync.Mutex
	runs map[types.NamespacedName]*recollection
}

// recollection is what this process did for one execution.
type recollection struct {
	uid types.UID
	// applied is what was applied or started, by attempt.
	applied map[string]*applied
	// deleted are the objects whose removal was asked for, by attempt.
	deleted map[string][]v1alpha1.ObjectReference
	// found is why attempts are not done, by attempt.
	found map[string]*finding
	// left is what applies left of objects, by key.
	left map[string]left
	// failures counts attempts in a row that may work in a moment.
	failures int
}

// applied are the API server's answers to the effect of one attempt.
type applied struct {
	answers []*unstructured.Unstructured
	// tasks whose rules the objects follow, where they were applied.
	tasks []*graph.Task
	at    time.Time
}

// of returns what is remembered of an execution; another one of the same name is
// not meant. One execution is reconciled by one worker at a time.
func (m *memory) of(pe *v1alpha1.PlanExecution) *recollection {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs == nil {
		m.runs = map[types.NamespacedName]*recollection{}
	}
	key := types.NamespacedName{Namespace: pe.Namespace, Name: pe.Name}
	if found := m.runs[key]; found != nil && found.uid == pe.UID {
		return found
	}
	fresh := &recollection{
		uid:     pe.UID,
		applied: map[string]*applied{},
		deleted: map[string][]v1alpha1.ObjectReference{},
		found:   map[string]*finding{},
		left:    map[string]left{},
	}
	m.runs[key] = fresh
	return fresh
}

func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.runs, key)
}

// Bounds of the pause after something that may work in a moment.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// pause grows with every failure in a row.
func (r *recollection) pause() time.Duration {
	d := firstPause << min(r.failures, 10)
	r.failures++
	return min(d, maxPause)
}
