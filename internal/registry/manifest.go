// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/json"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// layerOf finds the archive in a manifest.
func layerOf(raw []byte) (ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("reading the manifest: %w", err)
	}
	switch {
	case m.ArtifactType != ArtifactType:
		kind := m.ArtifactType
		if kind == "" {
			kind = m.Config.MediaType
		}
		return ocispec.Descriptor{}, fmt.Errorf("it is no package of Kudo (%s) but %q", ArtifactType, kind)
	case len(m.Layers) != 1 || m.Layers[0].MediaType != LayerType:
		return ocispec.Descriptor{}, fmt.Errorf("its manifest does not name exactly one layer of type %s", LayerType)
	case m.Layers[0].Size < 0 || m.Layers[0].Size > maxLayer:
		return ocispec.Descriptor{}, fmt.Errorf("its archive has %d bytes, more than %d", m.Layers[0].Size, maxLayer)
	}
	return m.Layers[0], nil
}
