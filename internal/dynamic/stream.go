// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package dynamic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
)

// stream is one watch, established again and again while somebody holds it.
type stream struct {
	watcher *Watcher
	key     Key
	cancel  context.CancelFunc

	mu      sync.Mutex
	holders map[string]types.NamespacedName
	objects map[string]*metav1.PartialObjectMetadata
	// version to go on from; empty: from the beginning.
	version string
	running bool
	err     error
}

func newStream(w *Watcher, key Key) *stream {
	return &stream{
		watcher: w, key: key, cancel: func() {},
		holders: map[string]types.NamespacedName{}, objects: map[string]*metav1.PartialObjectMetadata{},
	}
}

func (s *stream) hold(holder string, instance types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holders[holder] = instance
}

// release says whether nobody holds the stream any more.
func (s *stream) release(holder string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.holders, holder)
	return len(s.holders) == 0
}

func (s *stream) synced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

func (s *stream) pending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.running && s.err == nil
}

func (s *stream) refused() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if apierrors.IsForbidden(s.err) {
		return s.err
	}
	return nil
}

func (s *stream) get(name string) (*metav1.PartialObjectMetadata, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[name], s.running
}

// run establishes the watch until the context ends. A failure is followed by a pause that
// grows, so that a right that is missing costs a request every few minutes.
func (s *stream) run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		began := time.Now()
		err := s.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil && time.Since(began) > s.watcher.options.FirstPause {
			failures = 0
			continue // it ended in good order and goes on from where it was
		}
		if err != nil {
			s.down(err)
		}
		pause := min(s.watcher.options.FirstPause<<min(failures, 20), s.watcher.options.MaxPause)
		failures++
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause + rand.N(pause/4+1)): //nolint:gosec // only to spread requests
		}
	}
}

// errEnded says that a watch ended before it knew all objects.
var errEnded = errors.New("the watch ended before it had begun")

// session is one watch from its request to its end.
func (s *stream) session(ctx context.Context) error {
	mapping, err := s.watcher.mapper.RESTMapping(s.key.GVK.GroupKind(), s.key.GVK.Version)
	if err != nil {
		return fmt.Errorf("finding the resource of %s: %w", s.key.GVK.Kind, err)
	}
	client, err := s.watcher.clients(s.key.Account)
	if err != nil {
		return fmt.Errorf("acting as the account %s: %w", s.key.Account, err)
	}
	var from metadata.ResourceInterface = client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		from = client.Resource(mapping.Resource).Namespace(s.key.Namespace)
	}
	// Closing this watch must not wait for the API server's next word.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, seen, err := s.open(ctx, from)
	if err != nil {
		return err
	}
	defer events.Stop()
	return s.follow(ctx, events, seen)
}

// open asks for a watch: from where the last one ended, else with all objects first, as
// one stream. An API server that can not do that is asked for a list before.
func (s *stream) open(ctx context.Context, from metadata.ResourceInterface) (watch.Interface, map[string]bool, error) {
	lifetime := int64((s.watcher.options.Lifetime + rand.N(s.watcher.options.Lifetime)) / time.Second) //nolint:gosec // only to spread requests
	lifetime = max(lifetime, 1)
	options := s.key.selection()
	options.AllowWatchBookmarks, options.TimeoutSeconds, options.ResourceVersion = true, &lifetime, s.version
	if s.version != "" {
		events, err := from.Watch(ctx, options)
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			s.version = ""
		}
		return events, nil, err
	}
	initial := true
	all := options
	all.SendInitialEvents, all.ResourceVersionMatch = &initial, metav1.ResourceVersionMatchNotOlderThan
	events, err := from.Watch(ctx, all)
	if err == nil || !apierrors.IsInvalid(err) {
		return events, map[string]bool{}, err
	}
	list, err := from.List(ctx, s.key.selection())
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for i := range list.Items {
		s.store(&list.Items[i])
		seen[list.Items[i].Name] = true
	}
	s.up(seen, list.ResourceVersion)
	options.ResourceVersion = list.ResourceVersion
	events, err = from.Watch(ctx, options)
	return events, nil, err
}

// follow takes events in until the watch ends. seen are the objects of a watch that
// began anew, until it has told all.
func (s *stream) follow(ctx context.Context, events watch.Interface, seen map[string]bool) error {
	if seen == nil {
		s.up(nil, s.version)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-events.ResultChan():
			switch {
			case !open && seen != nil:
				return errEnded
			case !open:
				return nil
			case e.Type == watch.Error:
				err := apierrors.FromObject(e.Object)
				if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
					s.version = ""
				}
				return err
			}
			o, ok := e.Object.(*metav1.PartialObjectMetadata)
			if !ok {
				continue
			}
			seen = s.take(e.Type, o, seen)
		}
	}
}

// take takes one event in.
func (s *stream) take(kind watch.EventType, o *metav1.PartialObjectMetadata, seen map[string]bool) map[string]bool {
	switch kind {
	case watch.Added, watch.Modified:
		if seen != nil {
			seen[o.Name] = true
		} else {
			s.version = o.ResourceVersion
		}
		s.store(o)
	case watch.Deleted:
		delete(seen, o.Name)
		s.forget(o)
		if seen == nil {
			s.version = o.ResourceVersion
		}
	case watch.Bookmark:
		if seen == nil {
			s.version = o.ResourceVersion
		} else if o.Annotations[metav1.InitialEventsAnnotationKey] == "true" {
			s.up(seen, o.ResourceVersion)
			return nil
		}
	case watch.Error:
	}
	return seen
}
