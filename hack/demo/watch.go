// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// event is a change of an object.
type event struct {
	object client.Object
	gone   bool
}

// follow sends every object of a list that the options choose, then every change, until
// the context ends. The first event without an object says that all have been sent.
func follow(ctx context.Context, c client.WithWatch, list client.ObjectList, object client.Object, opts ...client.ListOption) (<-chan event, error) {
	chosen := func(o metav1.ListOptions) *client.ListOptions {
		all := &client.ListOptions{Raw: &o}
		return all.ApplyOptions(opts)
	}
	lists := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			l := list.DeepCopyObject().(client.ObjectList) //nolint:forcetypeassert,errcheck // a copy has the type of the original
			return l, c.List(ctx, l, chosen(o))
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return c.Watch(ctx, list, chosen(o))
		},
	}
	out := make(chan event)
	send := func(object any, gone bool) {
		if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = last.Obj
		}
		o, _ := object.(client.Object)
		select {
		case out <- event{object: o, gone: gone}:
		case <-ctx.Done():
		}
	}
	informer := cache.NewSharedInformer(lists, object, 0)
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { send(o, false) },
		UpdateFunc: func(_, o any) { send(o, false) },
		DeleteFunc: func(o any) { send(o, true) },
	})
	if err != nil {
		return nil, fmt.Errorf("watching %T: %w", object, err)
	}
	go informer.RunWithContext(ctx)
	go func() {
		if cache.WaitForCacheSync(ctx.Done(), handler.HasSynced) {
			send(nil, false)
		}
	}()
	return out, nil
}

// until watches the objects of a list until all of them together are as wanted.
func until[T client.Object](
	ctx context.Context, c client.WithWatch, list client.ObjectList, object T, ok func(all map[string]T) bool, opts ...client.ListOption,
) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errTooLong)
	defer cancel()
	events, err := follow(ctx, c, list, object, opts...)
	if err != nil {
		return err
	}
	all, synced := map[string]T{}, false
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e := <-events:
			switch o, _ := e.object.(T); {
			case e.object == nil:
				synced = true
			case e.gone:
				delete(all, o.GetName())
			default:
				all[o.GetName()] = o
			}
		}
		if synced && ok(all) {
			return nil
		}
	}
}
