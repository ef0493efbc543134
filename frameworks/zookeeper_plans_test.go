// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworks_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
)

// compiled is the version as the controllers see it: every expression, template,
// task and plan checked, and rendered with extreme parameters.
func compiled(t *testing.T, zk *zookeeper) *graph.Version {
	t.Helper()
	v, errs := graph.Compile(&zk.Version.Spec)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return v
}

func TestVersionsCompile(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		v := compiled(t, zk)
		if want := []string{"deploy", "update", "upgrade", "cleanup", "verify", "recreate"}; !slices.Equal(v.PlanNames, want) {
			t.Errorf("the plans are %v", v.PlanNames)
		}
	})
}

func TestUpgradePaths(t *testing.T) {
	tests := map[string]map[string]bool{
		"3.8.4": {"3.8.0": true, "3.8.4": true, "3.9.3": false, "3.7.2": false},
		"3.9.3": {"3.8.0": true, "3.8.4": true, "3.9.0": true, "3.7.2": false, "3.10.0": false},
	}
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		v := compiled(t, zk)
		for from, allowed := range tests[zk.Version.Spec.Version] {
			if err := v.UpgradableFrom(from); (err == nil) != allowed {
				t.Errorf("an upgrade from %s: %v", from, err)
			}
		}
	})
}

func TestRulesOverParameters(t *testing.T) {
	tests := map[string]struct {
		now, old map[string]any
		version  string
		want     string
	}{
		"defaults":         {nil, nil, "", ""},
		"no change":        {nil, map[string]any{}, "", ""},
		"one size up":      {map[string]any{"nodeCount": int64(5)}, map[string]any{}, "", ""},
		"one size down":    {map[string]any{"nodeCount": int64(1)}, map[string]any{}, "", ""},
		"two sizes up":     {map[string]any{"nodeCount": int64(7)}, map[string]any{}, "", "one size at a time"},
		"two sizes down":   {nil, map[string]any{"nodeCount": int64(7)}, "", "one size at a time"},
		"seven at once":    {map[string]any{"nodeCount": int64(7)}, nil, "", ""},
		"too little":       {map[string]any{"memory": "255Mi"}, nil, "", "memory must be at least 256Mi"},
		"just enough":      {map[string]any{"memory": "0.25Gi"}, nil, "", ""},
		"a port in use":    {map[string]any{"metricsPort": int64(2181)}, nil, "3.9.3", "metricsPort is a port of ZooKeeper itself"},
		"a port not in it": {map[string]any{"metricsPort": int64(2182)}, nil, "3.9.3", ""},
	}
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		v := compiled(t, zk)
		for name, test := range tests {
			if test.version != "" && test.version != zk.Version.Spec.Version {
				continue
			}
			var old params.Values
			if test.old != nil {
				old = params.Values(zk.defaults(t, test.old))
			}
			err := v.Validate(params.Values(zk.defaults(t, test.now)), old, field.NewPath("spec", "parameters")).ToAggregate()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// inputs are those of a run that follows one with old parameters; nil before the first.
func (zk *zookeeper) inputs(t *testing.T, v *graph.Version, now, old map[string]any) *revision.Inputs {
	t.Helper()
	in := v.SampleInputs(params.Values(zk.defaults(t, now)))
	if old != nil {
		in.Old = revision.Values(zk.defaults(t, old))
		in.OldVersion = &revision.VersionName{Name: "3.8.4", App: "3.8.4"}
		in.Changed = slices.Sorted(maps.Keys(now))
	}
	return in
}

// TestConditions lists which conditional phases and steps run when.
// everywhere is every node of a plan: each has its condition evaluated.
func everywhere(p *graph.Plan) map[string]bool {
	all := map[string]bool{}
	p.Program.Root.Walk(func(n *engine.Node) { all[n.Path] = true })
	return all
}

func TestConditions(t *testing.T) {
	tests := map[string]struct {
		plan     string
		now, old map[string]any
		want     map[string]bool
	}{
		"first deploy":          {"deploy", nil, nil, map[string]bool{"clear": true}},
		"deploy again":          {"deploy", nil, map[string]any{}, map[string]bool{"clear": false}},
		"update":                {"update", map[string]any{"cpu": "1"}, map[string]any{}, map[string]bool{"preflight": true, "resize": false}},
		"update, unchecked":     {"update", map[string]any{"preflight": false}, map[string]any{}, map[string]bool{"preflight": false, "resize": false}},
		"resize":                {"update", map[string]any{"nodeCount": int64(5)}, map[string]any{}, map[string]bool{"preflight": true, "resize": true}},
		"resize, then not":      {"update", map[string]any{"nodeCount": int64(3)}, map[string]any{}, map[string]bool{"preflight": true, "resize": true}},
		"upgrade":               {"upgrade", nil, map[string]any{}, map[string]bool{"preflight": true}},
		"update before success": {"update", nil, nil, map[string]bool{"preflight": true, "resize": false}},
	}
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		v := compiled(t, zk)
		for name, test := range tests {
			got := map[string]bool{}
			for where, truth := range v.Conditions(v.Plans[test.plan], everywhere(v.Plans[test.plan]), zk.inputs(t, v, test.now, test.old), graph.Identity{Name: "zk", Namespace: "tenant"}, nil) {
				if truth.Err != "" {
					t.Errorf("%s: %s: %s", name, where, truth.Err)
				}
				got[where[strings.LastIndex(where, "/")+1:]] = truth.Value
			}
			if !maps.Equal(got, test.want) {
				t.Errorf("%s: the conditions are %v", name, got)
			}
		}
	})
}

func TestUpgradeKeepsTheSize(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		v := compiled(t, zk)
		id := graph.Identity{Name: "zk", Namespace: "tenant"}
		if got := v.Require(v.Plans["upgrade"], zk.inputs(t, v, map[string]any{"cpu": "1"}, map[string]any{}), id, nil); got.Message != "" {
			t.Errorf("an upgrade with a change of CPU: %+v", got)
		}
		if got := v.Require(v.Plans["upgrade"], zk.inputs(t, v, map[string]any{"nodeCount": int64(5)}, map[string]any{}), id, nil); !strings.Contains(got.Message, "one after the other") {
			t.Errorf("an upgrade with a change of size: %+v", got)
		}
	})
}
