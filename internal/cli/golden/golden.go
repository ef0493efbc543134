// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package golden compares what commands show with recorded files, in tests.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "Write the golden files.")

// Compare holds a text against testdata/NAME.golden of the package under test; with -update
// it records the text.
func Compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (go test with -update writes it)\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}
