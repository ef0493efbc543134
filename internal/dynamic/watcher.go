// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package dynamic

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
)

// Clients hands out metadata clients that act as a ServiceAccount.
type Clients func(account types.NamespacedName) (metadata.Interface, error)

// Options tune a Watcher.
type Options struct {
	// FirstPause is the pause after the first failure of a watch; it doubles with each
	// further one. Default 1s.
	FirstPause time.Duration
	// MaxPause bounds it. Default 5m.
	MaxPause time.Duration
	// Lifetime after which the API server ends a watch, so that it authorises the next
	// one; up to twice as long. Default 5m.
	Lifetime time.Duration
}

// Watcher keeps one watch for each key that somebody holds. It is safe for concurrent use.
type Watcher struct {
	clients Clients
	mapper  meta.RESTMapper
	options Options

	mu sync.Mutex
	// ctx is that of Start, for what is started later.
	ctx         context.Context
	watches     map[Key]*stream
	holders     map[string]map[Key]bool
	subscribers []func(Event)
	running     sync.WaitGroup
}

// New returns a Watcher without any watch.
func New(clients Clients, mapper meta.RESTMapper, o Options) *Watcher {
	if o.FirstPause == 0 {
		o.FirstPause = time.Second
	}
	if o.MaxPause == 0 {
		o.MaxPause = 5 * time.Minute
	}
	if o.Lifetime == 0 {
		o.Lifetime = 5 * time.Minute
	}
	return &Watcher{clients: clients, mapper: mapper, options: o, watches: map[Key]*stream{}, holders: map[string]map[Key]bool{}}
}

// NeedLeaderElection says that only the manager that leads watches.
func (w *Watcher) NeedLeaderElection() bool { return true }

// Start runs what is held now and later, until the context ends.
func (w *Watcher) Start(ctx context.Context) error {
	w.mu.Lock()
	w.ctx = ctx
	for _, s := range w.watches {
		w.run(s)
	}
	w.mu.Unlock()
	<-ctx.Done()
	w.running.Wait()
	return nil
}

// Subscribe calls f for every event, from any goroutine. f must not block.
func (w *Watcher) Subscribe(f func(Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subscribers = append(w.subscribers, f)
}

// Hold makes sure that exactly these watches are held by a holder. A watch that nobody
// holds ends.
func (w *Watcher) Hold(holder string, instance types.NamespacedName, keys []Key) {
	wanted := map[Key]bool{}
	for _, k := range keys {
		wanted[k] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for k := range w.holders[holder] {
		if !wanted[k] {
			w.drop(holder, k)
		}
	}
	for k := range wanted {
		w.add(holder, instance, k)
	}
}

// Need adds one watch to those that a holder holds, and says whether it runs.
func (w *Watcher) Need(holder string, instance types.NamespacedName, key Key) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(holder, instance, key)
	return w.watches[key].synced()
}

// Release gives up all that a holder holds.
func (w *Watcher) Release(holder string) { w.Hold(holder, types.NamespacedName{}, nil) }

func (w *Watcher) add(holder string, instance types.NamespacedName, key Key) {
	if w.holders[holder][key] {
		return
	}
	if w.holders[holder] == nil {
		w.holders[holder] = map[Key]bool{}
	}
	w.holders[holder][key] = true
	s := w.watches[key]
	if s == nil {
		s = newStream(w, key)
		w.watches[key] = s
		if w.ctx != nil && w.ctx.Err() == nil {
			w.run(s)
		}
	}
	s.hold(holder, instance)
}

func (w *Watcher) drop(holder string, key Key) {
	delete(w.holders[holder], key)
	if len(w.holders[holder]) == 0 {
		delete(w.holders, holder)
	}
	s := w.watches[key]
	if s != nil && s.release(holder) {
		delete(w.watches, key)
		s.cancel()
	}
}

// run starts a stream; mu is held. A stream outlives the reconciliation that needs it.
//
//nolint:contextcheck,nolintlint // it ends with the watcher's own context; read where it is called, not here
func (w *Watcher) run(s *stream) {
	ctx, cancel := context.WithCancel(w.ctx)
	s.cancel = cancel
	w.running.Add(1)
	go func() {
		defer w.running.Done()
		defer cancel()
		s.run(ctx)
	}()
}

// Get returns the metadata of an object as a watch has it, nil if there is none; ok says
// whether the watch runs and knows.
func (w *Watcher) Get(key Key, name string) (o *metav1.PartialObjectMetadata, ok bool) {
	w.mu.Lock()
	s := w.watches[key]
	w.mu.Unlock()
	if s == nil {
		return nil, false
	}
	return s.get(name)
}

// List returns the metadata of all objects of a watch, in no order; ok says whether the
// watch runs and knows.
func (w *Watcher) List(key Key) (objects []*metav1.PartialObjectMetadata, ok bool) {
	w.mu.Lock()
	s := w.watches[key]
	w.mu.Unlock()
	if s == nil {
		return nil, false
	}
	return s.all()
}

// Pending says whether a watch has just begun: it neither runs nor has failed yet, and
// will tell in a moment.
func (w *Watcher) Pending(key Key) bool {
	w.mu.Lock()
	s := w.watches[key]
	w.mu.Unlock()
	return s != nil && s.pending()
}

// Refused returns why a watch may not run; nil if it may, or if that is not known yet.
func (w *Watcher) Refused(key Key) error {
	w.mu.Lock()
	s := w.watches[key]
	w.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.refused()
}

// Len is how many watches there are.
func (w *Watcher) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.watches)
}

func (w *Watcher) tell(e Event) {
	w.mu.Lock()
	subscribers := w.subscribers
	w.mu.Unlock()
	for _, f := range subscribers {
		f(e)
	}
}
