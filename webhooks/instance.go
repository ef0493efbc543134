// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
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

type instanceWebhook struct {
	client   client.Reader
	versions *graph.Cache
}

// Default puts the finalizer on a new Instance, before anything is made for it, and
// stores the drift policy that it has. It never fills in parameters: their defaults are the version's.
func (w *instanceWebhook) Default(ctx context.Context, inst *v1alpha1.Instance) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return fmt.Errorf("reading the admission request: %w", err)
	}
	if req.Operation == admissionv1.Create {
		controllerutil.AddFinalizer(inst, v1alpha1.FinalizerInstance)
		if inst.Spec.DriftPolicy == "" {
			inst.Spec.DriftPolicy = v1alpha1.DriftCorrect
		}
	}
	return nil
}

// ValidateCreate checks a new Instance against its version, if that exists.
func (w *instanceWebhook) ValidateCreate(ctx context.Context, inst *v1alpha1.Instance) (admission.Warnings, error) {
	return w.validate(ctx, inst, nil)
}

// ValidateUpdate checks a changed Instance against its version and its stored self.
func (w *instanceWebhook) ValidateUpdate(ctx context.Context, old, inst *v1alpha1.Instance) (admission.Warnings, error) {
	return w.validate(ctx, inst, old)
}

func (w *instanceWebhook) validate(ctx context.Context, inst, old *v1alpha1.Instance) (admission.Warnings, error) {
	if old != nil && old.Generation == inst.Generation {
		return nil, nil // metadata only
	}
	if old == nil {
		errs, err := validation.Nesting(inst, w.lookup(ctx, inst.Namespace))
		if err != nil {
			return nil, err
		}
		if len(errs) > 0 {
			return nil, invalid("Instance", inst.Name, errs)
		}
	}
	version, warning, err := compiled(ctx, w.client, w.versions, inst.Spec.Framework, inst.Spec.Version)
	if err != nil {
		return nil, err
	}
	var warnings admission.Warnings
	if warning != "" {
		warnings = append(warnings, warning)
	}
	return warnings, invalid("Instance", inst.Name, validation.Instance(inst, old, version))
}

// lookup finds Instances of a namespace by name.
func (w *instanceWebhook) lookup(ctx context.Context, namespace string) func(string) (*v1alpha1.Instance, error) {
	return func(name string) (*v1alpha1.Instance, error) {
		found := &v1alpha1.Instance{}
		err := w.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, found)
		if apierrors.IsNotFound(err) {
			return nil, nil //nolint:nilnil // there is none
		}
		if err != nil {
			return nil, fmt.Errorf("reading the parent Instance %s: %w", name, err)
		}
		return found, nil
	}
}

// ValidateDelete lets an Instance go: its finalizer cleans up.
func (w *instanceWebhook) ValidateDelete(context.Context, *v1alpha1.Instance) (admission.Warnings, error) {
	return nil, nil
}
