// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// maxDepth is how many Instances may stand one within the other.
const maxDepth = 5

// Nesting refuses an Instance that is nested too deeply, or within one of its own
// framework: they would make each other for ever. The lookup finds an Instance of the
// same namespace by name, or nil.
func Nesting(inst *v1alpha1.Instance, lookup func(name string) (*v1alpha1.Instance, error)) (field.ErrorList, error) {
	chain := []string{inst.Spec.Framework + "/" + inst.Name}
	path := specPath.Child("framework")
	for current := inst; ; {
		owner := metav1.GetControllerOf(current)
		if owner == nil || owner.Kind != "Instance" || owner.APIVersion != v1alpha1.GroupVersion.String() {
			return nil, nil
		}
		parent, err := lookup(owner.Name)
		if err != nil || parent == nil {
			return nil, err
		}
		chain = append(chain, parent.Spec.Framework+"/"+parent.Name)
		text := strings.Join(chain, " within ")
		switch {
		case parent.Spec.Framework == inst.Spec.Framework:
			return field.ErrorList{field.Invalid(path, inst.Spec.Framework, "a framework can not make Instances of itself: "+text)}, nil
		case len(chain) > maxDepth:
			return field.ErrorList{field.Invalid(path, inst.Spec.Framework,
				fmt.Sprintf("Instances are nested more than %d deep: %s", maxDepth, text))}, nil
		}
		current = parent
	}
}
