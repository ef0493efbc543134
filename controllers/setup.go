// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers wires Kudo's four controllers.
package controllers

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicclient "k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/controllers/framework"
	"kudo.dev/kudo/controllers/frameworkversion"
	"kudo.dev/kudo/controllers/instance"
	"kudo.dev/kudo/controllers/planexecution"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/crdinstall"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/impersonate"
	"kudo.dev/kudo/internal/lock"
	"kudo.dev/kudo/internal/metric"
)

// Setup adds the controllers and the indexes that they read by to the manager.
func Setup(ctx context.Context, mgr ctrl.Manager, versions *graph.Cache) error {
	if err := indexes(ctx, mgr); err != nil {
		return fmt.Errorf("adding indexes: %w", err)
	}
	accounts, err := impersonate.NewPool(mgr.GetConfig(), mgr.GetRESTMapper(), mgr.GetScheme(), impersonate.Options{})
	if err != nil {
		return fmt.Errorf("setting up accounts: %w", err)
	}
	set, err := metric.New(metrics.Registry)
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	c, live := mgr.GetClient(), mgr.GetAPIReader()
	store, reader := archive.New(c, live), apply.NewReader(mgr.GetCache())
	ledger := &lock.Ledger{}
	watches := dynamic.New(func(a types.NamespacedName) (metadata.Interface, error) {
		return accounts.MetadataFor(impersonate.Account{Namespace: a.Namespace, Name: a.Name})
	}, mgr.GetRESTMapper(), dynamic.Options{})
	if err := mgr.Add(watches); err != nil {
		return fmt.Errorf("adding the watches of accounts: %w", err)
	}
	objects, err := dynamicclient.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("setting up the client of generated kinds: %w", err)
	}
	kinds := framework.NewKinds(objects, mgr.GetLogger().WithName("kinds"))
	if err := mgr.Add(kinds); err != nil {
		return fmt.Errorf("adding the watches of generated kinds: %w", err)
	}
	events, now := mgr.GetEventRecorder("kudo"), clock.RealClock{}
	for name, r := range map[string]interface{ SetupWithManager(ctrl.Manager) error }{
		"framework": &framework.Reconciler{
			Client: c, Installer: &crdinstall.Installer{Client: c, Live: live, Objects: objects}, Kinds: kinds, Events: events, Clock: now,
		},
		"typed": &framework.Projector{Client: c, Cache: mgr.GetCache(), Kinds: kinds, Events: events, Clock: now},
		"frameworkversion": &frameworkversion.Reconciler{
			Client: c, Mapper: mgr.GetRESTMapper(), Versions: versions, Events: events, Clock: now,
		},
		"instance": &instance.Reconciler{
			Client: c, Live: live, Accounts: accounts, Reader: reader, Versions: versions, Archive: store,
			Lock: ledger, Events: events, Metrics: set, Clock: now, Watches: watches,
		},
		"planexecution": &planexecution.Reconciler{
			Client: c, Live: live, Accounts: accounts, Reader: reader, Versions: versions, Archive: store,
			Lock: ledger, Scope: scope(mgr.GetRESTMapper()), Events: events, Metrics: set, Clock: now, Watches: watches,
		},
	} {
		if err := r.SetupWithManager(mgr); err != nil {
			return fmt.Errorf("setting up the controller %s: %w", name, err)
		}
	}
	return nil
}

func indexes(ctx context.Context, mgr ctrl.Manager) error {
	indexer := mgr.GetFieldIndexer()
	return errors.Join(
		index(ctx, indexer, &v1alpha1.PlanExecution{}, v1alpha1.IndexInstance, func(o *v1alpha1.PlanExecution) []string {
			return []string{o.Spec.Instance}
		}),
		index(ctx, indexer, &v1alpha1.Instance{}, v1alpha1.IndexVersion, versionsOf),
		index(ctx, indexer, &v1alpha1.Instance{}, v1alpha1.IndexAccount, func(o *v1alpha1.Instance) []string {
			return []string{o.Spec.ServiceAccountName}
		}),
		index(ctx, indexer, &v1alpha1.FrameworkVersion{}, v1alpha1.IndexFramework, func(o *v1alpha1.FrameworkVersion) []string {
			return []string{o.Spec.Framework}
		}),
	)
}

// versionsOf names the versions that an Instance uses: the one that it wants, and the
// one that it still runs.
func versionsOf(inst *v1alpha1.Instance) []string {
	wanted := inst.Spec.Framework + "-" + inst.Spec.Version
	if runs := inst.Status.Version; runs != "" && runs != inst.Spec.Version {
		return []string{wanted, inst.Spec.Framework + "-" + runs}
	}
	return []string{wanted}
}

func index[T client.Object](ctx context.Context, indexer client.FieldIndexer, kind T, field string, values func(T) []string) error {
	return indexer.IndexField(ctx, kind, field, func(o client.Object) []string {
		if typed, ok := o.(T); ok {
			return values(typed)
		}
		return nil
	})
}

// scope asks the API server's discovery whether a kind is namespaced.
func scope(mapper meta.RESTMapper) graph.Scope {
	return func(gk schema.GroupKind) (namespaced, known bool) {
		mapping, err := mapper.RESTMapping(gk)
		if err != nil {
			return false, false
		}
		return mapping.Scope.Name() == meta.RESTScopeNameNamespace, true
	}
}
