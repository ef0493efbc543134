// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"os"
	"strings"
	"testing"
)

// Every cause is explained on the page.
func TestCausesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/spec/cli-operate.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range causes(t) {
		if !strings.Contains(string(page), "| `"+c+"` |") {
			t.Errorf("docs/spec/cli-operate.md does not explain %s", c)
		}
	}
}
