// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func TestTrim(t *testing.T) {
	ours := metav1.ManagedFieldsEntry{Manager: v1alpha1.FieldManager, Operation: metav1.ManagedFieldsOperationApply}
	status := metav1.ManagedFieldsEntry{Manager: "kubelet", Subresource: "status"}
	scaled := metav1.ManagedFieldsEntry{Manager: "autoscaler", Subresource: "scale"}
	theirs := metav1.ManagedFieldsEntry{Manager: "kubectl"}
	tests := map[string]struct {
		label   string
		entries []metav1.ManagedFieldsEntry
		want    []metav1.ManagedFieldsEntry
	}{
		"of nobody we know":    {entries: []metav1.ManagedFieldsEntry{theirs, status}},
		"applied by Kudo":      {entries: []metav1.ManagedFieldsEntry{ours, status, scaled, theirs}, want: []metav1.ManagedFieldsEntry{ours, scaled, theirs}},
		"all of it was taken":  {label: "one", entries: []metav1.ManagedFieldsEntry{status, theirs}, want: []metav1.ManagedFieldsEntry{theirs}},
		"nothing was recorded": {label: "one"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{ManagedFields: tc.entries}}
			if tc.label != "" {
				o.Labels = map[string]string{v1alpha1.LabelInstance: tc.label}
			}
			out, err := Trim(o)
			if err != nil || out != any(o) {
				t.Fatalf("%v, %v", out, err)
			}
			if diff := cmp.Diff(tc.want, o.ManagedFields); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
	if out, err := Trim("no object"); err != nil || out != "no object" {
		t.Errorf("%v, %v", out, err)
	}
}
