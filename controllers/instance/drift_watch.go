// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/drift"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/revision"
)

func holder(key types.NamespacedName) string { return "instance/" + key.String() }

// forget drops what is only of use while an Instance is there and at rest.
func (r *Reconciler) forget(key types.NamespacedName) {
	r.memory.forget(key)
	r.Watches.Release(holder(key))
}

// watch holds the watches that the content at rest needs, and says which of them the
// account may not have. pending says that one of them has just begun.
func (r *Reconciler) watch(inst *v1alpha1.Instance, applied *revision.Applied, known *recollection) (pending bool) {
	var keys []dynamic.Key
	for i := range applied.Objects {
		object := &applied.Objects[i]
		key := keyOf(inst, object.ObjectReference)
		if drift.Steady(object) && !r.Reader.IsWatched(key.GVK) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	r.Watches.Hold(holder(client.ObjectKeyFromObject(inst)), client.ObjectKeyFromObject(inst), keys)
	pending, known.unwatched = r.heed(keys, known.unwatched, func(key dynamic.Key, err error) {
		r.Events.Eventf(inst, nil, corev1.EventTypeWarning, v1alpha1.ReasonWatchRefused, "watch/"+key.Describe(),
			"the account may not watch %s, so changes are not noticed: %s. Grant the rules in the FrameworkVersion's status.rules", key.Describe(), err.Error())
	})
	return pending
}

// heed says whether one of these watches has just begun, and which of them the account may
// not have. Those that were not told before are told.
func (r *Reconciler) heed(keys []dynamic.Key, before map[dynamic.Key]bool, tell func(dynamic.Key, error)) (pending bool, refused map[dynamic.Key]bool) {
	refused = map[dynamic.Key]bool{}
	for _, key := range keys {
		pending = pending || r.Watches.Pending(key)
		err := r.Watches.Refused(key)
		if err == nil {
			continue
		}
		if refused[key] = true; !before[key] {
			tell(key, err)
		}
	}
	return pending, refused
}

func keyOf(inst *v1alpha1.Instance, ref v1alpha1.ObjectReference) dynamic.Key {
	return dynamic.KeyFor(types.NamespacedName{Namespace: inst.Namespace, Name: inst.Spec.ServiceAccountName}, ref)
}

// live returns the metadata of an object as it is watched, nil if there is none; ok says
// whether that is known at all.
func (r *Reconciler) live(ctx context.Context, inst *v1alpha1.Instance, ref v1alpha1.ObjectReference) (o metav1.Object, ok bool, err error) {
	key := keyOf(inst, ref)
	if !r.Reader.IsWatched(key.GVK) {
		found, ok := r.Watches.Get(key, ref.Name)
		if found == nil {
			return nil, ok, nil
		}
		return found, ok, nil
	}
	found, err := r.Reader.Get(ctx, nil, ref)
	if found == nil {
		return nil, true, err
	}
	return found, true, err
}

// known is an object as it is known without asking; complete says that this is more than
// its metadata.
func (r *Reconciler) known(ctx context.Context, inst *v1alpha1.Instance, f *drift.Finding) (u *unstructured.Unstructured, complete bool, err error) {
	if f.Gone {
		return nil, false, nil
	}
	o, _, err := r.live(ctx, inst, f.Object.ObjectReference)
	switch o := o.(type) {
	case *unstructured.Unstructured:
		return o, true, err
	case *metav1.PartialObjectMetadata:
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		return &unstructured.Unstructured{Object: content}, false, err
	}
	return nil, false, err
}

// older says whether an object was seen before the write that led to a version.
func older(live metav1.Object, version string) bool {
	order, err := resourceversion.CompareResourceVersion(live.GetResourceVersion(), version)
	return err == nil && order < 0
}

// listen wakes an Instance when something may concern its state at rest.
func (r *Reconciler) listen(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.Watches.Subscribe(func(e dynamic.Event) {
		if e.AtRest {
			queue.Add(reconcile.Request{NamespacedName: e.Instance})
		}
	})
	return nil
}

// ownerOf is the Instance of an object that the manager watches.
func ownerOf(_ context.Context, o client.Object) []reconcile.Request {
	key, ok := dynamic.InstanceOf(o)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: key}}
}

// touched lets pass what may concern a state at rest: no new status, and no Job.
var touched = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return steady(e.Object) },
	DeleteFunc: func(e event.DeleteEvent) bool { return steady(e.Object) },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return (steady(e.ObjectOld) || steady(e.ObjectNew)) && !drift.SameClaims(e.ObjectOld, e.ObjectNew)
	},
	GenericFunc: func(event.GenericEvent) bool { return false },
}

func steady(o client.Object) bool {
	_, ours := dynamic.InstanceOf(o)
	return ours && o.GetObjectKind().GroupVersionKind().GroupKind() != schema.GroupKind{Group: "batch", Kind: "Job"}
}
