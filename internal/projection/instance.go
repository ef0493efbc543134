// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package projection turns an object of a generated kind into its Instance, and the state
// of that Instance and of its plan into the object's status. The package is pure.
package projection

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/params"
)

// Instance makes the Instance of an object. The two have the same fields in spec, but for
// the reference to the Framework; labels go along.
func Instance(framework string, kind *v1alpha1.GeneratedKind, typed *unstructured.Unstructured) (*v1alpha1.Instance, error) {
	controller, block := true, true
	inst := &v1alpha1.Instance{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: typed.GetNamespace(),
			Name:      crdgen.InstanceName(kind.Singular, typed.GetName()),
			Labels:    maps.Clone(typed.GetLabels()),
			Annotations: map[string]string{
				v1alpha1.AnnotationTypedGeneration: string(typed.GetUID()) + "/" + strconv.FormatInt(typed.GetGeneration(), 10),
				v1alpha1.AnnotationTypedName:       typed.GetName(),
				v1alpha1.AnnotationTypedLabels:     strings.Join(slices.Sorted(maps.Keys(typed.GetLabels())), ","),
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: kind.APIVersion, Kind: kind.Kind, Name: typed.GetName(), UID: typed.GetUID(),
				Controller: &controller, BlockOwnerDeletion: &block,
			}},
		},
	}
	if err := decode(typed.Object["spec"], &inst.Spec); err != nil {
		return nil, fmt.Errorf("reading spec: %w", err)
	}
	inst.Spec.Framework = framework
	if inst.Spec.DriftPolicy == "" {
		inst.Spec.DriftPolicy = v1alpha1.DriftCorrect
	}
	return inst, nil
}

// StatusOf reads the status of an object.
func StatusOf(typed *unstructured.Unstructured) (v1alpha1.TypedStatus, error) {
	var s v1alpha1.TypedStatus
	if err := decode(typed.Object["status"], &s); err != nil {
		return s, fmt.Errorf("reading status: %w", err)
	}
	return s, nil
}

func decode(from, into any) error {
	if from == nil {
		return nil
	}
	raw, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// Owner is the object of a generated kind that an Instance is made from; nil if there is none.
func Owner(inst metav1.Object) *metav1.OwnerReference {
	owner := metav1.GetControllerOf(inst)
	if owner == nil || !strings.HasPrefix(owner.APIVersion, v1alpha1.TypedGroup+"/") {
		return nil
	}
	return owner
}

// TakenFrom is the generation of an object that an Instance's spec was last taken from; 0 if
// it was taken from another one.
func TakenFrom(inst *v1alpha1.Instance, object types.UID) int64 {
	uid, generation, _ := strings.Cut(inst.Annotations[v1alpha1.AnnotationTypedGeneration], "/")
	n, err := strconv.ParseInt(generation, 10, 64)
	if err != nil || types.UID(uid) != object {
		return 0
	}
	return n
}

// labels of an Instance are those of others, and the object's.
func labels(have, want *v1alpha1.Instance) map[string]string {
	out := maps.Clone(have.Labels)
	for key := range strings.SplitSeq(have.Annotations[v1alpha1.AnnotationTypedLabels], ",") {
		delete(out, key)
	}
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, want.Labels)
	return out
}

// Update puts what an object wants into its stored Instance, and says whether that changes
// anything. Whatever else stands on the Instance stays.
func Update(have, want *v1alpha1.Instance) (*v1alpha1.Instance, bool) {
	merged := labels(have, want)
	if SameSpec(&have.Spec, &want.Spec) && maps.Equal(have.Labels, merged) {
		return have, false
	}
	return Adopt(have, want), true
}

// Adopt is Update of an Instance that was not made from the object.
func Adopt(have, want *v1alpha1.Instance) *v1alpha1.Instance {
	next := have.DeepCopy()
	next.Spec = *want.Spec.DeepCopy()
	next.Labels = labels(have, want)
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	for _, key := range []string{v1alpha1.AnnotationTypedGeneration, v1alpha1.AnnotationTypedLabels} {
		next.Annotations[key] = want.Annotations[key]
	}
	return next
}

// SameSpec compares specs, and the values of parameters as JSON values instead of as text.
func SameSpec(a, b *v1alpha1.InstanceSpec) bool {
	if !sameParameters(a.Parameters, b.Parameters) {
		return false
	}
	x, y := *a, *b
	x.Parameters, y.Parameters = nil, nil
	return equality.Semantic.DeepEqual(x, y)
}

func sameParameters(a, b map[string]apiextensionsv1.JSON) bool {
	return maps.EqualFunc(a, b, func(x, y apiextensionsv1.JSON) bool {
		v, errX := params.Decode(x.Raw)
		w, errY := params.Decode(y.Raw)
		if errX != nil || errY != nil {
			return bytes.Equal(x.Raw, y.Raw)
		}
		return reflect.DeepEqual(v, w)
	})
}
