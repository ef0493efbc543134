// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/projection"
)

// workers is how many objects are worked on at once.
const workers = 8

// SetupWithManager watches objects of generated kinds, their Instances and what those run.
func (p *Projector) SetupWithManager(mgr ctrl.Manager) error {
	return builder.TypedControllerManagedBy[Object](mgr).
		Named("typed").
		Watches(&v1alpha1.Instance{}, handler.TypedEnqueueRequestsFromMapFunc(p.madeFrom)).
		Watches(&v1alpha1.PlanExecution{}, handler.TypedEnqueueRequestsFromMapFunc(p.runBy)).
		WatchesRawSource(source.TypedFunc[Object](p.listen)).
		WithOptions(controller.TypedOptions[Object]{MaxConcurrentReconciles: workers}).
		Complete(p)
}

// listen passes on what the watches of generated kinds bring.
func (p *Projector) listen(_ context.Context, queue workqueue.TypedRateLimitingInterface[Object]) error {
	p.Kinds.Subscribe(func(o Object) { queue.Add(o) }, nil)
	return nil
}

// madeFrom names the object that an Instance was made from. One that has no owner any more
// may be what an object waits for.
func (p *Projector) madeFrom(_ context.Context, o client.Object) []Object {
	inst, ok := o.(*v1alpha1.Instance)
	if !ok {
		return nil
	}
	if owner := projection.Owner(inst); owner != nil {
		return []Object{{inst.Spec.Framework, types.NamespacedName{Namespace: inst.Namespace, Name: owner.Name}}}
	}
	if name := p.Kinds.named(inst.Spec.Framework, inst.Name); name != "" {
		return []Object{{inst.Spec.Framework, types.NamespacedName{Namespace: inst.Namespace, Name: name}}}
	}
	return nil
}

func (p *Projector) runBy(ctx context.Context, o client.Object) []Object {
	pe, ok := o.(*v1alpha1.PlanExecution)
	if !ok {
		return nil
	}
	inst := &v1alpha1.Instance{}
	if err := p.Client.Get(ctx, client.ObjectKey{Namespace: pe.Namespace, Name: pe.Spec.Instance}, inst); err != nil {
		return nil
	}
	return p.madeFrom(ctx, inst)
}
