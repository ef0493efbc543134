// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"kudo.dev/kudo/internal/cli/command"
)

var flags = regexp.MustCompile(`(?m)^ +(-[a-zA-Z])?,? *(--[a-z-]+)`)

// Every command and flag stands on the page, and says what it does and how it is called.
func TestCommandsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/spec/cli-operate.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, c := range Commands(command.New(genericiooptions.IOStreams{})) {
		if !strings.Contains(page, "`"+strings.TrimSuffix(c.Use, "|FRAMEWORKVERSION")) {
			t.Errorf("the page does not have `%s`", c.Use)
		}
		if c.Short == "" || c.Example == "" || c.GroupID != Group || c.ValidArgsFunction == nil {
			t.Errorf("%s lacks a description, an example, its group or completion", c.Name())
		}
		for _, m := range flags.FindAllStringSubmatch(c.LocalFlags().FlagUsages(), -1) {
			if !strings.Contains(page, m[2]) && (m[1] == "" || !strings.Contains(page, m[1])) {
				t.Errorf("the page does not have %s of %s", m[2], c.Name())
			}
		}
	}
}
