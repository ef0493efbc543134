// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"strings"
	"testing"
)

// Exit codes and the words of errors are what scripts and people build on.
func TestExitCodes(t *testing.T) {
	tests := map[string]struct {
		args  []string
		code  int
		words string
	}{
		"help":                          {[]string{"--help"}, 0, "For authors of packages:"},
		"nothing":                       {nil, 0, "To operate:"},
		"version":                       {[]string{"--version"}, 0, "1.2.3"},
		"unknown flag":                  {[]string{"--nope"}, 2, "unknown flag: --nope. See: kubectl kudo --help"},
		"unknown command":               {[]string{"nope"}, 2, `unknown command "nope" for "kubectl kudo". See: kubectl kudo --help`},
		"missing argument":              {[]string{"package", "manifests"}, 2, "an argument is missing: kubectl kudo package manifests PACKAGE..."},
		"misspelt command":              {[]string{"packag"}, 2, "did you mean package?"},
		"flags that exclude each other": {[]string{"add", "task", "a", "--apply", "a.yaml", "--delete", "a.yaml"}, 2, "[apply delete] were all set. See: kubectl kudo add task --help"},
		"none of the flags of a group":  {[]string{"add", "task", "a"}, 2, "See: kubectl kudo add task --help"},
		"an argument too many, for a command of cobra's": {[]string{"completion", "bash", "nope"}, 2, "nope"},
		"no such package": {[]string{"package", "manifests", "/nowhere/at/all"}, 1, "no such file or directory"},
		"a real package":  {[]string{"package", "manifests", "../../frameworks/zookeeper/3.9.3"}, 0, "kind: FrameworkVersion"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			code := Main(t.Context(), "1.2.3", append([]string{"kubectl-kudo"}, tt.args...), strings.NewReader(""), &out, &out)
			if code != tt.code || !strings.Contains(out.String(), tt.words) {
				t.Errorf("exit code %d, want %d; want the words %q in:\n%s", code, tt.code, tt.words, out.String())
			}
		})
	}
}

// kubectl asks an executable of another name for completions.
func TestCompletion(t *testing.T) {
	var out bytes.Buffer
	code := Main(t.Context(), "", []string{"/usr/bin/kubectl_complete-kudo", "pack"}, strings.NewReader(""), &out, &out)
	if code != 0 || !strings.HasPrefix(out.String(), "package\t") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}
