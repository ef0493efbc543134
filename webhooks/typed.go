// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/projection"
	"kudo.dev/kudo/internal/validation"
)

// The paths of the webhooks of all generated kinds.
const (
	mutateTypedPath   = "/mutate-packages-kudo-dev"
	validateTypedPath = "/validate-packages-kudo-dev"
)

// typedWebhook serves all generated kinds: they come and go while the manager runs.
type typedWebhook struct {
	client   client.Reader
	versions *graph.Cache
}

// typedRequest is what a request is about.
type typedRequest struct {
	framework *v1alpha1.Framework
	kind      v1alpha1.GeneratedKind
	object    *unstructured.Unstructured
	stored    *unstructured.Unstructured
}

func (w *typedWebhook) read(ctx context.Context, req admission.Request) (*typedRequest, error) {
	out := &typedRequest{object: &unstructured.Unstructured{}}
	if err := json.Unmarshal(req.Object.Raw, out.object); err != nil {
		return nil, fmt.Errorf("reading the object: %w", err)
	}
	if req.Operation == admissionv1.Update {
		out.stored = &unstructured.Unstructured{}
		if err := json.Unmarshal(req.OldObject.Raw, out.stored); err != nil {
			return nil, fmt.Errorf("reading the stored object: %w", err)
		}
	}
	var list v1alpha1.FrameworkList
	if err := w.client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing Frameworks: %w", err)
	}
	for i := range list.Items {
		// Two may want the same name: the one whose kind it is has it in its status.
		if g := list.Items[i].Status.Generated; g != nil && g.Kind == req.Kind.Kind {
			out.framework, out.kind = &list.Items[i], *g
			return out, nil
		}
	}
	return out, nil
}

// mutate puts the finalizer on a new object, stores the drift policy that it has, and the
// replicas parameter: without it the scale subresource can not be read.
func (w *typedWebhook) mutate(ctx context.Context, req admission.Request) admission.Response {
	t, err := w.read(ctx, req)
	if err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	if t.framework == nil {
		return admission.Allowed("")
	}
	if req.Operation == admissionv1.Create {
		if f := t.object.GetFinalizers(); !slices.Contains(f, v1alpha1.FinalizerTyped) {
			t.object.SetFinalizers(append(f, v1alpha1.FinalizerTyped))
		}
		if policy, _, err := unstructured.NestedString(t.object.Object, "spec", "driftPolicy"); err == nil && policy == "" {
			if err := unstructured.SetNestedField(t.object.Object, string(v1alpha1.DriftCorrect), "spec", "driftPolicy"); err != nil {
				return admission.Errored(http.StatusBadRequest, err)
			}
		}
	}
	if err := w.storeReplicas(ctx, t); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	raw, err := json.Marshal(t.object)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(req.Object.Raw, raw)
}

// storeReplicas stores what the replicas parameter is by default: what was stored, else
// the version's default.
func (w *typedWebhook) storeReplicas(ctx context.Context, t *typedRequest) error {
	name := t.framework.Spec.ReplicasParameter
	if name == "" {
		return nil
	}
	if _, set, err := unstructured.NestedFieldNoCopy(t.object.Object, "spec", "parameters", name); set || err != nil {
		return nil //nolint:nilerr // the schema says what is wrong
	}
	version, _, _ := unstructured.NestedString(t.object.Object, "spec", "version")
	fwv := &v1alpha1.FrameworkVersion{}
	err := w.client.Get(ctx, client.ObjectKey{Name: t.framework.Name + "-" + version}, fwv)
	if err != nil {
		return client.IgnoreNotFound(err) //nolint:wrapcheck // a version may come late
	}
	for _, p := range fwv.Spec.Parameters {
		if p.Name != name || p.Default == nil {
			continue
		}
		v, err := params.Decode(p.Default.Raw)
		if err != nil {
			return nil //nolint:nilerr // the version is not valid, and says so itself
		}
		return unstructured.SetNestedField(t.object.Object, v, "spec", "parameters", name) //nolint:wrapcheck // says which field
	}
	return nil
}

// validate holds an object to the version that it names, with the rules for Instances.
func (w *typedWebhook) validate(ctx context.Context, req admission.Request) admission.Response {
	t, err := w.read(ctx, req)
	if err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	if t.framework == nil {
		return admission.Allowed("")
	}
	inst, old, err := t.instances()
	if err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	if old != nil && projection.SameSpec(&old.Spec, &inst.Spec) {
		return admission.Allowed("") // metadata only: what is stored stays writable
	}
	version, warning, err := compiled(ctx, w.client, w.versions, t.framework.Name, inst.Spec.Version)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	response := admission.Allowed("")
	if errs := validation.Instance(inst, old, version); len(errs) > 0 {
		gk := schema.GroupKind{Group: v1alpha1.TypedGroup, Kind: t.kind.Kind}
		refused := apierrors.NewInvalid(gk, t.object.GetName(), errs)
		response = admission.Denied("")
		response.Result = &refused.ErrStatus
	}
	if warning != "" {
		response.Warnings = append(response.Warnings, warning)
	}
	return response
}

// instances are what the object and its stored self would become.
func (t *typedRequest) instances() (inst, old *v1alpha1.Instance, err error) {
	if inst, err = projection.Instance(t.framework.Name, &t.kind, t.object); err != nil {
		return nil, nil, err //nolint:wrapcheck // says what was read
	}
	if t.stored == nil {
		return inst, nil, nil
	}
	if old, err = projection.Instance(t.framework.Name, &t.kind, t.stored); err != nil {
		return nil, nil, err //nolint:wrapcheck // says what was read
	}
	status, err := projection.StatusOf(t.stored)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // says what was read
	}
	inst.Status.Version, old.Status.Version = status.Version, status.Version
	return inst, old, nil
}
