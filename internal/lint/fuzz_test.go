// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"io/fs"
	"runtime"
	"slices"
	"testing"
	"testing/fstest"
	"time"
)

// bounded fails where a check takes longer or more memory than any package may cost.
func bounded(t *testing.T, check func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	check()
	runtime.ReadMemStats(&after)
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %s", d)
	}
	if n := after.HeapInuse; n > before.HeapInuse+1<<30 {
		t.Errorf("holds %d MiB more", (n-before.HeapInuse)>>20)
	}
}

func checkAll(t *testing.T, fsys fs.FS) {
	t.Helper()
	bounded(t, func() {
		first := Check(fsys, Options{})
		for _, f := range first {
			if f.ID == "" || f.File == "" || f.Line < 0 || f.Message == "" {
				t.Errorf("%+v", f)
			}
		}
		if again := Check(fsys, Options{}); !slices.Equal(first, again) {
			t.Errorf("two checks differ:\n%+v\n%+v", first, again)
		}
		for _, f := range Check(fsys, Options{Older: fsys}) {
			if f.ID == "KUDO177" || f.ID == "KUDO179" || f.ID == "KUDO180" {
				t.Errorf("a package differs from itself: %+v", f)
			}
		}
	})
}

// FuzzPackage: whatever the files of a package hold, lint ends without a panic and says the
// same twice.
func FuzzPackage(f *testing.F) {
	good := base(f)
	f.Add(string(good[fw].Data), string(good[prm].Data), string(good[set].Data), string(good[tpl].Data))
	f.Add("framework: {name: a}\nversion: {version: 1.0.0}\n", "- {name: '(', schema: {type: integer}}\n", "{{ .Params.a }}", "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}")
	f.Add("framework: {name: a}\nversion:\n  version: 1.0.0\n", "- name: a\n  default: b\n", "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Params.a }}}\nspec: []\n", "# kudo:ignore\n")
	f.Fuzz(func(t *testing.T, framework, parameters, template, block string) {
		fsys := fstest.MapFS{}
		for name, text := range map[string]string{fw: framework, prm: parameters, "templates/a.yaml": template, tpl: block} {
			fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		}
		checkAll(t, fsys)
	})
}

// small is a package of one template, so that there is time for many objects.
const small = `framework: {name: a}
version:
  version: 1.0.0
  tasks: [{name: a, apply: {templates: [front.yaml]}}]
  plans: [{name: deploy, phases: [{name: a, steps: [{name: a, tasks: [{task: a}]}]}]}]
`

// FuzzObject: whatever object a template renders, no rule panics on it.
func FuzzObject(f *testing.F) {
	good := base(f)
	for _, name := range []string{cfg, svc, set, front, job} {
		f.Add(string(good[name].Data))
	}
	for _, c := range slices.Concat(templateCases, podCases, clusterCases) {
		for _, e := range c.edits {
			if e.file == front {
				f.Add(string(base(f, e)[front].Data))
			}
		}
	}
	f.Add("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec: {replicas: x, template: {spec: {containers: [1, {ports: {}}]}}, volumeClaimTemplates: [[], {metadata: 1}]}\n")
	f.Add("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules: [{verbs: '*'}, [], null]\n")
	f.Fuzz(func(t *testing.T, template string) {
		fsys := fstest.MapFS{}
		for name, text := range map[string]string{fw: small, tpl: string(good[tpl].Data), prm: string(good[prm].Data), front: template} {
			fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		}
		checkAll(t, fsys)
	})
}
