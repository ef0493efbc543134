// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build race

package render

// raceFactor relaxes time and memory, which the race detector multiplies.
const raceFactor = 20
