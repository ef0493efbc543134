// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/projection"
)

// target reads the object whose spec people write: an Instance, or the typed object that
// it was made from.
func (s *session) target(ctx context.Context, inst *v1alpha1.Instance) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Instance"))
	name := inst.Name
	if owner := projection.Owner(inst); owner != nil {
		u.SetAPIVersion(owner.APIVersion)
		u.SetKind(owner.Kind)
		name = owner.Name
	}
	if err := s.client.Get(ctx, client.ObjectKey{Namespace: inst.Namespace, Name: name}, u); err != nil {
		return nil, evidence.Denied("reading "+command.Title(u.GetKind(), name), err)
	}
	return u, nil
}

func titleOf(u *unstructured.Unstructured) string { return command.Title(u.GetKind(), u.GetName()) }

// leaving says that a target is being removed.
func leaving(u *unstructured.Unstructured) bool { return u.GetDeletionTimestamp() != nil }

// edit puts a version, where one is named, and changes of parameters into the spec of a target;
// null takes a parameter back to its default. A parameter that is a map is replaced, not
// merged, and what is not named stays.
func edit(u *unstructured.Unstructured, version string, changes map[string]apiextensionsv1.JSON) error {
	content, _, err := unstructured.NestedMap(u.Object, "spec", "parameters")
	if err != nil {
		return fmt.Errorf("reading the parameters of %s: %w", titleOf(u), err)
	}
	if content == nil {
		content = map[string]any{}
	}
	for name, value := range changes {
		decoded, err := params.Decode(value.Raw)
		if err != nil {
			return fmt.Errorf("reading the parameter %s: %w", name, err)
		}
		if content[name] = plain(decoded); decoded == nil {
			delete(content, name)
		}
	}
	if version != "" {
		err = unstructured.SetNestedField(u.Object, version, "spec", "version")
	}
	if len(content) == 0 {
		unstructured.RemoveNestedField(u.Object, "spec", "parameters")
	} else {
		err = errors.Join(err, unstructured.SetNestedMap(u.Object, content, "spec", "parameters"))
	}
	if err != nil {
		return fmt.Errorf("writing the spec of %s: %w", titleOf(u), err)
	}
	return nil
}

// specOf is what a target wants of its Instance. That of a typed object may be newer than the
// Instance, to which the manager copies it.
func specOf(u *unstructured.Unstructured, framework string) (v1alpha1.InstanceSpec, error) {
	inst, err := projection.Instance(framework, &v1alpha1.GeneratedKind{}, u)
	if err != nil {
		return v1alpha1.InstanceSpec{}, fmt.Errorf("reading %s: %w", titleOf(u), err)
	}
	return inst.Spec, nil
}

// plain makes numbers of a kind that objects may hold.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	}
	return v
}

// handedOver says which tool writes the object from somewhere else, by the marks that it leaves.
func handedOver(o metav1.Object) string {
	labels, annotations := o.GetLabels(), o.GetAnnotations()
	switch {
	case labels["kustomize.toolkit.fluxcd.io/name"] != "", labels["helm.toolkit.fluxcd.io/name"] != "":
		return "Flux"
	case labels["argocd.argoproj.io/instance"] != "", annotations["argocd.argoproj.io/tracking-id"] != "":
		return "Argo CD"
	case annotations["meta.helm.sh/release-name"] != "", labels["app.kubernetes.io/managed-by"] == "Helm":
		return "Helm"
	}
	return ""
}
