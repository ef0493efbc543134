// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const workers = 8

// Injector writes the faults of the store into the annotations of the pods they are about.
type Injector struct {
	client kubernetes.Interface
	log    *log.Logger
	pods   corelisters.PodLister
	queue  workqueue.TypedRateLimitingInterface[cache.ObjectName]

	// mu is held for reading while a pod is annotated: once a change of the faults has it for writing, no worker
	// can write what followed from the faults before.
	mu     sync.RWMutex
	faults []Fault
}

// Run injects faults until the context ends.
func Run(ctx context.Context, client kubernetes.Interface, logger *log.Logger) error {
	in := &Injector{
		client: client, log: logger,
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]()),
	}
	faults, err := NewStore(client).List(ctx)
	if err != nil {
		logger.Printf("the faults cannot be read, none are on: %v", err)
	}
	in.faults = faults

	podFactory := informers.NewSharedInformerFactory(client, 0)
	in.pods = podFactory.Core().V1().Pods().Lister()
	if err := in.watchPods(podFactory); err != nil {
		return err
	}
	storeFactory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(storeNamespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector("metadata.name", storeName).String()
		}))
	podFactory.Start(ctx.Done())
	podFactory.WaitForCacheSync(ctx.Done())
	// Only after the pods are known can a change of the faults be applied to all of them.
	if err := in.watchStore(ctx, storeFactory); err != nil {
		return err
	}
	storeFactory.Start(ctx.Done())

	in.work(ctx)
	podFactory.Shutdown()
	storeFactory.Shutdown()
	return nil
}

func (in *Injector) watchPods(factory informers.SharedInformerFactory) error {
	enqueue := func(obj any) {
		if pod, ok := obj.(*corev1.Pod); ok {
			in.queue.Add(cache.MetaObjectToName(pod))
		}
	}
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: enqueue, UpdateFunc: func(_, obj any) { enqueue(obj) },
	})
	if err != nil {
		return fmt.Errorf("watching pods: %w", err)
	}
	return nil
}

func (in *Injector) watchStore(ctx context.Context, factory informers.SharedInformerFactory) error {
	apply := func(obj any) {
		if cm, ok := obj.(*corev1.ConfigMap); ok {
			if err := in.apply(ctx, cm); err != nil && ctx.Err() == nil {
				in.log.Printf("applying the faults: %v", err)
			}
		}
	}
	_, err := factory.Core().V1().ConfigMaps().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: apply, UpdateFunc: func(_, obj any) { apply(obj) },
		DeleteFunc: func(any) { apply(&corev1.ConfigMap{}) },
	})
	if err != nil {
		return fmt.Errorf("watching the faults: %w", err)
	}
	return nil
}

// apply takes over the faults of the store, brings the pods that exist in line and then leaves a receipt.
func (in *Injector) apply(ctx context.Context, cm *corev1.ConfigMap) error {
	if cm.Annotations[annotationObserved] == digest(cm) {
		return nil
	}
	faults, err := decode(cm)
	if err != nil {
		return err
	}
	if err := in.sweep(ctx, faults); err != nil {
		return err
	}
	if cm.Name == "" { // it was deleted
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{annotationObserved: digest(cm)},
	}})
	if err != nil {
		return fmt.Errorf("encoding the receipt: %w", err)
	}
	_, err = in.client.CoreV1().ConfigMaps(cm.Namespace).Patch(ctx, cm.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("writing the receipt: %w", err)
	}
	return nil
}

func (in *Injector) sweep(ctx context.Context, faults []Fault) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.faults = faults
	pods, err := in.pods.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	var errs []error
	for _, pod := range pods {
		errs = append(errs, in.annotate(ctx, pod))
	}
	return errors.Join(errs...)
}

func (in *Injector) work(ctx context.Context) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				key, shutdown := in.queue.Get()
				if shutdown {
					return
				}
				in.handle(ctx, key)
			}
		})
	}
	<-ctx.Done()
	in.queue.ShutDown()
	wg.Wait()
}

func (in *Injector) handle(ctx context.Context, key cache.ObjectName) {
	defer in.queue.Done(key)
	in.mu.RLock()
	defer in.mu.RUnlock()
	pod, err := in.pods.Pods(key.Namespace).Get(key.Name)
	if err == nil {
		err = in.annotate(ctx, pod)
	}
	if err == nil || apierrors.IsNotFound(err) {
		in.queue.Forget(key)
		return
	}
	if ctx.Err() == nil {
		in.log.Printf("annotating pod %s: %v", key, err)
		in.queue.AddRateLimited(key)
	}
}

// annotate patches the pod if it does not have the annotations it should have.
func (in *Injector) annotate(ctx context.Context, pod *corev1.Pod) error {
	patch := annotationPatch(pod, annotationsFor(pod, in.faults, time.Now()))
	if patch == nil {
		return nil
	}
	data, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("encoding annotations: %w", err)
	}
	_, err = in.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, data, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // it is gone, or a new one has its name and its own event
	}
	if err != nil {
		return fmt.Errorf("annotating pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}

// annotationPatch returns a merge patch with all of want, because the pod may be newer than we know; nil if the pod has them.
func annotationPatch(pod *corev1.Pod, want map[string]string) map[string]any {
	annotations, differs := map[string]any{}, false
	for k, v := range want {
		annotations[k] = v
		if v == "" {
			annotations[k] = nil
		}
		differs = differs || pod.Annotations[k] != v
	}
	if !differs {
		return nil
	}
	return map[string]any{"metadata": map[string]any{"uid": pod.UID, "annotations": annotations}}
}
