// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/validation"
)

type frameworkWebhook struct {
	client client.Reader
	// live reads from the API server: objects of generated kinds are not in the cache of
	// managers that do not lead.
	live client.Reader
}

// Default fills in the names of the generated kind, and puts the finalizer on a new
// Framework. Names that are stored stay: objects exist under them.
func (w *frameworkWebhook) Default(ctx context.Context, fw *v1alpha1.Framework) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return fmt.Errorf("reading the admission request: %w", err)
	}
	if req.Operation == admissionv1.Create {
		controllerutil.AddFinalizer(fw, v1alpha1.FinalizerFramework)
	} else if err := keepNames(fw, req.OldObject.Raw); err != nil {
		return err
	}
	if names := crdgen.Names(fw); crdgen.CheckNames(names) == nil {
		fw.Spec.Names = &names // else the validation says what to do
	}
	return nil
}

func keepNames(fw *v1alpha1.Framework, stored []byte) error {
	old := &v1alpha1.Framework{}
	if err := json.Unmarshal(stored, old); err != nil {
		return fmt.Errorf("reading the stored Framework: %w", err)
	}
	if old.Spec.Names == nil {
		return nil
	}
	if fw.Spec.Names == nil {
		fw.Spec.Names = &v1alpha1.FrameworkNames{}
	}
	for name, was := range map[*string]string{
		&fw.Spec.Names.Kind: old.Spec.Names.Kind, &fw.Spec.Names.Plural: old.Spec.Names.Plural, &fw.Spec.Names.Singular: old.Spec.Names.Singular,
	} {
		if *name == "" {
			*name = was
		}
	}
	return nil
}

// ValidateCreate checks the names and columns of the generated kind.
func (w *frameworkWebhook) ValidateCreate(ctx context.Context, fw *v1alpha1.Framework) (admission.Warnings, error) {
	return w.warnings(ctx, fw), invalid("Framework", fw.Name, validation.Framework(fw))
}

// ValidateUpdate checks the names and columns of the generated kind.
func (w *frameworkWebhook) ValidateUpdate(ctx context.Context, old, fw *v1alpha1.Framework) (admission.Warnings, error) {
	if old.Generation == fw.Generation {
		return nil, nil // metadata only
	}
	return w.warnings(ctx, fw), invalid("Framework", fw.Name, validation.Framework(fw))
}

func (w *frameworkWebhook) warnings(ctx context.Context, fw *v1alpha1.Framework) admission.Warnings {
	var list v1alpha1.FrameworkList
	if err := w.client.List(ctx, &list); err != nil {
		return nil
	}
	if text := validation.Namesake(fw, list.Items); text != "" {
		return admission.Warnings{text}
	}
	return nil
}

// ValidateDelete protects a Framework while objects of its kind exist.
func (w *frameworkWebhook) ValidateDelete(ctx context.Context, fw *v1alpha1.Framework) (admission.Warnings, error) {
	g := fw.Status.Generated
	if g == nil {
		return nil, nil
	}
	gv, err := schema.ParseGroupVersion(g.APIVersion)
	if err != nil {
		return nil, fmt.Errorf("reading the status of the Framework: %w", err)
	}
	var list metav1.PartialObjectMetadataList
	list.SetGroupVersionKind(gv.WithKind(g.Kind + "List"))
	err = w.live.List(ctx, &list, client.Limit(maxNamed))
	if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) || len(list.Items) == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for objects of kind %s: %w", g.Kind, err)
	}
	count := len(list.Items)
	if left := list.RemainingItemCount; left != nil {
		count += int(*left)
	}
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Namespace+"/"+list.Items[i].Name)
	}
	return nil, apierrors.NewForbidden(v1alpha1.Resource("frameworks"), fw.Name,
		fmt.Errorf("%d objects of kind %s exist (%s): delete them first", count, g.Kind, validation.Some(names, count)))
}
