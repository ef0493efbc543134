// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompileRefuses(t *testing.T) {
	cases := map[string]struct {
		kind   Kind
		source string
		want   string
	}{
		"unknown variable":      {When, `parms.replicas > 3`, `1:1: undeclared reference 'parms'; did you mean "params"?`},
		"unknown parameter":     {When, `true && params.replica > 3`, `1:15: there is no params.replica; did you mean "replicas"?`},
		"unknown nested":        {When, `params.backup.corn == ''`, `1:14: there is no params.backup.corn; did you mean "cron"?`},
		"unknown old":           {When, `old.params.replica == 1`, `1:11: there is no old.params.replica; did you mean "replicas"?`},
		"unknown changed":       {When, `changed.replica`, `1:8: there is no changed.replica; did you mean "replicas"?`},
		"unknown object":        {Until, `objects.pod.size() > 1`, `1:8: there is no objects.pod; did you mean "pods"?`},
		"unknown instance":      {When, `instance.nam == ''`, `1:9: there is no instance.nam; did you mean "name"?`},
		"unknown in version":    {When, `version.appVersion == ''`, `1:8: there is no version.appVersion; there is app, name`},
		"self elsewhere":        {When, `self.status.phase == ''`, `1:1: self is not available here; there is params, old, changed, version, instance, run, objects`},
		"objects in a rule":     {Rule, `objects.pods.size() > 0`, `1:1: objects is not available here; there is params, old`},
		"now":                   {When, `now() > timestamp('2026-01-01T00:00:00Z')`, `1:4: undeclared reference 'now'; there is params, old, changed, version, instance, run, objects`},
		"function of a value":   {When, `ready(objects.sts)`, `1:6: ready() is called on an object, as in x.ready()`},
		"type":                  {When, `params.replicas + 'a' == ''`, `1:17: + does not work with int, string`},
		"function of a list":    {When, `objects.pods.ready()`, `1:19: ready() does not work with list(dyn).()`},
		"result of a condition": {When, `params.replicas`, `the expression must yield true or false, not int`},
		"result of objects":     {Objects, `params.storage`, `the expression must yield a list of objects, not string`},
		"syntax":                {When, `params.replicas >`, `1:18: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`},
		"second line":           {When, "true &&\n  parms.x", `2:3: undeclared reference 'parms'; did you mean "params"?`},
		"empty":                 {When, " \n", `the expression is empty`},
		"too long":              {When, strings.Repeat("a", 5000), `the expression has 5000 characters; at most 4096 are allowed`},
		"regular expression":    {When, `'a'.matches('(?=a)')`, "1:13: invalid matches argument"},
		"time zone by name":     {Value, `timestamp('2026-01-01T00:00:00Z').getHours('Europe/Berlin')`, `1:43: getHours() does not work with timestamp.(string)`},
		"double and int":        {When, `params.ratio == 2`, `1:14: == does not work with double, int; write 2.0 instead of 2, or convert with double() or int()`},
	}
	e := env(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := e.Compile(tc.kind, tc.source)
			if err == nil {
				t.Fatal("compiled")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeepSourceIsRefused(t *testing.T) {
	e := env(t)
	for _, source := range []string{
		strings.Repeat("(", 2000) + "1" + strings.Repeat(")", 2000),
		strings.Repeat("[", 2000) + strings.Repeat("]", 2000),
		strings.Repeat("!", 4000) + "true",
	} {
		if _, err := e.Compile(Value, source); err == nil && source[0] != '!' {
			t.Errorf("compiled %.10s…", source)
		}
	}
}

func TestReferences(t *testing.T) {
	cases := map[string]struct {
		source string
		want   References
	}{
		"params and objects": {`params.replicas > 1 && objects.pods.all(p, p.ready()) && params.zone == params.zone`,
			References{Params: []string{"replicas", "zone"}, Objects: []string{"pods"}}},
		"old":               {`old == null || old.params.storage == params.storage || old.version.app == ''`, References{Params: []string{"storage"}, OldParams: []string{"storage"}}},
		"changed":           {`changed.replicas || has(params.zone)`, References{Params: []string{"zone"}, Changed: []string{"replicas"}}},
		"optional select":   {`objects.?sts.metadata.hasValue()`, References{Objects: []string{"sts"}}},
		"as a whole":        {`dyn(params)['zone'] == dyn(objects)['x'] || dyn(old.params)['x'] == ''`, References{Params: []string{"*"}, OldParams: []string{"*"}, Objects: []string{"*"}}},
		"none":              {`version.name == instance.name`, References{}},
		"null, not whole":   {`old.params != null`, References{}},
		"within a macro":    {`[1].exists(i, i == params.replicas)`, References{Params: []string{"replicas"}}},
		"old as a whole":    {`dyn(old) == 3`, References{OldParams: []string{"*"}}},
		"nested parameters": {`params.backup.cron == ''`, References{Params: []string{"backup"}}},
	}
	e := env(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := e.Compile(When, tc.source)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, p.References()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
