// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/workload"
)

var scheme = install.Scheme()

// Play starts to play workloads. The CRDs must be there.
func (w *World) Play(ctx context.Context) error {
	var err error
	if w.Player, err = workload.Start(ctx, w.Cluster.Config); err != nil {
		return err
	}
	return w.Player.Set(ctx, w.rule)
}

// Act says what happens to the workloads of a kind in a namespace from now on.
func (w *World) Act(ctx context.Context, namespace, kind string, act workload.Act) error {
	w.acts.Store(namespace+"/"+kind, act)
	return w.Player.Set(ctx, w.rule)
}

// rule plays everything but what a test holds or lets fail in its namespace.
func (w *World) rule(o client.Object) workload.Act {
	gvk, err := apiutil.GVKForObject(o, scheme)
	if err != nil {
		return workload.Hold
	}
	if act, set := w.acts.Load(o.GetNamespace() + "/" + gvk.Kind); set {
		if act, ok := act.(workload.Act); ok {
			return act
		}
	}
	return workload.ByAnnotation(o)
}

// Jobs are the Jobs that were ever made in a namespace.
func (w *World) Jobs(namespace string) []workload.Job {
	return slices.DeleteFunc(w.Player.Jobs(), func(j workload.Job) bool { return j.Namespace != namespace })
}
