// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/forecast"
	"kudo.dev/kudo/internal/golden"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

func printer() (*session, *bytes.Buffer) {
	out := &bytes.Buffer{}
	return &session{Env: command.New(genericiooptions.IOStreams{Out: out, ErrOut: out})}, out
}

// example is a prediction with everything in it.
func example(t *testing.T) *prediction {
	t.Helper()
	set := object(t, "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: zk, namespace: ns}}")
	config := object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: zk-config, namespace: ns}}")
	claim := object(t, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: ns}}")
	rendered := func(o *unstructured.Unstructured) []graph.Rendered { return []graph.Rendered{{Object: o}} }
	return &prediction{
		Instance: "ns/zk", From: "1.0.0", To: "2.0.0", Plan: "upgrade", Changed: []string{"memory", "nodes"},
		Note: "plan backup runs: it ends first",
		forecast: &forecast.Forecast{
			Tasks: []forecast.Task{
				{Wave: 1, Path: "main/config/config", Step: "main/config", Kind: engine.TaskApply, Objects: rendered(config)},
				{Wave: 1, Path: "main/ask/approve", Step: "main/ask", Kind: engine.TaskApprove, Waits: "approval: look at it"},
				{Wave: 2, Path: "main/rest/wait", Step: "main/rest", Kind: engine.TaskWait, Waits: "1m0s"},
				{Wave: 3, Path: "main/set/set", Step: "main/set", Kind: engine.TaskApply, Objects: rendered(set)},
			},
			Skipped: []forecast.Skipped{{Path: "main/extra", When: "params.extra"}},
			Doubts:  []string{"main/seen is decided when its turn comes"},
		},
		changes: []forecast.Change{
			{Verb: forecast.Update, Object: set, Restarts: true, Diff: "@@ -1 +1 @@\n-a: 1\n+a: 2\n"},
			{Verb: forecast.Create, Object: config, Diff: "+all of it\n"},
			{Verb: forecast.Keep, Object: claim},
			{Verb: forecast.Update, Object: object(t, "{apiVersion: v1, kind: Service, metadata: {name: zk}}"), Remade: true},
			{Verb: forecast.Remove, Object: object(t, "{apiVersion: v1, kind: Secret, metadata: {name: old}}")},
		},
	}
}

// What people read before they answer, and what scripts read, is kept as it is.
func TestWhatAPreviewLooksLike(t *testing.T) {
	s, out := printer()
	for name, show := range map[string]func(){
		"change": func() { s.show(example(t), true) },
		"new": func() {
			p := example(t)
			p.From, p.Note, p.Changed = "", "", nil
			s.show(p, false)
		},
		"nothing": func() { s.show(&prediction{Instance: "ns/zk", From: "1", To: "1", Note: "nothing would run"}, true) },
		"json": func() {
			var o command.Output
			cmd := &cobra.Command{}
			o.AddFlags(cmd)
			if err := cmd.ParseFlags([]string{"-o", "json"}); err != nil {
				t.Fatal(err)
			}
			if err := o.Print(s.Env, example(t).answer(), nil); err != nil {
				t.Fatal(err)
			}
		},
		"lines": func() {
			s.Printf("%s\n", verdict{answer: example(t).answer()}.line())
			s.Printf("%s\n", verdict{answer: (&prediction{Instance: "ns/a", From: "1", To: "1", Note: "nothing would run"}).answer()}.line())
			s.Printf("%s\n", verdict{answer: (&prediction{Instance: "ns/b", From: "1", To: "2"}).answer(), Error: "the Instance would be refused:\n\x1b[2Jno"}.line())
		},
	} {
		t.Run(name, func(t *testing.T) {
			out.Reset()
			show()
			golden.Compare(t, "testdata/"+name+".golden", out.String())
		})
	}
}

// Of what is removed, only what nothing deletes stays.
func TestFates(t *testing.T) {
	ref := func(api, kind, name string) revision.Object {
		return revision.Object{ObjectReference: v1alpha1.ObjectReference{APIVersion: api, Kind: kind, Namespace: "ns", Name: name}}
	}
	applied := &revision.Applied{Objects: []revision.Object{
		ref("v1", "ConfigMap", "config"), ref("v1", "PersistentVolumeClaim", "data"), ref("v1", "PersistentVolumeClaim", "cache"), ref("v1", "PersistentVolumeClaim", "log"),
	}}
	task := func(kind engine.TaskKind, name string) forecast.Task {
		return forecast.Task{Kind: kind, Objects: []graph.Rendered{{Object: object(t, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: ns, name: "+name+"}}")}}}
	}
	const none = "- remove configmap/config\n  stays  persistentvolumeclaim/data\n  stays  persistentvolumeclaim/cache\n  stays  persistentvolumeclaim/log\n"
	const some = "- remove configmap/config\n  stays  persistentvolumeclaim/data\n- remove persistentvolumeclaim/cache\n  stays  persistentvolumeclaim/log\n"
	if got := fates(applied, nil); got != none {
		t.Errorf("without a cleanup:\n%s", got)
	}
	cleanup := &forecast.Forecast{Tasks: []forecast.Task{task(engine.TaskDelete, "cache"), task(engine.TaskDelete, "log"), task(engine.TaskApply, "log")}}
	if got := fates(applied, cleanup); got != some {
		t.Errorf("with a cleanup:\n%s", got)
	}
}

func TestWhatRightsLookLike(t *testing.T) {
	s, out := printer()
	r := rights{notes: []string{"the cluster has no kind Widget yet"}, all: []right{
		{object: object(t, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}"), verb: forecast.Keep},
		{object: object(t, "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}}"), verb: forecast.Update, rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"apps"}, Resources: []string{"deployments", "statefulsets"}, Verbs: []string{"get", "patch"}},
			{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}, ResourceNames: []string{"x", "y"}},
			{NonResourceURLs: []string{"/healthz"}, Verbs: []string{"get"}},
		}},
	}}
	r.show(s)
	(&rights{}).show(s)
	golden.Compare(t, "testdata/rights.golden", out.String())
}
