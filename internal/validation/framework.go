// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
)

// simplePath is what the API server takes as the JSON path of a printer column.
var simplePath = regexp.MustCompile(`^\.[A-Za-z_][A-Za-z0-9_-]*([.\[].*)?$`)

// Framework checks a Framework.
func Framework(fw *v1alpha1.Framework) field.ErrorList {
	var errs field.ErrorList
	names := crdgen.Names(fw)
	if err := crdgen.CheckNames(names); err != nil {
		errs = append(errs, field.Invalid(specPath.Child("names"), field.OmitValueType{}, err.Error()))
	}
	for i, c := range fw.Spec.PrinterColumns {
		path := specPath.Child("printerColumns").Index(i)
		if slices.Contains(crdgen.OwnColumns(), c.Name) {
			errs = append(errs, field.Invalid(path.Child("name"), c.Name, "every generated kind has a column of this name: choose another"))
		}
		if !simplePath.MatchString(c.JSONPath) {
			errs = append(errs, field.Invalid(path.Child("jsonPath"), c.JSONPath,
				"must be a simple JSON path from the object, for example .spec.parameters.nodeCount or .status.version"))
		}
	}
	return errs
}

// Namesake says which other Framework wants a name of this one's kind.
func Namesake(fw *v1alpha1.Framework, all []v1alpha1.Framework) string {
	mine := crdgen.Names(fw)
	for i := range all {
		if all[i].Name == fw.Name {
			continue
		}
		theirs := crdgen.Names(&all[i])
		for _, name := range append([]string{mine.Kind, mine.Plural, mine.Singular}, mine.ShortNames...) {
			if slices.Contains(append([]string{theirs.Kind, theirs.Plural, theirs.Singular}, theirs.ShortNames...), name) {
				return fmt.Sprintf("Framework %s uses the name %q too: the kind of whichever came later is not served. Set spec.names", all[i].Name, name)
			}
		}
	}
	return ""
}
