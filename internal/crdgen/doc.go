// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crdgen makes the CustomResourceDefinition of a Framework's generated kind out of
// the Framework and its valid versions.
//
// One schema serves all versions: a value that is valid under one of them is valid under
// the schema. What is precise about the version that an object names is checked at
// admission. A parameter whose types do not fit together is a conflict of the version that
// came later.
//
// The package is pure.
package crdgen
