// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"fmt"
	"testing"
)

// TestLocate: a message is worth more with the line that it is about.
func TestLocate(t *testing.T) {
	fsys := pkg(map[string]string{
		"pkg/framework.yaml": "framework:\n  name: a\nversion:\n  version: 1.0.0\n  tasks:\n    - name: x\n      apply: {templates: [main.yaml]}\n    - name: y\n      wait:\n        for: 1s\n",
		"pkg/params.yaml":    "- name: a\n- name: b\n  schema:\n    type: string\n",
	})
	source, err := Open(fsys, "pkg")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"framework.name":                        "framework.yaml:2",
		"version.tasks[y].wait.for":             "framework.yaml:10",
		"version.tasks[1].wait":                 "framework.yaml:9",
		"version.tasks[y].wait.until":           "framework.yaml:9",
		"version.tasks[z]":                      "framework.yaml:5",
		"version.plans[deploy]":                 "framework.yaml:3",
		"version.parameters[b].schema.type":     "params.yaml:4",
		"version.parameters[0]":                 "params.yaml:1",
		"version.parameters":                    "params.yaml:0",
		"version.templates[main.yaml].content":  "templates/main.yaml:0",
		"version.templates[other.yaml].content": "framework.yaml:3",
		"":                                      "framework.yaml:0",
		"[[[":                                   "framework.yaml:0",
	} {
		file, line := source.Locate(path)
		if got := fmt.Sprintf("%s:%d", file, line); got != want {
			t.Errorf("%q is at %s, want %s", path, got, want)
		}
	}
}
