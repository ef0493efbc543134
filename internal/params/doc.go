// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package params knows the parameters of a version: their schemas, whether
// values fit them, what the values are once defaults are applied, and what
// changed between two sets of them.
//
// A schema is OpenAPI v3 as in a CustomResourceDefinition: structural, without
// $ref, and stricter in three ways, because a mistake that is accepted is found
// in production. A keyword that means nothing for the type is refused, an
// unknown property of an object is refused instead of pruned, and a default
// stands in the parameter only.
//
// Numbers are int64 where they fit, else uint64, else float64, so that no
// integer goes through a float. The package is pure, and a Schema is safe for
// concurrent use.
package params
