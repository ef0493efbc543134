// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/dynamic"
)

// contentMemory is what this process read of the contents that pods consume: it keeps
// reads few, and is never needed for correctness.
type contentMemory struct {
	mu        sync.Mutex
	instances map[types.NamespacedName]*lookedAt
}

// lookedAt is what this process read for one Instance, which one worker at a time works on.
type lookedAt struct {
	uid types.UID
	// contents that are not as the last completed run found them, by what is consumed.
	contents map[string]looked
	// refused are the watches that were reported as refused.
	refused map[dynamic.Key]bool
}

// looked is the digest of one state of an object.
type looked struct {
	uid     types.UID
	version string
	digest  string
}

func (m *contentMemory) of(inst *v1alpha1.Instance) *lookedAt {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := types.NamespacedName{Namespace: inst.Namespace, Name: inst.Name}
	if found := m.instances[key]; found != nil && found.uid == inst.UID {
		return found
	}
	if m.instances == nil {
		m.instances = map[types.NamespacedName]*lookedAt{}
	}
	m.instances[key] = &lookedAt{uid: inst.UID, contents: map[string]looked{}}
	return m.instances[key]
}

func (m *contentMemory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.instances, key)
}
