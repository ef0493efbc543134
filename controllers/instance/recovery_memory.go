// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/dynamic"
)

// ruleMemory is what this process evaluated of recovery rules: it keeps reads few, and is
// never needed for correctness.
type ruleMemory struct {
	mu        sync.Mutex
	instances map[types.NamespacedName]*evaluated
}

// evaluated is what came out for one Instance, which one worker at a time works on.
type evaluated struct {
	uid types.UID
	// trace of what was observed.
	trace string
	at    time.Time
	// holds says which rules hold, of those that were looked at.
	holds map[string]bool
	// refused are the watches that were reported as refused.
	refused map[dynamic.Key]bool
	// told are messages that events were made of.
	told map[string]bool
}

func (m *ruleMemory) of(inst *v1alpha1.Instance) *evaluated {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := types.NamespacedName{Namespace: inst.Namespace, Name: inst.Name}
	if found := m.instances[key]; found != nil && found.uid == inst.UID {
		return found
	}
	if m.instances == nil {
		m.instances = map[types.NamespacedName]*evaluated{}
	}
	m.instances[key] = &evaluated{uid: inst.UID, told: map[string]bool{}}
	return m.instances[key]
}

func (m *ruleMemory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.instances, key)
}
