// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
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
		return nil, evidence.Denied("reading "+title(u.GetKind(), name), err)
	}
	return u, nil
}

func title(kind, name string) string { return strings.ToLower(kind) + "/" + name }

func titleOf(u *unstructured.Unstructured) string { return title(u.GetKind(), u.GetName()) }

// write puts version and parameters into the spec of a target. As a whole: a parameter that
// is a map is replaced, not merged.
func write(u *unstructured.Unstructured, version string, parameters map[string]apiextensionsv1.JSON) error {
	content := map[string]any{}
	for name, value := range parameters {
		decoded, err := params.Decode(value.Raw)
		if err != nil {
			return fmt.Errorf("reading the parameter %s: %w", name, err)
		}
		content[name] = plain(decoded)
	}
	err := unstructured.SetNestedField(u.Object, version, "spec", "version")
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
	for mark, tool := range map[string]string{
		"kustomize.toolkit.fluxcd.io/name": "Flux", "helm.toolkit.fluxcd.io/name": "Flux", "argocd.argoproj.io/instance": "Argo CD",
	} {
		if o.GetLabels()[mark] != "" {
			return tool
		}
	}
	if o.GetAnnotations()["argocd.argoproj.io/tracking-id"] != "" {
		return "Argo CD"
	}
	if o.GetAnnotations()["meta.helm.sh/release-name"] != "" {
		return "Helm"
	}
	return ""
}

// waiting is the flag --wait.
type waiting struct {
	wait    bool
	timeout time.Duration
}

func (w *waiting) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.wait, "wait", false, "Wait until it is ready, or stalled")
	cmd.Flags().DurationVar(&w.timeout, "timeout", 10*time.Minute, "How long to wait")
}

// settle waits until the spec of a target is rolled out. One that stalls is an error, in the
// words of its condition.
func (w *waiting) settle(ctx context.Context, s *session, u *unstructured.Unstructured) error {
	if !w.wait {
		s.Printf("follow it with: kubectl kudo status %s -n %s --watch\n", titleOf(u), s.namespace)
		return nil
	}
	last := ""
	generation := u.GetGeneration()
	err := wait.PollUntilContextTimeout(ctx, time.Second, w.timeout, true, func(ctx context.Context) (bool, error) {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(u), u); err != nil {
			return false, evidence.Denied("reading "+titleOf(u), err)
		}
		seen, conditions := conditionsOf(u)
		ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		if seen < generation || ready == nil {
			return false, nil
		}
		last = ready.Reason + ": " + ready.Message
		if meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled) {
			return false, fmt.Errorf("%s is stalled: %s. What to do: kubectl kudo diagnose %s -n %s", titleOf(u), last, titleOf(u), s.namespace)
		}
		return ready.Status == metav1.ConditionTrue, nil
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("%s is not ready after %s: %s. What it waits for: kubectl kudo status %s -n %s", titleOf(u), w.timeout, last, titleOf(u), s.namespace)
	}
	if err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	s.Printf("%s is ready\n", titleOf(u))
	return nil
}

func conditionsOf(u *unstructured.Unstructured) (observed int64, conditions []metav1.Condition) {
	var status struct {
		ObservedGeneration int64              `json:"observedGeneration"`
		Conditions         []metav1.Condition `json:"conditions"`
	}
	raw, err := json.Marshal(u.Object["status"])
	if err == nil {
		err = json.Unmarshal(raw, &status)
	}
	if err != nil {
		return 0, nil
	}
	return status.ObservedGeneration, status.Conditions
}

// gone waits until a target has been removed.
func (w *waiting) gone(ctx context.Context, s *session, u *unstructured.Unstructured) error {
	if !w.wait {
		s.Printf("%s is being removed\n", titleOf(u))
		return nil
	}
	err := wait.PollUntilContextTimeout(ctx, time.Second, w.timeout, true, func(ctx context.Context) (bool, error) {
		err := s.client.Get(ctx, client.ObjectKeyFromObject(u), u)
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, evidence.Denied("reading "+titleOf(u), err)
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("%s is still there after %s. Why: kubectl kudo diagnose %s -n %s", titleOf(u), w.timeout, titleOf(u), s.namespace)
	}
	if err == nil {
		s.Printf("%s is gone\n", titleOf(u))
	}
	return err //nolint:wrapcheck // it says what it is about
}
