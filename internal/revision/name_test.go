// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package revision

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

const longest = "a2345678901234567890123456789012345678-z" // 40 characters

// Names are label values and names of Jobs: 63 characters, whatever they derive from.
func TestNamesFit(t *testing.T) {
	plan := strings.Repeat("p", 39) + "-"
	for name, derived := range map[string]string{
		"execution":                  ExecutionName("zk", "u", "deploy", "spec/1/abc"),
		"execution of long names":    ExecutionName(longest, "u", plan, strings.Repeat("t", 253)),
		"job":                        JobName("zk", "u", "main/step/task", 1),
		"job of long names":          JobName(longest, "u", "main/step/"+strings.Repeat("t", 40), 1001),
		"secret":                     SecretName("zk", "adminPassword_"),
		"secret of long names":       SecretName(longest, strings.Repeat("P_", 31)),
		"job whose cut ends in dash": JobName(longest, "u", "main/step/abcdefghij--", 1),
	} {
		if errs := validation.IsDNS1123Label(derived); len(errs) > 0 {
			t.Errorf("%s: %q (%d characters): %v", name, derived, len(derived), errs)
		}
	}
	if revision := Name(ExecutionName(longest, "u", plan, "t"), "uid", KindApplied); len(validation.IsDNS1123Subdomain(revision)) > 0 {
		t.Errorf("revision %q is no name of an object", revision)
	}
}

// The same inputs give the same name in every process; any other gives another one.
func TestNamesTellEverythingApart(t *testing.T) {
	if got := ExecutionName("zk", "uid-1", "deploy", "spec/1/abc"); got != ExecutionName("zk", "uid-1", "deploy", "spec/1/abc") || !strings.HasPrefix(got, "zk-deploy-") {
		t.Errorf("execution %q", got)
	}
	// Instances depend on it for ever: another build must find the same Secret.
	if got := SecretName("zk", "adminPassword"); got != "zk-adminpassword-e4de93f925" {
		t.Errorf("secret %q", got)
	}
	seen := map[string]string{}
	for what, name := range map[string]string{
		"execution":              ExecutionName("zk", "uid-1", "deploy", "spec/1/abc"),
		"of another Instance":    ExecutionName("zk", "uid-2", "deploy", "spec/1/abc"),
		"of another plan":        ExecutionName("zk", "uid-1", "update", "spec/1/abc"),
		"of another trigger":     ExecutionName("zk", "uid-1", "deploy", "spec/2/abc"),
		"where the parts shift":  ExecutionName("zk", "uid-1", "deployspec", "/1/abc"),
		"secret":                 SecretName("zk", "admin"),
		"secret in capitals":     SecretName("zk", "Admin"),
		"job":                    JobName("zk", "uid-1", "main/a/work", 1),
		"job of another attempt": JobName("zk", "uid-1", "main/a/work", 2),
		"job of another step":    JobName("zk", "uid-1", "main/b/work", 1),
		"job of another run":     JobName("zk", "uid-2", "main/a/work", 1),
	} {
		if other, twice := seen[name]; twice {
			t.Errorf("%s and %s have the same name %s", what, other, name)
		}
		seen[name] = what
	}
}
