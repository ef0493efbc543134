// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/internal/dynamic"
)

// lookedAt is what this process read of the contents that the pods of an Instance consume.
type lookedAt struct {
	// contents that are not as the last completed run found them, by what is consumed.
	contents map[string]looked
	// refused are the watches that were reported as refused.
	refused map[dynamic.Key]bool
}

// looked is the digest of one state of an object.
type looked struct {
	uid     types.UID
	version string
	digest  string
}

func newLookedAt() lookedAt { return lookedAt{contents: map[string]looked{}} }
