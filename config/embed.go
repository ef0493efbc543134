// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package config is the manifests that install Kudo, as kustomize reads them.
package config

import "embed"

// Files are the kustomizations of this directory, by their paths in it.
//
//go:embed crd default manager rbac webhook policy components overlays
var Files embed.FS
