// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package webhooks adapts Kudo's validators and defaulters to the API server's
// admission webhooks.
package webhooks

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
)

// Options of the webhooks.
type Options struct {
	// Versions compiles FrameworkVersions.
	Versions *graph.Cache
	// Manager is the user name of the manager's own account.
	Manager string
}

// Setup registers the webhooks of the four kinds, and those of all generated kinds.
func Setup(mgr ctrl.Manager, o Options) error {
	c := mgr.GetClient()
	fw := &frameworkWebhook{client: c, live: mgr.GetAPIReader()}
	if err := ctrl.NewWebhookManagedBy(mgr, &v1alpha1.Framework{}).
		WithDefaulter(fw).WithValidator(fw).Complete(); err != nil {
		return fmt.Errorf("registering the webhook of Framework: %w", err)
	}
	fwv := &versionWebhook{client: c, versions: o.Versions}
	if err := ctrl.NewWebhookManagedBy(mgr, &v1alpha1.FrameworkVersion{}).
		WithDefaulter(fwv).WithValidator(fwv).Complete(); err != nil {
		return fmt.Errorf("registering the webhook of FrameworkVersion: %w", err)
	}
	inst := &instanceWebhook{client: c, versions: o.Versions}
	if err := ctrl.NewWebhookManagedBy(mgr, &v1alpha1.Instance{}).
		WithDefaulter(inst).WithValidator(inst).Complete(); err != nil {
		return fmt.Errorf("registering the webhook of Instance: %w", err)
	}
	pe := &executionWebhook{client: c, versions: o.Versions, manager: o.Manager}
	if err := ctrl.NewWebhookManagedBy(mgr, &v1alpha1.PlanExecution{}).
		WithDefaulter(pe).WithValidator(pe).Complete(); err != nil {
		return fmt.Errorf("registering the webhook of PlanExecution: %w", err)
	}
	typed := &typedWebhook{client: c, versions: o.Versions}
	mgr.GetWebhookServer().Register(mutateTypedPath, &webhook.Admission{Handler: admission.HandlerFunc(typed.mutate)})
	mgr.GetWebhookServer().Register(validateTypedPath, &webhook.Admission{Handler: admission.HandlerFunc(typed.validate)})
	return nil
}

// invalid turns errors about fields into the answer that the API server gives itself.
func invalid(kind, name string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind(kind).GroupKind(), name, errs)
}

// compiled returns the version that an Instance names, or nil and a warning while it
// does not exist or is not valid: references may come late.
func compiled(ctx context.Context, c client.Reader, versions *graph.Cache, framework, version string) (*graph.Version, string, error) {
	name := framework + "-" + version
	fwv := &v1alpha1.FrameworkVersion{}
	err := c.Get(ctx, client.ObjectKey{Name: name}, fwv)
	if apierrors.IsNotFound(err) {
		return nil, "FrameworkVersion " + name + " does not exist yet: the Instance waits for it", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading FrameworkVersion %s: %w", name, err)
	}
	v, errs := versions.Compile(&fwv.Spec)
	if len(errs) > 0 {
		return nil, "FrameworkVersion " + name + " is not valid: the Instance waits until it is", nil
	}
	return v, "", nil
}
