// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"
	"testing"
)

// TestSuppressions: a comment takes back what it names where it stands, and nothing else.
func TestSuppressions(t *testing.T) {
	missing := edit{front, "          readinessProbe:\n            httpGet: {port: http, path: /ready}\n", ""}
	for name, tt := range map[string]struct {
		edits []edit
		want  []string
	}{
		"none":                 {[]edit{missing}, []string{"KUDO100"}},
		"on the line":          {[]edit{missing, {front, "- name: front\n          image", "- name: front # kudo:ignore KUDO100 it serves nobody\n          image"}}, nil},
		"above":                {[]edit{missing, {front, "        - name: front\n          image", "        # kudo:ignore KUDO100 it serves nobody\n        - name: front\n          image"}}, nil},
		"above other comments": {[]edit{missing, {front, "        - name: front\n          image", "        # kudo:ignore KUDO100 it serves nobody\n        # and more\n        - name: front\n          image"}}, nil},
		"as a template's":      {[]edit{missing, {front, "        - name: front\n          image", "        {{- /* kudo:ignore KUDO100 it serves nobody */}}\n        - name: front\n          image"}}, nil},
		"several":              {[]edit{missing, {front, "          livenessProbe:\n            tcpSocket: {port: http}\n", ""}, {front, "        - name: front\n          image", "        # kudo:ignore KUDO100, KUDO101 it serves nobody\n        - name: front\n          image"}}, nil},
		"another rule":         {[]edit{missing, {front, "        - name: front\n          image", "        # kudo:ignore KUDO101 it serves nobody\n        - name: front\n          image"}}, []string{"KUDO010", "KUDO100"}},
		"another place":        {[]edit{missing, {front, "apiVersion", "# kudo:ignore KUDO100 it serves nobody\napiVersion"}}, []string{"KUDO010", "KUDO100"}},
		"no reason":            {[]edit{missing, {front, "        - name: front\n          image", "        # kudo:ignore KUDO100\n        - name: front\n          image"}}, []string{"KUDO009"}},
		"what is refused":      {[]edit{{cfg, "    policy = {{ .Params.policy }}", "    # kudo:ignore KUDO041 later\n    policy = {{ .Params.polcy }}"}}, []string{"KUDO010", "KUDO041"}},
		"a file without lines": {[]edit{{fw, "  url: https://store.example.com\n", ""}, {fw, "framework:", "# kudo:ignore KUDO006 it has no page\nframework:"}}, nil},
		"a rule that can not run": {[]edit{
			{fw, "            - name: front\n", "            - name: front\n              when: params.member > 1\n"},
			{front, "        - name: front\n          image", "        # kudo:ignore KUDO100 it serves nobody\n        - name: front\n          image"},
		}, []string{"KUDO061"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range Check(base(t, tt.edits...), Options{}) {
				got = append(got, f.ID)
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("found %v, want %v", got, tt.want)
			}
		})
	}
}

// TestDisabledRules: a rule that is left out makes no suppression idle.
func TestDisabledRules(t *testing.T) {
	fsys := base(t, edit{fw, "  description: The first version with a front.\n", ""}, edit{fw, "  version: 2.1.0", "  # kudo:ignore KUDO012 it says enough\n  version: 2.1.0"})
	if found := Check(fsys, Options{Disabled: []string{"KUDO012"}}); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// TestFindingsAreStable: CI compares them, and maps have no order.
func TestFindingsAreStable(t *testing.T) {
	fsys := base(t, edit{tpl, "drop: [ALL]", "drop: []"}, edit{prm, "  description: How many members there are.\n", ""}, edit{svc, "maxUnavailable: 1", "maxUnavailable: 0"})
	first := Check(fsys, Options{Older: base(t, older...)})
	for range 5 {
		if again := Check(fsys, Options{Older: base(t, older...)}); !slices.Equal(first, again) {
			t.Fatalf("%+v\n%+v", first, again)
		}
	}
	if len(first) < 4 {
		t.Errorf("%+v", first)
	}
}
