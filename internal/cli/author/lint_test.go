// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/golden"
)

// runLint runs the command on the sick package in testdata, as on a terminal or not.
func runLint(t *testing.T, terminal bool, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	env := command.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out})
	env.Terminal = terminal
	cmd := newLint(env)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

// TestLintOutput: scripts read these forms.
func TestLintOutput(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	for name, tt := range map[string]struct {
		terminal bool
		args     []string
	}{
		"text":     {false, []string{"testdata/sick"}},
		"terminal": {true, []string{"testdata/sick"}},
		"json":     {false, []string{"testdata/sick", "-o", "json"}},
		"yaml":     {false, []string{"testdata/sick", "-o", "yaml"}},
		"explain":  {false, []string{"--explain", "kudo056"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := runLint(t, tt.terminal, tt.args...)
			if name != "explain" && !errors.Is(err, command.ErrFindings) || name == "explain" && err != nil {
				t.Errorf("the error is %v", err)
			}
			golden.Compare(t, "testdata/lint-"+name+".golden", got)
		})
	}
}

// TestLintVerdict: what CI does depends on it.
func TestLintVerdict(t *testing.T) {
	for name, tt := range map[string]struct {
		args  []string
		words string // of the error; "findings" for those, empty for none
	}{
		"errors fail":             {[]string{"testdata/sick"}, "there are findings"},
		"the errors are disabled": {[]string{"testdata/sick", "--disable", "KUDO048,KUDO056"}, ""},
		"warnings fail too":       {[]string{"testdata/sick", "--disable", "KUDO048,KUDO056", "--fail-on", "warning"}, "there are findings"},
		"infos do not":            {[]string{"../../../frameworks/zookeeper/3.9.3", "--fail-on", "warning"}, ""},
		"infos do if they should": {[]string{"../../../frameworks/zookeeper/3.9.3", "--fail-on", "info"}, "there are findings"},
		"an upgrade":              {[]string{"../../../frameworks/zookeeper/3.9.3", "--from", "../../../frameworks/zookeeper/3.8.4"}, ""},
		"a downgrade":             {[]string{"../../../frameworks/zookeeper/3.8.4", "--from", "../../../frameworks/zookeeper/3.9.3"}, "there are findings"},
		"no directory":            {[]string{"testdata/none"}, "no such file"},
		"a file":                  {[]string{"testdata/sick/framework.yaml"}, "is a file"},
		"two with --from":         {[]string{"a", "b", "--from", "c"}, "name one directory"},
		"no such severity":        {[]string{"testdata/sick", "--fail-on", "fatal"}, "use error, warning or info"},
		"no such rule":            {[]string{"testdata/sick", "--disable", "KUDO000"}, "there is no rule KUDO000"},
		"nothing to explain":      {[]string{"--explain", "KUDO000"}, "there is no rule KUDO000"},
		"no argument":             {nil, "an argument is missing"},
		"no such form":            {[]string{"testdata/sick", "-o", "xml"}, "-o xml is not known"},
		"all rules":               {[]string{"--rules"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runLint(t, false, tt.args...)
			if tt.words == "" && err != nil || tt.words != "" && (err == nil || !strings.Contains(err.Error(), tt.words)) {
				t.Errorf("the error is %v, want %q", err, tt.words)
			}
		})
	}
}

// TestLintSarif: code hosts refuse a result whose rule or place is not there.
func TestLintSarif(t *testing.T) {
	out, err := runLint(t, false, "testdata/sick", "-o", "sarif")
	if !errors.Is(err, command.ErrFindings) {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, rule := range log.Runs[0].Tool.Driver.Rules {
		rules[rule.ID] = true
	}
	if len(log.Runs[0].Results) == 0 {
		t.Error("no results")
	}
	for _, r := range log.Runs[0].Results {
		if !rules[r.RuleID] || r.Message.Text == "" || !strings.HasPrefix(r.Locations[0].Physical.Artifact.URI, "testdata/sick/") {
			t.Errorf("%+v", r)
		}
	}
}
