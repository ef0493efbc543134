// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/params"
)

var zk = Identity{Name: "zk", Namespace: "prod", UID: "u-1"}

func TestRenderTask(t *testing.T) {
	v := mustCompile(t, parse(t, app))
	in := v.SampleInputs(params.Values{"size": int64(5), "mode": "slow"})
	rendered, err := v.RenderTask(v.tasks["config"], in, zk, Run{ID: "run-1", Attempt: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := rendered[0].Object
	if len(rendered) != 1 || rendered[0].Template != "config.yaml" || o.GetName() != "zk-config" || o.GetNamespace() != "prod" {
		t.Errorf("%d objects, first %s/%s of %s", len(rendered), o.GetNamespace(), o.GetName(), rendered[0].Template)
	}
	want := map[string]string{
		"kudo.dev/instance": "zk", "app.kubernetes.io/managed-by": "kudo",
		"app.kubernetes.io/name": "app", "app.kubernetes.io/instance": "zk",
	}
	if diff := cmp.Diff(want, o.GetLabels()); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"size": "5", "mode": "slow"}, o.Object["data"]); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// Nothing that varies by run, version or build: pods would restart for nothing.
func TestObjectsDoNotVaryByRunOrVersion(t *testing.T) {
	v := mustCompile(t, parse(t, app))
	newer := mustCompile(t, changedApp(t, func(s *spec) { s.Version = "2.0.1" }))
	values := params.Values{"size": int64(5), "mode": "slow"}
	first, err := v.RenderTask(v.tasks["config"], v.SampleInputs(values), zk, Run{ID: "a", Trigger: "x", Attempt: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newer.RenderTask(newer.tasks["config"], newer.SampleInputs(values), zk, Run{ID: "b", Trigger: "y", Attempt: 7}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first[0].Object, second[0].Object); diff != "" {
		t.Errorf("the object varies (-first +second):\n%s", diff)
	}
}

func TestAJobSeesItsRun(t *testing.T) {
	v := mustCompile(t, parse(t, app))
	rendered, err := v.RenderTask(v.tasks["work"], v.SampleInputs(params.Values{"size": int64(1), "mode": "m"}), zk, Run{Attempt: 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := rendered[0].Object.MarshalJSON()
	if err != nil || !strings.Contains(string(raw), `"args":["4"]`) {
		t.Errorf("%s, %v: want the attempt", raw, err)
	}
}

// The cluster knows better than the built-in table which kinds exist and where.
func TestTheGateAsksTheCluster(t *testing.T) {
	v := mustCompile(t, changedApp(t, template("apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}")))
	in := v.SampleInputs(params.Values{"size": int64(1), "mode": "m"})
	tests := map[string]struct {
		namespaced, known bool
		want              string
	}{
		"namespaced": {true, true, ""},
		"cluster":    {false, true, "is cluster-scoped; declare it"},
		"unknown":    {false, false, "is not known to the cluster"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := v.RenderTask(v.tasks["more"], in, zk, Run{}, func(schema.GroupKind) (bool, bool) { return tc.namespaced, tc.known })
			got := ""
			if err != nil {
				got = err.Error()
			}
			if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("error %q, want %q", got, tc.want)
			}
		})
	}
}

func TestPatchesApplyBeforeLabels(t *testing.T) {
	v := mustCompile(t, changedApp(t, func(s *spec) {
		applyTask(s).Apply.Patches = []v1alpha1.KustomizePatch{{
			Patch: `[{"op": "add", "path": "/data/more", "value": "yes"}]`, Target: &v1alpha1.PatchTarget{Kind: "ConfigMap"},
		}}
	}))
	rendered, err := v.RenderTask(v.tasks["config"], v.SampleInputs(params.Values{"size": int64(1), "mode": "m"}), zk, Run{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := rendered[0].Object.Object["data"].(map[string]any)
	if data["more"] != "yes" || rendered[0].Object.GetLabels()[v1alpha1.LabelInstance] != "zk" || rendered[0].Template != "config.yaml" {
		t.Errorf("patched object %v of %q", rendered[0].Object.Object, rendered[0].Template)
	}
}

func TestDesiredDigest(t *testing.T) {
	v := mustCompile(t, parse(t, app))
	values := func(pairs ...string) map[string]apiextensionsv1.JSON {
		out := map[string]apiextensionsv1.JSON{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = *jsonOf(pairs[i+1])
		}
		return out
	}
	digest := func(v *Version, set map[string]apiextensionsv1.JSON) string {
		t.Helper()
		_, d, err := v.Desired(set)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := digest(v, nil)
	same := map[string]map[string]apiextensionsv1.JSON{
		"the default spelled out": values("size", "3"),
		"the same number":         values("size", "3.0", "mode", `"fast"`),
	}
	for name, set := range same {
		if got := digest(v, maps.Clone(set)); got != base {
			t.Errorf("%s: digest %s, want %s", name, got, base)
		}
	}
	if digest(v, values("size", "4")) == base {
		t.Error("another value has the same digest")
	}
	other := mustCompile(t, changedApp(t, func(s *spec) { s.Description = "edited" }))
	if digest(other, nil) == base {
		t.Error("another version has the same digest")
	}
	if again := digest(mustCompile(t, parse(t, app)), nil); again != base {
		t.Error("the digest differs from one compilation to the next")
	}
}

func TestConditionsNeedAValue(t *testing.T) {
	v := mustCompile(t, changedApp(t, func(s *spec) {
		mainPhase(s).When = "params.size > 2"
		firstStep(s).When = "old.params.size < params.size"
		deployPlan(s).Require = []v1alpha1.Rule{{Rule: "params.size != 4", Message: "four is no good"}}
	}))
	plan := v.Plans["deploy"]
	in := v.SampleInputs(params.Values{"size": int64(4), "mode": "m"})
	when := v.Conditions(plan, map[string]bool{"main": true, "main/config": true}, in, zk, nil)
	if when["main"] != (engine.Truth{Value: true}) || when["main/config"].Err == "" {
		t.Errorf("conditions %+v: want true, and an error for what has no value on the first deploy", when)
	}
	o := v.Require(plan, in, zk, nil)
	if o.Class != engine.OutcomeUser || o.Reason != v1alpha1.ReasonRequirement || o.Message != "four is no good" {
		t.Errorf("requirement %+v", o)
	}
}

func TestTheCacheCompilesOncePerDigest(t *testing.T) {
	cache := NewCache()
	first, _ := cache.Compile(parse(t, app))
	second, _ := cache.Compile(parse(t, app))
	if first == nil || first != second {
		t.Error("the same spec was compiled twice")
	}
	_, errs := cache.Compile(changedApp(t, func(s *spec) { s.Version = "x" }))
	_, again := cache.Compile(changedApp(t, func(s *spec) { s.Version = "x" }))
	if len(errs) == 0 || len(again) != len(errs) {
		t.Error("errors are not remembered")
	}
}
