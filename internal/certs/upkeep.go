// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// syncTimeout bounds the first list: without it, missing rights to list or
	// watch would look like a manager that works.
	syncTimeout = 2 * time.Minute
	// minPause keeps a wrong clock from turning timers into a busy loop.
	minPause = 100 * time.Millisecond
)

// upkeep runs a Keeper for as long as the manager lives, on every replica. At
// idle it sends nothing: it sleeps until an object that it watches changes or a
// certificate is due.
type upkeep struct {
	keeper *Keeper
	// cache holds nothing but the named objects, so that list and watch can be
	// granted for these names only.
	cache  cache.Cache
	writer client.Writer
	wake   chan struct{}
}

// SetupWithManager keeps everything in order while the manager runs.
func (k *Keeper) SetupWithManager(mgr ctrl.Manager) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, admissionregistrationv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("setting up the upkeep of webhook certificates: %w", err)
		}
	}
	// A cache and a client of its own: the manager's may be narrowed or wrapped.
	informers, err := cache.New(mgr.GetConfig(), cache.Options{
		HTTPClient:                  mgr.GetHTTPClient(),
		Mapper:                      mgr.GetRESTMapper(),
		Scheme:                      scheme,
		ByObject:                    k.selectors(),
		ReaderFailOnMissingInformer: true,
	})
	if err != nil {
		return fmt.Errorf("setting up the cache of webhook certificates: %w", err)
	}
	writer, err := client.New(mgr.GetConfig(), client.Options{
		HTTPClient: mgr.GetHTTPClient(), Mapper: mgr.GetRESTMapper(), Scheme: scheme,
	})
	if err != nil {
		return fmt.Errorf("setting up the client of webhook certificates: %w", err)
	}
	return mgr.Add(&upkeep{keeper: k, cache: informers, writer: writer, wake: make(chan struct{}, 1)})
}

// selectors says which objects are watched.
func (k *Keeper) selectors() map[client.Object]cache.ByObject {
	named := func(name string) fields.Selector { return fields.OneTermEqualSelector("metadata.name", name) }
	by := map[client.Object]cache.ByObject{
		&corev1.Secret{}: {Namespaces: map[string]cache.Config{
			k.opts.Secret.Namespace: {FieldSelector: named(k.opts.Secret.Name)},
		}},
	}
	for _, t := range k.targets() {
		by[t.empty()] = cache.ByObject{Field: named(t.name)}
	}
	return by
}

// NeedLeaderElection makes it run on every replica: all of them serve.
func (u *upkeep) NeedLeaderElection() bool {
	return false
}

// Start runs until the context ends.
func (u *upkeep) Start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for obj := range u.keeper.selectors() {
		informer, err := u.cache.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watching for the webhook certificates: %w", err)
		}
		if _, err := informer.AddEventHandler(u.handler()); err != nil {
			return fmt.Errorf("watching for the webhook certificates: %w", err)
		}
	}
	failed := make(chan error, 1)
	go func() { failed <- u.cache.Start(ctx) }()
	syncing, stop := context.WithTimeout(ctx, syncTimeout)
	defer stop()
	if !u.cache.WaitForCacheSync(syncing) && ctx.Err() == nil {
		return fmt.Errorf("listing Secret %s and the webhook configurations took longer than %s: are list and watch granted?",
			u.keeper.opts.Secret, syncTimeout)
	}
	u.loop(ctx)
	cancel()
	return <-failed
}

func (u *upkeep) handler() toolscache.ResourceEventHandler {
	wake := func() {
		select {
		case u.wake <- struct{}{}:
		default: // One wake-up that is still to be served is enough.
		}
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { wake() },
		UpdateFunc: func(any, any) { wake() },
		DeleteFunc: func(any) { wake() },
	}
}

func (u *upkeep) loop(ctx context.Context) {
	opts := u.keeper.opts
	backoff := newBackoff()
	for ctx.Err() == nil {
		next, err := u.keeper.pass(ctx, u.cache, u.writer)
		pause := max(next.Sub(opts.Clock.Now()), minPause)
		switch {
		case err == nil:
			backoff = newBackoff()
		case outrun(err):
			pause = backoff.Step()
			opts.Log.V(1).Info("Another manager wrote the CA first", "retryAfter", pause)
		case ctx.Err() == nil:
			pause = backoff.Step()
			opts.Log.Error(err, "Keeping the webhook certificates failed", "retryAfter", pause)
		}
		timer := opts.Clock.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-u.wake:
		case <-timer.C():
		}
		timer.Stop()
	}
}

func newBackoff() *wait.Backoff {
	return &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 20, Cap: time.Minute}
}
