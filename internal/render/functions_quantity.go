// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// quantityFunctions read Kubernetes quantities: "1Gi", "500m", 2.
func quantityFunctions() map[string]function {
	return map[string]function{
		"quantityBytes": quantityIn(1), "quantityKi": quantityIn(1 << 10), "quantityMi": quantityIn(1 << 20), "quantityGi": quantityIn(1 << 30),
		"quantityMilli": {min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) {
			q, err := toQuantity(a[0])
			return q.MilliValue(), err
		}},
	}
}

// quantityIn gives whole units, rounded down: what software is told it may use
// must never exceed what the pod got.
func quantityIn(unit int64) function {
	return function{min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) {
		q, err := toQuantity(a[0])
		if err != nil {
			return nil, err
		}
		return q.Value() / unit, nil
	}}
}

// quantityText is stricter than the parser, which takes its time for exponents
// that no machine has.
var quantityText = regexp.MustCompile(`^[+-]?[0-9]{1,19}(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i)?$`)

func toQuantity(v any) (resource.Quantity, error) {
	text, err := toText(v)
	if err != nil {
		return resource.Quantity{}, err
	}
	q, err := resource.ParseQuantity("0")
	if err == nil && quantityText.MatchString(text) {
		q, err = resource.ParseQuantity(text)
	} else {
		err = resource.ErrFormatWrong
	}
	if err != nil {
		return resource.Quantity{}, fault(`write it like "512Mi", "2Gi" or "500m"`, "the text is not a quantity")
	}
	return q, nil
}
