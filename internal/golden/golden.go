// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package golden compares what comes out with recorded files, in tests.
package golden

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "Write the golden files.")

// Compare holds a text against a file, whose path begins at the package under test; with
// -update it records the text.
func Compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test with -update writes it) (-want +got):\n%s", file, diff)
	}
}
