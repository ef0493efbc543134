// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lineage finds the Instances that an Instance was made by, and refuses
// those that would make each other for ever.
package lineage

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// maxDepth is how many Instances may stand one within the other.
const maxDepth = 5

// Check refuses an Instance that is nested too deeply, or within one of its own framework.
func Check(ctx context.Context, c client.Reader, inst *v1alpha1.Instance) (*field.Error, error) {
	chain := []string{inst.Spec.Framework + "/" + inst.Name}
	for current := inst; ; {
		owner := metav1.GetControllerOf(current)
		if owner == nil || owner.Kind != "Instance" || owner.APIVersion != v1alpha1.GroupVersion.String() {
			return nil, nil
		}
		parent := &v1alpha1.Instance{}
		err := c.Get(ctx, client.ObjectKey{Namespace: inst.Namespace, Name: owner.Name}, parent)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the parent Instance %s: %w", owner.Name, err)
		}
		chain = append(chain, parent.Spec.Framework+"/"+parent.Name)
		path, text := field.NewPath("spec", "framework"), strings.Join(chain, " within ")
		switch {
		case parent.Spec.Framework == inst.Spec.Framework:
			return field.Invalid(path, inst.Spec.Framework, "a framework can not make Instances of itself: "+text), nil
		case len(chain) > maxDepth:
			return field.Invalid(path, inst.Spec.Framework, fmt.Sprintf("Instances are nested more than %d deep: %s", maxDepth, text)), nil
		}
		current = parent
	}
}
