// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/validation"
)

type versionWebhook struct {
	client   client.Reader
	versions *graph.Cache
}

// Default fills in what the version leaves open: from its stored self where there is
// one, so that the same YAML under a newer Kudo is no change.
func (w *versionWebhook) Default(ctx context.Context, fwv *v1alpha1.FrameworkVersion) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return fmt.Errorf("reading the admission request: %w", err)
	}
	var stored *v1alpha1.FrameworkVersionSpec
	if req.Operation == admissionv1.Update {
		old := &v1alpha1.FrameworkVersion{}
		if err := json.Unmarshal(req.OldObject.Raw, old); err != nil {
			return fmt.Errorf("reading the stored FrameworkVersion: %w", err)
		}
		stored = &old.Spec
	} else {
		controllerutil.AddFinalizer(fwv, v1alpha1.FinalizerVersion)
	}
	graph.Default(&fwv.Spec, stored)
	return nil
}

// ValidateCreate compiles the version.
func (w *versionWebhook) ValidateCreate(ctx context.Context, fwv *v1alpha1.FrameworkVersion) (admission.Warnings, error) {
	return w.warnings(ctx, fwv), invalid("FrameworkVersion", fwv.Name, validation.FrameworkVersion(fwv, nil, w.versions))
}

// ValidateUpdate refuses to change a sealed version.
func (w *versionWebhook) ValidateUpdate(ctx context.Context, old, fwv *v1alpha1.FrameworkVersion) (admission.Warnings, error) {
	return w.warnings(ctx, fwv), invalid("FrameworkVersion", fwv.Name, validation.FrameworkVersion(fwv, old, w.versions))
}

func (w *versionWebhook) warnings(ctx context.Context, fwv *v1alpha1.FrameworkVersion) admission.Warnings {
	err := w.client.Get(ctx, client.ObjectKey{Name: fwv.Spec.Framework}, &v1alpha1.Framework{})
	if apierrors.IsNotFound(err) {
		return admission.Warnings{"Framework " + fwv.Spec.Framework + " does not exist yet: the version waits for it"}
	}
	return nil
}

// maxNamed bounds how many users an answer names.
const maxNamed = 5

// ValidateDelete protects a version that live Instances use.
func (w *versionWebhook) ValidateDelete(ctx context.Context, fwv *v1alpha1.FrameworkVersion) (admission.Warnings, error) {
	var users v1alpha1.InstanceList
	if err := w.client.List(ctx, &users, client.MatchingFields{v1alpha1.IndexVersion: fwv.Name}); err != nil {
		return nil, fmt.Errorf("listing the users of the FrameworkVersion: %w", err)
	}
	var names []string
	for i := range users.Items {
		if users.Items[i].DeletionTimestamp == nil {
			names = append(names, users.Items[i].Namespace+"/"+users.Items[i].Name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	return nil, apierrors.NewForbidden(v1alpha1.Resource("frameworkversions"), fwv.Name,
		fmt.Errorf("%d Instances use it (%s): upgrade or delete them first", len(names), validation.Some(names[:min(len(names), maxNamed)], len(names))))
}
