// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lock remembers which executions the API server itself confirmed as the
// holders of their Instances, in the life of this process.
package lock

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Ledger holds confirmations. The answer to a write that names an execution as active
// is one, as good as a read at that moment. The zero value is ready for use.
type Ledger struct {
	mu      sync.Mutex
	epochs  map[types.UID]int64
	pending map[types.UID]chan struct{}
}

// Begin announces a write that names an execution as active: its event may be seen
// before its answer. The returned function ends that and records what was confirmed.
func (l *Ledger) Begin(execution types.UID) (end func(epoch int64, confirmed bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending == nil {
		l.epochs, l.pending = map[types.UID]int64{}, map[types.UID]chan struct{}{}
	}
	done := make(chan struct{})
	l.pending[execution] = done
	return func(epoch int64, confirmed bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if confirmed {
			l.epochs[execution] = epoch
		}
		delete(l.pending, execution)
		close(done)
	}
}

// Confirm records that the API server named an execution as active with an epoch.
func (l *Ledger) Confirm(execution types.UID, epoch int64) {
	l.Begin(execution)(epoch, true)
}

// Confirmed says whether the API server named an execution as active with that epoch.
// It waits for the answer to a write that is under way.
func (l *Ledger) Confirmed(ctx context.Context, execution types.UID, epoch int64) bool {
	l.mu.Lock()
	done := l.pending[execution]
	l.mu.Unlock()
	if done != nil {
		select {
		case <-done:
		case <-ctx.Done():
			return false
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	confirmed, ok := l.epochs[execution]
	return ok && confirmed == epoch
}

// Forget drops an execution that ended.
func (l *Ledger) Forget(execution types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.epochs, execution)
}
