// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/validation"
)

type executionWebhook struct {
	client   client.Reader
	versions *graph.Cache
	manager  string
}

// Default stamps who asks on new requests.
func (w *executionWebhook) Default(ctx context.Context, pe *v1alpha1.PlanExecution) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return fmt.Errorf("reading the admission request: %w", err)
	}
	known := map[string]string{}
	if req.Operation == admissionv1.Update {
		old := &v1alpha1.PlanExecution{}
		if err := json.Unmarshal(req.OldObject.Raw, old); err != nil {
			return fmt.Errorf("reading the stored PlanExecution: %w", err)
		}
		for _, q := range old.Spec.Requests {
			known[q.ID] = q.By
		}
	}
	for i := range pe.Spec.Requests {
		q := &pe.Spec.Requests[i]
		if q.By != "" {
			continue // the policy refuses one that is forged
		}
		if by, old := known[q.ID]; old {
			q.By = by // the same YAML again, as its author wrote it
			continue
		}
		q.By = req.UserInfo.Username
	}
	return nil
}

// ValidateCreate checks an execution against its Instance, if that exists.
func (w *executionWebhook) ValidateCreate(ctx context.Context, pe *v1alpha1.PlanExecution) (admission.Warnings, error) {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the admission request: %w", err)
	}
	if pe.Spec.Trigger != "" && req.UserInfo.Username != w.manager {
		return nil, invalid("PlanExecution", pe.Name, field.ErrorList{
			field.Forbidden(field.NewPath("spec", "trigger"), "only Kudo sets it: leave it empty"),
		})
	}
	inst := &v1alpha1.Instance{}
	err = w.client.Get(ctx, client.ObjectKey{Namespace: pe.Namespace, Name: pe.Spec.Instance}, inst)
	if apierrors.IsNotFound(err) {
		return admission.Warnings{"Instance " + pe.Spec.Instance + " does not exist yet: the execution waits for it"},
			invalid("PlanExecution", pe.Name, validation.PlanExecution(pe, false, nil))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the Instance: %w", err)
	}
	version, _, err := compiled(ctx, w.client, w.versions, inst.Spec.Framework, inst.Spec.Version)
	if err != nil {
		return nil, err
	}
	if pe.Spec.Plan == v1alpha1.PlanRollback && inst.Status.LastCompleted == nil {
		return nil, invalid("PlanExecution", pe.Name, field.ErrorList{
			field.Invalid(field.NewPath("spec", "plan"), pe.Spec.Plan, "no plan of the Instance has ever completed: there is nothing to go back to"),
		})
	}
	deleting := inst.DeletionTimestamp != nil
	if pe.Spec.Trigger != "" {
		version, deleting = nil, true // what Kudo starts may belong to the version before
	}
	return nil, invalid("PlanExecution", pe.Name, validation.PlanExecution(pe, deleting, version))
}

// ValidateUpdate checks new requests.
func (w *executionWebhook) ValidateUpdate(_ context.Context, _, pe *v1alpha1.PlanExecution) (admission.Warnings, error) {
	return nil, invalid("PlanExecution", pe.Name, validation.PlanExecution(pe, true, nil))
}

// ValidateDelete protects the record of a run that is under way, as long as its
// Instance stays: without it nobody knows what was half done.
func (w *executionWebhook) ValidateDelete(ctx context.Context, pe *v1alpha1.PlanExecution) (admission.Warnings, error) {
	if pe.Status.Epoch == 0 || pe.Status.State.Terminal() {
		return nil, nil
	}
	inst := &v1alpha1.Instance{}
	err := w.client.Get(ctx, client.ObjectKey{Namespace: pe.Namespace, Name: pe.Spec.Instance}, inst)
	if apierrors.IsNotFound(err) || err == nil && (inst.DeletionTimestamp != nil || inst.UID != pe.Status.InstanceUID) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the Instance: %w", err)
	}
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err = w.client.Get(ctx, client.ObjectKey{Name: pe.Namespace}, namespace)
	if err == nil && namespace.DeletionTimestamp == nil {
		return nil, apierrors.NewForbidden(v1alpha1.Resource("planexecutions"), pe.Name,
			fmt.Errorf("it is %s: change the Instance's spec to supersede it, or delete the Instance", pe.Status.State))
	}
	return nil, client.IgnoreNotFound(err)
}
