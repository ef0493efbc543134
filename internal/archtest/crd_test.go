// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCRDsFitClientSideApply: kubectl apply stores the whole object in an annotation,
// and all annotations together may have 256 KiB.
func TestCRDsFitClientSideApply(t *testing.T) {
	const most = 200_000
	files, err := filepath.Glob(path(t, "config", "crd", "bases", "*.yaml"))
	if err != nil || len(files) < 4 {
		t.Fatalf("found %d CRDs: %v", len(files), err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() >= most {
			t.Errorf("%s has %d bytes, the limit is %d", filepath.Base(f), info.Size(), most)
		}
	}
}
