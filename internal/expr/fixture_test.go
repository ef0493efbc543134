// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/params"
)

func parameter(name, schema string, fallback ...string) v1alpha1.Parameter {
	p := v1alpha1.Parameter{Name: name, Schema: &apiextensionsv1.JSON{Raw: []byte(schema)}, Required: len(fallback) == 0}
	if len(fallback) > 0 && fallback[0] != "" {
		p.Default = &apiextensionsv1.JSON{Raw: []byte(fallback[0])}
	}
	return p
}

func schema(t testing.TB) *params.Schema {
	t.Helper()
	s, errs := params.Compile([]v1alpha1.Parameter{
		parameter("replicas", `{"type":"integer"}`),
		parameter("storage", `{"type":"string","format":"quantity"}`),
		parameter("ratio", `{"type":"number"}`),
		parameter("zone", `{"type":"string"}`, ""),
		parameter("limit", `{"type":"integer"}`, ""),
		parameter("hosts", `{"type":"array","items":{"type":"string"}}`),
		parameter("backup", `{"type":"object","properties":{"cron":{"type":"string"},"keep":{"type":"integer"}}}`),
		parameter("labels", `{"type":"object","additionalProperties":{"type":"string"}}`),
		parameter("port", `{"x-kubernetes-int-or-string":true}`),
	}, nil)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return s
}

func env(t testing.TB) *Env {
	t.Helper()
	e, err := NewEnv(Options{
		Parameters:   schema(t),
		Observations: []Observation{{Name: "sts", Single: true}, {Name: "pods"}, {Name: "gone", Single: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func pod(name, isReady, revision string, restartCount int64) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"name": name, "labels": map[string]any{"controller-revision-hash": revision}},
		"status": map[string]any{
			"conditions":        []any{map[string]any{"type": "Ready", "status": isReady}},
			"containerStatuses": []any{map[string]any{"restartCount": restartCount}, map[string]any{"restartCount": int64(1)}},
		},
	}
}

func vars() Vars {
	return Vars{
		Params: map[string]any{
			"replicas": int64(3), "storage": "8Gi", "ratio": int64(2), "zone": nil, "limit": nil,
			"hosts": []any{"a", "b"}, "backup": map[string]any{"cron": "0 * * * *"},
			"labels": map[string]any{"a.b/c": "d"}, "port": int64(80),
		},
		OldParams:  map[string]any{"replicas": int64(5), "storage": "8192Mi", "legacy": "x"},
		OldVersion: Version{Name: "1.0.0", App: "3.4.9"},
		Changed:    map[string]bool{"replicas": true},
		Version:    Version{Name: "1.1.0", App: "3.5.0"},
		Instance:   map[string]any{"name": "zk", "namespace": "prod", "generation": int64(2), "deployed": true},
		Run:        map[string]any{"trigger": "spec/1/abc"},
		Objects: map[string]any{
			"sts": map[string]any{
				"metadata": map[string]any{"name": "zk", "generation": int64(2)},
				"spec":     map[string]any{"replicas": int64(3)},
				"status":   map[string]any{"observedGeneration": int64(2), "updateRevision": "zk-2"},
			},
			"pods": []any{pod("zk-0", "True", "zk-2", 0), pod("zk-1", "True", "zk-1", 2), pod("zk-2", "False", "zk-1", 0)},
			"gone": nil,
		},
		Self: map[string]any{"status": map[string]any{"phase": "Running"}},
	}
}
