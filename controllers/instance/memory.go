// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// memory is what this process knows of Instances: it keeps requests and events few, and is
// never needed for correctness. One Instance is reconciled by one worker at a time, so what
// is remembered of it needs no lock.
type memory[T any] struct {
	mu        sync.Mutex
	instances map[types.NamespacedName]*remembered[T]
}

// remembered is about one very Instance, and not an earlier one of its name.
type remembered[T any] struct {
	uid   types.UID
	value T
}

// of is what is remembered of an Instance; made anew where there is nothing.
func (m *memory[T]) of(inst *v1alpha1.Instance, anew func() T) *T {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := client.ObjectKeyFromObject(inst)
	found := m.instances[key]
	if found == nil || found.uid != inst.UID {
		if m.instances == nil {
			m.instances = map[types.NamespacedName]*remembered[T]{}
		}
		found = &remembered[T]{uid: inst.UID, value: anew()}
		m.instances[key] = found
	}
	return &found.value
}

func (m *memory[T]) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.instances, key)
}
