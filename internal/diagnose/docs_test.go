// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every cause is explained on the page, and a rule finds it.
func TestCausesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/spec/cli-operate.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("cause.go")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^\t([A-Z]\w+) Cause = "(\w+)"$`).FindAllStringSubmatch(string(code), -1)
	if len(all) < 12 {
		t.Fatalf("only %d causes: the test looks for another form", len(all))
	}
	for _, m := range all {
		if m[1] != m[2] || !strings.Contains(string(page), "| `"+m[2]+"` |") {
			t.Errorf("docs/spec/cli-operate.md does not explain %s (%s)", m[1], m[2])
		}
	}
}
