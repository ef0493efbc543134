// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package preflight looks at a cluster before the manager starts, and says what
// stands in its way.
package preflight

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

var crdKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// ErrMissing says that a definition of Kudo is not there.
var ErrMissing = errors.New("apply config/default first")

// Check finds out whether Kudo's kinds are installed, and whether the CRD of the same
// name that KUDO 0.x used stands in their place.
func Check(ctx context.Context, c client.Reader) error {
	for _, name := range []string{"frameworks", "frameworkversions", "instances", "planexecutions"} {
		if err := checkCRD(ctx, c, name+"."+v1alpha1.GroupVersion.Group); err != nil {
			return err
		}
	}
	return nil
}

func checkCRD(ctx context.Context, c client.Reader, name string) error {
	crd := &unstructured.Unstructured{}
	crd.SetGroupVersionKind(crdKind)
	err := c.Get(ctx, client.ObjectKey{Name: name}, crd)
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("the CustomResourceDefinition %s is not installed: %w", name, ErrMissing)
	}
	if err != nil {
		return fmt.Errorf("reading the CustomResourceDefinition %s: %w", name, err)
	}
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil {
		return fmt.Errorf("reading the versions of the CustomResourceDefinition %s: %w", name, err)
	}
	for _, v := range versions {
		if version, ok := v.(map[string]any); ok && version["name"] == v1alpha1.GroupVersion.Version {
			return nil
		}
	}
	return errors.New("the CustomResourceDefinition " + name + " is that of KUDO 0.x, which can not live beside Kudo: " +
		"remove KUDO's operators and its CustomResourceDefinitions, then apply config/default")
}
