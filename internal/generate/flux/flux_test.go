// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package flux

import (
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/generate/kustomize"
	"kudo.dev/kudo/internal/testing/sample"
)

// truth evaluates an expression over an object in an environment like Flux's.
func truth(t *testing.T, source string, o map[string]any) bool {
	t.Helper()
	env, err := cel.NewEnv(
		cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders(),
	)
	if err != nil {
		t.Fatal(err)
	}
	parsed, issues := env.Parse(source)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := env.Program(parsed)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := program.Eval(o)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	answer, ok := out.Value().(bool)
	if !ok {
		t.Fatalf("%s gives %v", source, out)
	}
	return answer
}

// verdict is what Flux makes of an object: what it has not seen is in progress, then failed
// comes before current.
func verdict(t *testing.T, e Expression, o map[string]any) string {
	t.Helper()
	observed, found, _ := unstructured.NestedInt64(o, "status", "observedGeneration")
	generation, _, _ := unstructured.NestedInt64(o, "metadata", "generation")
	switch {
	case found && observed != generation:
		return "InProgress"
	case truth(t, e.Failed, o):
		return "Failed"
	case truth(t, e.Current, o):
		return "Current"
	}
	return "InProgress"
}

// Flux sees every state as it is, by the expressions and, where these say no more than the
// conditions do, without them.
func TestExpressionsTellEveryState(t *testing.T) {
	expressions := map[string]Expression{}
	for _, e := range Expressions(sample.ZooKeeper(t, "3.9.3")) {
		expressions[e.Kind] = e
	}
	seen := map[string]bool{}
	for _, s := range sample.States() {
		seen[s.Kind] = true
		if got := verdict(t, expressions[s.Kind], s.Object); got != s.Flux {
			t.Errorf("%s, %s: %s, want %s", s.Kind, s.Name, got, s.Flux)
		}
		if s.ByExpression {
			continue
		}
		result, err := status.Compute(&unstructured.Unstructured{Object: s.Object})
		if err != nil || result.Status.String() != s.Flux {
			t.Errorf("%s, %s: kstatus says %v (%v), want %s", s.Kind, s.Name, result, err, s.Flux)
		}
	}
	if len(seen) != len(expressions) {
		t.Errorf("states of %d kinds, expressions for %d", len(seen), len(expressions))
	}
}

type object struct {
	Metadata struct{ Name string }
	Spec     struct {
		Path      string
		Timeout   string
		DependsOn []struct{ Name string }
		Patches   []any
		Exprs     []Expression `json:"healthCheckExprs"`
	}
}

// The object comes after the framework, from the directories that generate kustomize makes.
func TestTheObjectComesAfterTheFramework(t *testing.T) {
	s := sample.Wide(t)
	files, err := Files(s, "prod")
	if err != nil {
		t.Fatal(err)
	}
	var framework, wide object
	for name, into := range map[string]*object{"framework.yaml": &framework, "wide.yaml": &wide} {
		if err := yaml.Unmarshal(files[name], into); err != nil {
			t.Fatal(err)
		}
	}
	if len(wide.Spec.DependsOn) != 1 || wide.Spec.DependsOn[0].Name != framework.Metadata.Name {
		t.Errorf("it depends on %v, not on %s", wide.Spec.DependsOn, framework.Metadata.Name)
	}
	// Three applies of 10m, a wait of a default hour, and one of 3m.
	if wide.Spec.Timeout != "1h33m0s" {
		t.Errorf("time-out %s", wide.Spec.Timeout)
	}
	set, err := kustomize.Files(s, "prod")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []object{framework, wide} {
		dir := strings.TrimPrefix(o.Spec.Path, "./wide/")
		if _, ok := set[dir+"/kustomization.yaml"]; !ok {
			t.Errorf("generate kustomize makes no %s", dir)
		}
		if len(o.Spec.Exprs) == 0 {
			t.Errorf("%s has no expressions", o.Metadata.Name)
		}
	}
	kept(t, set, wide.Spec.Patches)
}

// kept checks that the patches keep the rights, and nothing else, from being pruned.
func kept(t *testing.T, set map[string][]byte, patches []any) {
	t.Helper()
	disk := filesys.MakeFsInMemory()
	for name, raw := range set {
		if err := disk.WriteFile("/set/"+name, raw); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := yaml.Marshal(map[string]any{"resources": []any{"../set/" + kustomize.OverlayDir}, "patches": patches})
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.WriteFile("/top/kustomization.yaml", raw); err != nil {
		t.Fatal(err)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/top")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range built.Resources() {
		rights := slices.Contains([]string{"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}, r.GetKind())
		if got := r.GetAnnotations()["kustomize.toolkit.fluxcd.io/prune"] == "disabled"; got != rights {
			t.Errorf("%s %s is kept: %v", r.GetKind(), r.GetName(), got)
		}
	}
}
