// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Object names an object of a Framework's generated kind.
type Object struct {
	// Framework that the kind was generated for.
	Framework string
	types.NamespacedName
}

// Kinds holds one watch for each generated kind that is served. Watches start and end while
// the manager runs. It is safe for concurrent use.
type Kinds struct {
	client dynamic.Interface
	log    logr.Logger
	ctx    context.Context //nolint:containedctx // the life of all watches, which start at any time
	end    context.CancelFunc

	mu       sync.Mutex
	kinds    map[string]*kind
	changed  func(Object)
	released func(framework string)
	running  sync.WaitGroup
}

// kind is one that is watched.
type kind struct {
	v1alpha1.GeneratedKind
	framework string
	// replicas is the parameter behind the scale subresource, if any.
	replicas string
	crd      types.UID
	resource dynamic.NamespaceableResourceInterface
	informer cache.SharedIndexInformer
	end      context.CancelFunc

	mu sync.Mutex
	// written are answers to writes that the watch may not have brought yet.
	written map[types.NamespacedName]*unstructured.Unstructured
}

// NewKinds returns a set without any watch.
func NewKinds(client dynamic.Interface, log logr.Logger) *Kinds {
	ctx, end := context.WithCancel(context.Background())
	return &Kinds{client: client, log: log, ctx: ctx, end: end, kinds: map[string]*kind{}}
}

// NeedLeaderElection says that only the manager that leads watches.
func (k *Kinds) NeedLeaderElection() bool { return true }

// Start waits until the manager stops, and ends all watches.
func (k *Kinds) Start(ctx context.Context) error {
	<-ctx.Done()
	k.end()
	k.running.Wait()
	return nil
}

// Watch makes sure that a served kind is watched. The watch outlives its caller.
//
//nolint:contextcheck,nolintlint
func (k *Kinds) Watch(framework string, crd types.UID, g v1alpha1.GeneratedKind, replicas string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if have := k.kinds[framework]; have != nil {
		if have.crd == crd && have.GeneratedKind == g && have.replicas == replicas {
			return nil
		}
		have.end()
		delete(k.kinds, framework)
	}
	gv, err := schema.ParseGroupVersion(g.APIVersion)
	if err != nil {
		return fmt.Errorf("watching the kind of Framework %s: %w", framework, err)
	}
	gvr := gv.WithResource(g.Resource)
	ctx, end := context.WithCancel(k.ctx)
	next := &kind{
		GeneratedKind: g, framework: framework, replicas: replicas, crd: crd, end: end,
		resource: k.client.Resource(gvr),
		informer: dynamicinformer.NewFilteredDynamicInformer(k.client, gvr, "", 0, cache.Indexers{}, nil).Informer(),
		written:  map[types.NamespacedName]*unstructured.Unstructured{},
	}
	if err := k.prepare(next); err != nil {
		end()
		return err
	}
	k.kinds[framework] = next
	k.running.Go(func() { next.informer.RunWithContext(ctx) })
	return nil
}

func (k *Kinds) prepare(next *kind) error {
	// Managed fields are most of an object, and nobody reads them here.
	err := next.informer.SetTransform(func(o any) (any, error) {
		if u, ok := o.(*unstructured.Unstructured); ok {
			u.SetManagedFields(nil)
		}
		return o, nil
	})
	if err != nil {
		return fmt.Errorf("watching %s: %w", next.Resource, err)
	}
	err = next.informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		k.log.V(1).Info("a watch of a generated kind starts again", "resource", next.Resource, "cause", err.Error())
	})
	if err != nil {
		return fmt.Errorf("watching %s: %w", next.Resource, err)
	}
	_, err = next.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) { k.tell(next, o, nil) },
		UpdateFunc: func(old, now any) {
			k.tell(next, now, old)
		},
		DeleteFunc: func(o any) {
			if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = gone.Obj
			}
			next.forget(o)
			k.release(next.framework)
		},
	})
	if err != nil {
		return fmt.Errorf("watching %s: %w", next.Resource, err)
	}
	return nil
}

// tell passes a change on. A changed spec may be what a new schema waits for.
func (k *Kinds) tell(from *kind, now, old any) {
	u, ok := now.(*unstructured.Unstructured)
	if !ok {
		return
	}
	k.mu.Lock()
	changed := k.changed
	k.mu.Unlock()
	if changed != nil {
		changed(Object{from.framework, types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}})
	}
	if was, ok := old.(*unstructured.Unstructured); !ok || was.GetGeneration() != u.GetGeneration() {
		k.release(from.framework)
	}
}

func (k *Kinds) release(framework string) {
	k.mu.Lock()
	released := k.released
	k.mu.Unlock()
	if released != nil {
		released(framework)
	}
}

// Subscribe calls changed for every event of an object, and released when an object was
// changed by a person or is gone. Neither may block.
func (k *Kinds) Subscribe(changed func(Object), released func(framework string)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if changed != nil {
		k.changed = changed
	}
	if released != nil {
		k.released = released
	}
}

// watches says whether the kind of this very definition is watched.
func (k *Kinds) watches(framework string, crd types.UID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	have := k.kinds[framework]
	return have != nil && have.crd == crd
}

// Forget ends the watch of a Framework's kind.
func (k *Kinds) Forget(framework string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if have := k.kinds[framework]; have != nil {
		have.end()
		delete(k.kinds, framework)
	}
}

// of gives the kind of a Framework, if it is watched. All of its objects are known before the
// first of them is told.
func (k *Kinds) of(framework string) *kind {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kinds[framework]
}

// get gives the newest known state of an object, to be read only; nil if there is none.
func (k *kind) get(key types.NamespacedName) (*unstructured.Unstructured, error) {
	found, exists, err := k.informer.GetStore().GetByKey(key.String())
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", k.Singular, key, err)
	}
	u, ok := found.(*unstructured.Unstructured)
	if !exists || !ok {
		return nil, nil //nolint:nilnil // there is none
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.written[key]
	if w == nil {
		return u, nil
	}
	order, err := resourceversion.CompareResourceVersion(w.GetResourceVersion(), u.GetResourceVersion())
	if err == nil && order > 0 && w.GetUID() == u.GetUID() {
		return w, nil
	}
	delete(k.written, key)
	return u, nil
}

// wrote remembers the answer to a write until the watch brings it. What is gone with it is
// not brought any more.
func (k *kind) wrote(u *unstructured.Unstructured) {
	if u.GetDeletionTimestamp() != nil && len(u.GetFinalizers()) == 0 {
		return
	}
	u.SetManagedFields(nil)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.written[types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}] = u
}

func (k *kind) forget(o any) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.written, types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()})
}

// named are the objects that an Instance of this name stands in the way of, or is made for.
func (k *Kinds) named(namespace, instance string) []Object {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []Object
	for framework, have := range k.kinds {
		if name, ok := strings.CutPrefix(instance, have.Singular+"-"); ok {
			out = append(out, Object{framework, types.NamespacedName{Namespace: namespace, Name: name}})
		}
	}
	return out
}
