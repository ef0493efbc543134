// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func withOutputs(t *testing.T, outputs ...v1alpha1.Output) *spec {
	t.Helper()
	return changedApp(t, func(s *spec) {
		s.Outputs = outputs
		s.Observe = []v1alpha1.Observation{
			{Name: "service", APIVersion: "v1", Kind: "Service", ObjectName: "${instance.name}"},
			{Name: "secret", APIVersion: "v1", Kind: "Secret", ObjectName: "x"},
		}
	})
}

// What can be told is told; what can not is left out and named, and nothing fails.
func TestOutputs(t *testing.T) {
	v := mustCompile(t, withOutputs(t,
		v1alpha1.Output{Name: "host", Value: `instance.name + "." + instance.namespace`},
		v1alpha1.Output{Name: "size", Value: "params.size"},
		v1alpha1.Output{Name: "all", Value: `{"size": params.size, "list": [1, 2.5]}`},
		v1alpha1.Output{Name: "ip", Value: "objects.service.status.ip"},
		v1alpha1.Output{Name: "huge", Value: `"x".replace("x", "xxxxxxxxxxxxxxxx").replace("x", "xxxxxxxxxxxxxxxx").replace("x", "xxxxxxxxxxxxxxxx").replace("x", "xxxxxxxxxxxxxxxx")`},
	))
	if diff := cmp.Diff([]string{"service"}, v.OutputsNeed()); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	values, err := v.Params.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	in := v.SampleInputs(values)
	id := Identity{Name: "zk", Namespace: "prod"}
	texts := func(objects map[string]any) (map[string]string, []string) {
		got, problems := v.Outputs(in, id, objects)
		out := map[string]string{}
		for name, value := range got {
			out[name] = string(value.Raw)
		}
		return out, problems
	}
	got, problems := texts(map[string]any{"service": nil})
	want := map[string]string{"host": `"zk.prod"`, "size": "3", "all": `{"list":[1,2.5],"size":3}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(problems) != 2 || !strings.HasPrefix(problems[0], "output ip: ") || !strings.Contains(problems[1], "output huge takes 65538 bytes: one may have 16384") {
		t.Errorf("problems %q", problems)
	}
	got, problems = texts(map[string]any{"service": map[string]any{"status": map[string]any{"ip": "10.0.0.1"}}})
	if got["ip"] != `"10.0.0.1"` || len(problems) != 1 {
		t.Errorf("ip %s, problems %q", got["ip"], problems)
	}
}

func TestOutputsThatAreRefused(t *testing.T) {
	tests := map[string]struct {
		outputs []v1alpha1.Output
		want    string
	}{
		"a Secret":     {[]v1alpha1.Output{{Name: "o", Value: "objects.secret.data"}}, "reads objects.secret, a Secret"},
		"twice":        {[]v1alpha1.Output{{Name: "o", Value: "1"}, {Name: "o", Value: "2"}}, "Duplicate value"},
		"no value":     {[]v1alpha1.Output{{Name: "o"}}, "spec.outputs[0].value: Required value"},
		"no parameter": {[]v1alpha1.Output{{Name: "o", Value: "params.sise"}}, "sise"},
	}
	for name, tc := range tests {
		_, errs := Compile(withOutputs(t, tc.outputs...))
		if len(errs) == 0 || !strings.Contains(errs.ToAggregate().Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, errs, tc.want)
		}
	}
}
