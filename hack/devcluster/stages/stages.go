// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stages embeds the pod lifecycle stages that KWOK's own set lacks.
package stages

import "embed"

// Files holds one stage per YAML file.
//
//go:embed *.yaml
var Files embed.FS
