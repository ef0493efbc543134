// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/validation"
)

type frameworkWebhook struct{}

// Default fills in nothing: a Framework has no defaults yet.
func (frameworkWebhook) Default(context.Context, *v1alpha1.Framework) error { return nil }

// ValidateCreate refuses what is not supported.
func (frameworkWebhook) ValidateCreate(_ context.Context, fw *v1alpha1.Framework) (admission.Warnings, error) {
	return nil, invalid("Framework", fw.Name, validation.Framework(fw))
}

// ValidateUpdate refuses what is not supported.
func (frameworkWebhook) ValidateUpdate(_ context.Context, _, fw *v1alpha1.Framework) (admission.Warnings, error) {
	return nil, invalid("Framework", fw.Name, validation.Framework(fw))
}

// ValidateDelete lets a Framework go: its versions protect themselves.
func (frameworkWebhook) ValidateDelete(context.Context, *v1alpha1.Framework) (admission.Warnings, error) {
	return nil, nil
}
