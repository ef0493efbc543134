// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
)

// Desired resolves the parameters that an Instance sets, and returns the digest of
// all that its pods could depend on: the version's content and the values.
func (v *Version) Desired(set map[string]apiextensionsv1.JSON) (values params.Values, digest string, err error) {
	values, err = v.Params.Resolve(set)
	if err != nil {
		return nil, "", fmt.Errorf("resolving parameters: %w", err)
	}
	digest, err = revision.Digest(map[string]any{"version": v.Digest, "params": values})
	if err != nil {
		return nil, "", err
	}
	const readable = 16
	return values, digest[:readable], nil
}
