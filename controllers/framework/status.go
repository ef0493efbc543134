// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"slices"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
)

// maxVersions is how many rows the table has.
const maxVersions = 64

// status derives the Framework's status from its versions and from what became of its kind.
func (r *Reconciler) status(fw *v1alpha1.Framework, versions []v1alpha1.FrameworkVersion, kind verdict) {
	table := make([]v1alpha1.FrameworkVersionSummary, 0, len(versions))
	for i := range versions {
		v := &versions[i]
		table = append(table, v1alpha1.FrameworkVersionSummary{
			Version: v.Spec.Version, AppVersion: v.Spec.AppVersion,
			Valid: meta.IsStatusConditionTrue(v.Status.Conditions, v1alpha1.ConditionValid),
		})
	}
	slices.SortFunc(table, func(a, b v1alpha1.FrameworkVersionSummary) int { return crdgen.Newer(a.Version, b.Version) })
	s := &fw.Status
	s.ObservedGeneration = fw.Generation
	s.VersionCount = int32(len(table))
	s.DefaultVersion = defaultVersion(fw, table)
	if kind.generated != nil {
		s.Generated = kind.generated
	}
	now := r.Clock.Now()
	established := metav1.Condition{Type: v1alpha1.ConditionEstablished, Status: metav1.ConditionFalse, Reason: kind.reason, Message: kind.message}
	if kind.established {
		established.Status = metav1.ConditionTrue
	}
	setCondition(fw, established, now)
	setCondition(fw, ready(fw, table, kind), now)
	if kind.stalled {
		setCondition(fw, metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: kind.reason, Message: kind.message}, now)
	} else {
		meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionStalled)
	}
	s.Versions = table[:min(len(table), maxVersions)]
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

// ready is the first thing that is missing: a version, the kind, the default version.
func ready(fw *v1alpha1.Framework, table []v1alpha1.FrameworkVersionSummary, kind verdict) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	valid := slices.ContainsFunc(table, func(s v1alpha1.FrameworkVersionSummary) bool { return s.Valid })
	named := slices.ContainsFunc(table, func(s v1alpha1.FrameworkVersionSummary) bool {
		return s.Valid && s.Version == fw.Status.DefaultVersion
	})
	switch {
	case fw.DeletionTimestamp != nil:
		c.Reason, c.Message = kind.reason, kind.message
	case len(table) == 0:
		c.Reason, c.Message = v1alpha1.ReasonNoVersions, "no FrameworkVersion of this Framework exists yet"
	case !valid:
		c.Reason, c.Message = v1alpha1.ReasonNoValidVersion, "none of its FrameworkVersions is valid"
	case !kind.established:
		c.Reason, c.Message = kind.reason, kind.message
	case !named:
		c.Reason, c.Message = v1alpha1.ReasonDefaultMissing, "the default version "+fw.Status.DefaultVersion+" does not exist or is not valid"
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, v1alpha1.ReasonAvailable, "version "+fw.Status.DefaultVersion+" is the default"
	}
	return c
}
