// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package revision

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// at writes "name task template [uid]" as an object of the content at rest.
func at(lines ...string) []Object {
	var out []Object
	for _, line := range lines {
		f := strings.Fields(line)
		o := Object{Task: f[1], Template: f[2], ObjectReference: v1alpha1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: "n", Name: f[0]}}
		if strings.HasPrefix(f[0], "data-") {
			o.Kind = "PersistentVolumeClaim"
		}
		if len(f) > 3 {
			o.UID = types.UID(f[3])
		}
		out = append(out, o)
	}
	return out
}

func lines(objects []Object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, strings.TrimSpace(strings.Join([]string{o.Name, o.Task, o.Template, string(o.UID)}, " ")))
	}
	return out
}

// The rules of pruning: an object goes only if every task that renders its template
// ran and no longer lists it.
func TestMerge(t *testing.T) {
	all := map[string][]string{"c.yaml": {"config"}, "s.yaml": {"server"}, "t.yaml": {"server"}}
	shared := map[string][]string{"c.yaml": {"config", "all"}}
	tests := map[string]struct {
		before     []string
		applied    []string
		tasks      []string
		deleted    []string
		known      map[string][]string
		next, gone []string
	}{
		"the first run": {
			applied: []string{"a config c.yaml 1", "b server s.yaml 2"}, tasks: []string{"config", "server"}, known: all,
			next: []string{"a config c.yaml 1", "b server s.yaml 2"},
		},
		"a plan that touches one object prunes nothing else": {
			before: []string{"a config c.yaml 1", "b server s.yaml 2"}, applied: []string{"a config c.yaml 1"}, tasks: []string{"config"}, known: all,
			next: []string{"a config c.yaml 1", "b server s.yaml 2"},
		},
		"a skipped step keeps": {
			before: []string{"a config c.yaml 1"}, known: all,
			next: []string{"a config c.yaml 1"},
		},
		"a task that ran no longer lists it": {
			before: []string{"a config c.yaml 1", "b config c.yaml 2"}, applied: []string{"a config c.yaml 1"}, tasks: []string{"config"}, known: all,
			next: []string{"a config c.yaml 1"}, gone: []string{"b config c.yaml 2"},
		},
		"a task that did not end still wants it": {
			before: []string{"a config c.yaml 1", "b config c.yaml 2"}, applied: []string{"a config c.yaml 1"}, known: all,
			next: []string{"a config c.yaml 1", "b config c.yaml 2"},
		},
		"a template that is gone from the program": {
			before: []string{"a config old.yaml 1", "b server s.yaml 2"}, applied: []string{"b server s.yaml 2"}, tasks: []string{"server"}, known: all,
			next: []string{"b server s.yaml 2"}, gone: []string{"a config old.yaml 1"},
		},
		"a task that is gone from the program, newest first": {
			before: []string{"a old old.yaml 1", "b old old.yaml 2", "c server s.yaml 3"}, known: all,
			next: []string{"c server s.yaml 3"}, gone: []string{"b old old.yaml 2", "a old old.yaml 1"},
		},
		"a template that another task renders, which was skipped": {
			before: []string{"a config c.yaml 1"}, tasks: []string{"config"}, known: shared,
			next: []string{"a config c.yaml 1"},
		},
		"a template whose tasks all ran": {
			before: []string{"a config c.yaml 1"}, tasks: []string{"config", "all"}, known: shared,
			gone: []string{"a config c.yaml 1"},
		},
		"an object that moves to another task stays": {
			before: []string{"a old c.yaml 1"}, applied: []string{"a config c.yaml"}, tasks: []string{"config"}, known: all,
			next: []string{"a config c.yaml 1"},
		},
		"data stays whatever happens": {
			before: []string{"data-0 old c.yaml 1", "data-1 config c.yaml 2"}, tasks: []string{"config"}, known: all,
			next: []string{"data-0 old c.yaml 1", "data-1 config c.yaml 2"},
		},
		"a declared delete removes, also data": {
			before: []string{"a config c.yaml 1", "data-0 config c.yaml 2"}, deleted: []string{"/ConfigMap/n/a", "/PersistentVolumeClaim/n/data-0"}, known: all,
		},
		"deleted and not applied again": {
			before: []string{"a config c.yaml 1"}, applied: []string{"b server s.yaml 2"}, tasks: []string{"server"},
			deleted: []string{"/ConfigMap/n/a"}, known: all,
			next: []string{"b server s.yaml 2"},
		},
		"the order of the first apply is kept": {
			before:  []string{"a config c.yaml 1", "b server s.yaml 2"},
			applied: []string{"b server s.yaml 2", "a config c.yaml 9", "c server t.yaml 3"}, tasks: []string{"config", "server"}, known: all,
			next: []string{"a config c.yaml 9", "b server s.yaml 2", "c server t.yaml 3"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var previous *Applied
			if tc.before != nil {
				previous = &Applied{Objects: at(tc.before...)}
			}
			next, gone := Merge(previous, Change{
				Applied: at(tc.applied...), Tasks: tc.tasks, Deleted: tc.deleted, Listing: func(template string) []string { return tc.known[template] },
				Retained: func(r v1alpha1.ObjectReference) bool { return r.Kind == "PersistentVolumeClaim" },
			})
			if diff := cmp.Diff(tc.next, lines(next.Objects)); diff != "" {
				t.Errorf("content at rest (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.gone, lines(gone)); diff != "" {
				t.Errorf("to remove (-want +got):\n%s", diff)
			}
		})
	}
}
