// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// version is "1.2.3" or "!1.2.3" for one that is not valid.
func version(text string) v1alpha1.FrameworkVersion {
	status := metav1.ConditionTrue
	if text[0] == '!' {
		text, status = text[1:], metav1.ConditionFalse
	}
	v := v1alpha1.FrameworkVersion{Spec: v1alpha1.FrameworkVersionSpec{Version: text}}
	v.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionValid, Status: status}}
	return v
}

func TestStatus(t *testing.T) {
	tests := map[string]struct {
		named    string
		versions []string
		want     string
		ready    bool
		reason   string
	}{
		"no version":                {"", nil, "", false, "NoVersions"},
		"no valid one":              {"", []string{"!1.0.0"}, "", false, "NoValidVersion"},
		"the highest by number":     {"", []string{"1.9.0", "1.10.0", "1.2.0"}, "1.10.0", true, "Available"},
		"no pre-release":            {"", []string{"1.0.0", "2.0.0-rc1"}, "1.0.0", true, "Available"},
		"a pre-release if need be":  {"", []string{"2.0.0-rc1", "2.0.0-rc2", "!1.0.0"}, "2.0.0-rc2", true, "Available"},
		"no invalid one":            {"", []string{"1.0.0", "!2.0.0"}, "1.0.0", true, "Available"},
		"the named one":             {"1.0.0", []string{"1.0.0", "2.0.0"}, "1.0.0", true, "Available"},
		"a named one that is wrong": {"2.0.0", []string{"1.0.0", "!2.0.0"}, "2.0.0", false, "DefaultVersionMissing"},
		"a named one that is not":   {"3.0.0", []string{"1.0.0"}, "3.0.0", false, "DefaultVersionMissing"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			fw := &v1alpha1.Framework{ObjectMeta: metav1.ObjectMeta{Generation: 4}, Spec: v1alpha1.FrameworkSpec{DefaultVersion: tc.named}}
			var list []v1alpha1.FrameworkVersion
			for _, v := range tc.versions {
				list = append(list, version(v))
			}
			(&Reconciler{Clock: clocktesting.NewFakePassiveClock(time.Unix(1, 0))}).status(fw, list, verdict{established: true})
			ready := meta.FindStatusCondition(fw.Status.Conditions, v1alpha1.ConditionReady)
			if fw.Status.DefaultVersion != tc.want || (ready.Status == metav1.ConditionTrue) != tc.ready || ready.Reason != tc.reason {
				t.Errorf("default %q, %s %s; want %q, %v %s", fw.Status.DefaultVersion, ready.Status, ready.Reason, tc.want, tc.ready, tc.reason)
			}
			if int(fw.Status.VersionCount) != len(list) || fw.Status.ObservedGeneration != 4 || ready.ObservedGeneration != 4 {
				t.Errorf("status %+v", fw.Status)
			}
		})
	}
}

// The table is bounded, newest first.
func TestTheTableHoldsTheNewest(t *testing.T) {
	fw := &v1alpha1.Framework{}
	var list []v1alpha1.FrameworkVersion
	for i := range 70 {
		v := version("1.0.0")
		v.Spec.Version = "1." + string(rune('0'+i/10)) + string(rune('0'+i%10)) + ".0"
		if i < 10 {
			v.Spec.Version = "1." + string(rune('0'+i)) + ".0"
		}
		list = append(list, v)
	}
	(&Reconciler{Clock: clocktesting.NewFakePassiveClock(time.Unix(1, 0))}).status(fw, list, verdict{established: true})
	if rows := fw.Status.Versions; len(rows) != maxVersions || rows[0].Version != "1.69.0" || fw.Status.VersionCount != 70 {
		t.Errorf("%d rows of %d, the first %q", len(rows), fw.Status.VersionCount, rows[0].Version)
	}
}
