// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/internal/testing/repository"
)

// spy takes the place of kubectl: it writes down what it is asked, answers from files, and
// fails where one says so.
const spy = `#!/usr/bin/env bash
cd "$(dirname "$0")"
echo "$1 $2" >> asked
[ ! -e "fail-$1-$2" ] || exit 1
cat "answer-$2" 2>/dev/null || true
`

// Removing Kudo must lose nobody's data and leave nothing that can not go: Instances first,
// then what the manager holds by finalizers, then the manager and the CRDs.
func TestUndeployGoesInOrder(t *testing.T) {
	const all = "customresourcedefinition.apiextensions.k8s.io/instances.kudo.dev\n" +
		"customresourcedefinition.apiextensions.k8s.io/frameworkversions.kudo.dev\n" +
		"customresourcedefinition.apiextensions.k8s.io/frameworks.kudo.dev\n"
	for name, tt := range map[string]struct {
		files map[string]string
		asked []string
		says  string
	}{
		"nothing stands in the way": {
			map[string]string{"answer-customresourcedefinitions": all},
			[]string{
				"get customresourcedefinitions", "get instances.kudo.dev", "delete frameworkversions.kudo.dev",
				"delete frameworks.kudo.dev", "delete --ignore-not-found",
			}, "",
		},
		"Instances exist": {
			map[string]string{"answer-customresourcedefinitions": all, "answer-instances.kudo.dev": "tenant   front\n"},
			[]string{"get customresourcedefinitions", "get instances.kudo.dev"}, "Instances exist: delete them first, while the manager can still clean up\ntenant   front",
		},
		"Instances can not be listed": {
			map[string]string{"answer-customresourcedefinitions": all, "fail-get-instances.kudo.dev": ""},
			[]string{"get customresourcedefinitions", "get instances.kudo.dev"}, "",
		},
		"no answer": {
			map[string]string{"fail-get-customresourcedefinitions": ""},
			[]string{"get customresourcedefinitions"}, "",
		},
		"the manager does not run": {
			map[string]string{"answer-customresourcedefinitions": all, "fail-delete-frameworkversions.kudo.dev": ""},
			[]string{"get customresourcedefinitions", "get instances.kudo.dev", "delete frameworkversions.kudo.dev"},
			"some of frameworkversions.kudo.dev did not go within 2m: the manager must run",
		},
		"half of it is gone already": {
			map[string]string{"answer-customresourcedefinitions": "customresourcedefinition.apiextensions.k8s.io/widgets.example.com\n"},
			[]string{"get customresourcedefinitions", "delete --ignore-not-found"}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := repository.Root()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			tt.files["kubectl"], tt.files["kustomize"] = spy, "#!/bin/sh\n"
			for file, text := range tt.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "make", "-s", "undeploy", "KUSTOMIZE="+filepath.Join(dir, "kustomize"), "KUBECTL="+filepath.Join(dir, "kubectl"))
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			asked, readErr := os.ReadFile(filepath.Join(dir, "asked"))
			if readErr != nil {
				t.Fatalf("%v; make says %s", readErr, out)
			}
			got := strings.Split(strings.TrimSpace(string(asked)), "\n")
			if diff := cmp.Diff(tt.asked, got); diff != "" {
				t.Errorf("asked (-want +got):\n%s%s", diff, out)
			}
			if removed := got[len(got)-1] == "delete --ignore-not-found"; (err == nil) != removed {
				t.Errorf("make ends with %v", err)
			}
			if !strings.Contains(string(out), tt.says) {
				t.Errorf("it says %s, want %q", out, tt.says)
			}
		})
	}
}
