// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package framework keeps the table of a Framework's versions.
package framework

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/Masterminds/semver/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// maxVersions is how many rows the table has.
const maxVersions = 64

// Reconciler looks after Frameworks.
type Reconciler struct {
	// Client reads from the manager's cache and writes Kudo's own kinds.
	Client client.Client
	Clock  clock.PassiveClock
}

// Reconcile derives the table of versions and writes it when it changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	fw := &v1alpha1.Framework{}
	if err := r.Client.Get(ctx, req.NamespacedName, fw); err != nil {
		if apierrors.IsNotFound(err) {
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the Framework: %w", err)
	}
	var list v1alpha1.FrameworkVersionList
	if err := r.Client.List(ctx, &list, client.MatchingFields{v1alpha1.IndexFramework: fw.Name}); err != nil {
		return ctrl.Result{}, fmt.Errorf("listing the versions of the Framework: %w", err)
	}
	next := fw.DeepCopy()
	r.status(next, list.Items)
	if reflect.DeepEqual(fw.Status, next.Status) {
		return ctrl.Result{}, nil
	}
	if err := r.Client.Status().Update(ctx, next); err != nil && !apierrors.IsConflict(err) {
		return ctrl.Result{}, fmt.Errorf("writing the status of the Framework: %w", err)
	}
	return ctrl.Result{}, nil
}

func (r *Reconciler) status(fw *v1alpha1.Framework, versions []v1alpha1.FrameworkVersion) {
	table := make([]v1alpha1.FrameworkVersionSummary, 0, len(versions))
	for i := range versions {
		v := &versions[i]
		table = append(table, v1alpha1.FrameworkVersionSummary{
			Version: v.Spec.Version, AppVersion: v.Spec.AppVersion,
			Valid: meta.IsStatusConditionTrue(v.Status.Conditions, v1alpha1.ConditionValid),
		})
	}
	slices.SortFunc(table, func(a, b v1alpha1.FrameworkVersionSummary) int { return newer(a.Version, b.Version) })
	s := &fw.Status
	s.ObservedGeneration = fw.Generation
	s.VersionCount = int32(len(table))
	s.DefaultVersion = defaultVersion(fw, table)
	c := ready(fw, table)
	c.ObservedGeneration, c.LastTransitionTime = fw.Generation, metav1.NewTime(r.Clock.Now())
	meta.SetStatusCondition(&s.Conditions, c)
	s.Versions = table[:min(len(table), maxVersions)]
}

// newer orders versions, newest first; what is no version comes last.
func newer(a, b string) int {
	va, errA := semver.NewVersion(a)
	vb, errB := semver.NewVersion(b)
	switch {
	case errA != nil || errB != nil:
		return slices.Compare([]byte(b), []byte(a))
	default:
		return vb.Compare(va)
	}
}

// defaultVersion is the named one, else the newest valid one that is no pre-release.
func defaultVersion(fw *v1alpha1.Framework, table []v1alpha1.FrameworkVersionSummary) string {
	if fw.Spec.DefaultVersion != "" {
		return fw.Spec.DefaultVersion
	}
	fallback := ""
	for _, row := range table {
		v, err := semver.NewVersion(row.Version)
		if !row.Valid || err != nil {
			continue
		}
		if v.Prerelease() == "" {
			return row.Version
		}
		if fallback == "" {
			fallback = row.Version
		}
	}
	return fallback
}

func ready(fw *v1alpha1.Framework, table []v1alpha1.FrameworkVersionSummary) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	valid := slices.ContainsFunc(table, func(s v1alpha1.FrameworkVersionSummary) bool { return s.Valid })
	named := slices.ContainsFunc(table, func(s v1alpha1.FrameworkVersionSummary) bool {
		return s.Valid && s.Version == fw.Status.DefaultVersion
	})
	switch {
	case len(table) == 0:
		c.Reason, c.Message = v1alpha1.ReasonNoVersions, "no FrameworkVersion of this Framework exists yet"
	case !valid:
		c.Reason, c.Message = v1alpha1.ReasonNoValidVersion, "none of its FrameworkVersions is valid"
	case !named:
		c.Reason, c.Message = v1alpha1.ReasonDefaultMissing, "the default version "+fw.Status.DefaultVersion+" does not exist or is not valid"
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, v1alpha1.ReasonAvailable, "version "+fw.Status.DefaultVersion+" is the default"
	}
	return c
}

// SetupWithManager watches Frameworks and their versions.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("framework").
		For(&v1alpha1.Framework{}).
		Watches(&v1alpha1.FrameworkVersion{}, handler.EnqueueRequestsFromMapFunc(frameworkOf)).
		Complete(r)
}

func frameworkOf(_ context.Context, o client.Object) []reconcile.Request {
	v, ok := o.(*v1alpha1.FrameworkVersion)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: v.Spec.Framework}}}
}
