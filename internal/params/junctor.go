// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"math"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

var formatLimits = map[string][2]any{
	"int32":  {int64(math.MinInt32), int64(math.MaxInt32)},
	"int64":  {int64(math.MinInt64), int64(math.MaxInt64)},
	"float":  {-math.MaxFloat32, math.MaxFloat32},
	"double": {-math.MaxFloat64, math.MaxFloat64},
}

// checkJunctors checks allOf, anyOf, oneOf and not.
func (n *node) checkJunctors(v any, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, branch := range n.allOf {
		errs = append(errs, branch.check(v, path)...)
	}
	if len(n.anyOf) > 0 {
		if fits, reasons := alternatives(n.anyOf, v, path); fits == 0 {
			errs = append(errs, invalid(path, v, "must fit one of these: %s", reasons))
		}
	}
	if len(n.oneOf) > 0 {
		switch fits, reasons := alternatives(n.oneOf, v, path); {
		case fits == 0:
			errs = append(errs, invalid(path, v, "must fit exactly one of these: %s", reasons))
		case fits > 1:
			errs = append(errs, invalid(path, v, "must fit exactly one alternative of oneOf, but fits %d", fits))
		}
	}
	if n.not != nil && len(n.not.check(v, path)) == 0 {
		errs = append(errs, invalid(path, v, "is excluded by the schema's \"not\""))
	}
	return errs
}

// alternatives counts the branches that fit, and says what each of the others wants.
func alternatives(branches []*node, v any, path *field.Path) (int, string) {
	fits := 0
	var reasons []string
	for _, branch := range branches {
		errs := branch.check(v, path)
		if len(errs) == 0 {
			fits++
			continue
		}
		reason := errs[0].Detail
		if errs[0].Type == field.ErrorTypeRequired {
			reason = "is required"
		}
		if errs[0].Field != path.String() {
			reason = strings.TrimPrefix(strings.TrimPrefix(errs[0].Field, path.String()), ".") + " " + reason
		}
		reasons = append(reasons, reason)
	}
	return fits, strings.Join(reasons, "; or ")
}
