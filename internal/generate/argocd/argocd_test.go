// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package argocd

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/kustomize"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/testing/sample"
	"kudo.dev/kudo/internal/validation"
)

// execute runs a script as Argo CD does: over obj, with the base and table libraries and an
// os that only tells the time. There is no string library.
func execute(t *testing.T, script string, object map[string]any) any {
	t.Helper()
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	l.PreloadModule("os", func(l *lua.LState) int {
		l.Push(l.SetFuncs(l.NewTable(), map[string]lua.LGFunction{"date": func(l *lua.LState) int {
			if format := l.CheckString(1); format != "!%Y%m%d%H%M%S" {
				l.RaiseError("unexpected format %s", format)
			}
			l.Push(lua.LString(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Format("20060102150405")))
			return 1
		}}))
		return 1
	})
	l.SetGlobal("obj", toLua(l, object))
	if err := l.DoString(script); err != nil {
		t.Fatalf("%v in:\n%s", err, script)
	}
	return toGo(l.Get(-1))
}

func toLua(l *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case bool:
		return lua.LBool(v)
	case string:
		return lua.LString(v)
	case int64:
		return lua.LNumber(v)
	case []any:
		out := l.NewTable()
		for _, item := range v {
			out.Append(toLua(l, item))
		}
		return out
	case map[string]any:
		out := l.NewTable()
		for k, item := range v {
			out.RawSetString(k, toLua(l, item))
		}
		return out
	}
	return lua.LNil
}

func toGo(v lua.LValue) any {
	switch v := v.(type) {
	case lua.LBool:
		return bool(v)
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return int64(v)
	case *lua.LTable:
		if v.MaxN() > 0 {
			var out []any
			for i := 1; i <= v.MaxN(); i++ {
				out = append(out, toGo(v.RawGetInt(i)))
			}
			return out
		}
		out := map[string]any{}
		v.ForEach(func(k, item lua.LValue) { out[k.String()] = toGo(item) })
		return out
	}
	return nil
}

func data(t *testing.T, s *generate.Source) map[string]string {
	t.Helper()
	out, err := Data(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func key(part string, object map[string]any) string {
	group, _, _ := strings.Cut(object["apiVersion"].(string), "/")
	return "resource.customizations." + part + "." + group + "_" + object["kind"].(string)
}

// Argo CD shows every state as it is, and says why.
func TestHealthTellsEveryState(t *testing.T) {
	scripts := data(t, sample.ZooKeeper(t, "3.9.3"))
	judged := map[string]bool{}
	for _, s := range sample.States() {
		script := scripts[key("health", s.Object)]
		judged[s.Kind] = true
		got, ok := execute(t, script, s.Object).(map[string]any)
		if !ok || got["status"] != s.Argo {
			t.Errorf("%s, %s: %v, want %s", s.Kind, s.Name, got, s.Argo)
		}
		if message, _ := got["message"].(string); message == "" {
			t.Errorf("%s, %s: no message", s.Kind, s.Name)
		}
	}
	bare := map[string]any{"apiVersion": "packages.kudo.dev/v1alpha1", "kind": "ZooKeeper", "metadata": map[string]any{"name": "one"}, "spec": map[string]any{}}
	if got, ok := execute(t, scripts[key("health", bare)], bare).(map[string]any); !ok || got["status"] != "Progressing" {
		t.Errorf("without a status: %v", got)
	}
	if len(judged) != 5 {
		t.Errorf("only the kinds %v were judged", slices.Sorted(maps.Keys(judged)))
	}
}

// script is what stands under actions.
type script struct {
	Discovery   string `json:"discovery.lua"`
	Definitions []struct {
		Name   string `json:"name"`
		Action string `json:"action.lua"`
	} `json:"definitions"`
}

func actionsOf(t *testing.T, s *generate.Source, object map[string]any) (enabled []string, all map[string]string) {
	t.Helper()
	var parsed script
	if err := yaml.UnmarshalStrict([]byte(data(t, s)[key("actions", object)]), &parsed); err != nil {
		t.Fatal(err)
	}
	all = map[string]string{}
	for _, d := range parsed.Definitions {
		all[d.Name] = d.Action
	}
	found, ok := execute(t, parsed.Discovery, object).(map[string]any)
	if !ok {
		t.Fatalf("discovery gives %v", found)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("actions without a script, or the other way round (-scripts +found):\n%s", diff)
	}
	for name, a := range found {
		if a.(map[string]any)["disabled"] != true {
			enabled = append(enabled, name)
		}
	}
	slices.Sort(enabled)
	return enabled, all
}

func state(t *testing.T, kind, name string) map[string]any {
	t.Helper()
	for _, s := range sample.States() {
		if s.Kind == kind && s.Name == name {
			return s.Object
		}
	}
	t.Fatalf("there is no state %s of a %s", name, kind)
	return nil
}

// Only what Kudo would carry out is offered.
func TestActionsFitTheState(t *testing.T) {
	zk := sample.ZooKeeper(t, "3.9.3")
	runs := []string{"run-deploy", "run-recreate", "run-rollback", "run-update", "run-upgrade", "run-verify"}
	tests := []struct {
		kind, state string
		want        []string
	}{
		{"PlanExecution", "running", []string{"cancel", "cancel-undo", "pause"}},
		{"PlanExecution", "paused", []string{"cancel", "cancel-undo", "resume"}},
		{"PlanExecution", "awaiting approval", []string{"approve", "cancel", "cancel-undo", "pause"}},
		{"PlanExecution", "stalled", []string{"cancel", "cancel-undo", "pause", "retry"}},
		{"PlanExecution", "succeeded", nil},
		{"PlanExecution", "cancelled", nil},
		{"PlanExecution", "never seen", []string{"cancel", "cancel-undo", "pause"}},
		{"Instance", "ready", []string{"suspend"}},
		{"ZooKeeper", "ready", append(slices.Clone(runs), "suspend")},
		{"ZooKeeper", "never seen", []string{"suspend"}},
		{"ZooKeeper", "being deleted", []string{"suspend"}},
	}
	for _, tt := range tests {
		got, _ := actionsOf(t, zk, state(t, tt.kind, tt.state))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", tt.kind, tt.state, diff)
		}
	}
}

var requestID = regexp.MustCompile(`^argocd-\d+-[a-z-]+$`)

// Requests are appended, with an id of their own, in a form that admission takes.
func TestRequestsAreAppended(t *testing.T) {
	pe := state(t, "PlanExecution", "running")
	pe["spec"] = map[string]any{"instance": "zookeeper-one", "plan": "update"}
	_, all := actionsOf(t, sample.ZooKeeper(t, "3.9.3"), pe)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		next, ok := execute(t, all[name], pe).(map[string]any)
		if !ok {
			t.Fatalf("%s gives %v", name, next)
		}
		pe["spec"] = next["spec"]
	}
	raw, err := yaml.Marshal(map[string]any{"spec": pe["spec"]})
	if err != nil {
		t.Fatal(err)
	}
	var got v1alpha1.PlanExecution
	if err := yaml.UnmarshalStrict(raw, &got); err != nil {
		t.Fatal(err)
	}
	if errs := validation.PlanExecution(&got, false, nil); len(errs) > 0 {
		t.Error(errs.ToAggregate())
	}
	var actions []string
	ids := map[string]bool{}
	for _, r := range got.Spec.Requests {
		actions = append(actions, strings.TrimSpace(r.Action+" "+r.Mode))
		ids[r.ID] = true
		if !requestID.MatchString(r.ID) || r.Reason == "" || r.By != "" {
			t.Errorf("request %+v", r)
		}
	}
	if diff := cmp.Diff([]string{"approve", "cancel", "cancel Undo", "pause", "resume", "retry"}, actions); diff != "" || len(ids) != 6 {
		t.Errorf("%d ids, actions (-want +got):\n%s", len(ids), diff)
	}
}

// A run is an execution of the plan, with a name that fits.
func TestRunsAreExecutions(t *testing.T) {
	zk := sample.ZooKeeper(t, "3.9.3")
	o := state(t, "ZooKeeper", "ready")
	longest := strings.Repeat("i", 40)
	o["status"].(map[string]any)["instance"] = longest
	_, all := actionsOf(t, zk, o)
	version, errs := graph.Compile(&zk.FrameworkVersion.Spec)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	count := 0
	for name, source := range all {
		plan, ok := strings.CutPrefix(name, "run-")
		if !ok {
			continue
		}
		count++
		list, _ := execute(t, source, o).([]any)
		if len(list) != 1 || list[0].(map[string]any)["operation"] != "create" {
			t.Fatalf("%s gives %v", name, list)
		}
		raw, err := yaml.Marshal(list[0].(map[string]any)["resource"])
		if err != nil {
			t.Fatal(err)
		}
		var pe v1alpha1.PlanExecution
		if err := yaml.UnmarshalStrict(raw, &pe); err != nil {
			t.Fatal(err)
		}
		if pe.Spec.Plan != plan || pe.Spec.Instance != longest || pe.Namespace != "prod" || len(pe.Name) > 63 {
			t.Errorf("%s makes %+v", name, pe)
		}
		if errs := validation.PlanExecution(&pe, false, version); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs.ToAggregate())
		}
	}
	if count != 6 {
		t.Errorf("%d runs", count)
	}
}

func TestSuspensionIsAField(t *testing.T) {
	o := state(t, "Instance", "ready")
	_, all := actionsOf(t, sample.ZooKeeper(t, "3.9.3"), o)
	for name, want := range map[string]bool{"suspend": true, "unsuspend": false} {
		next, _ := execute(t, all[name], o).(map[string]any)
		if got := next["spec"].(map[string]any)["suspend"]; got != want {
			t.Errorf("%s sets %v", name, got)
		}
		enabled, _ := actionsOf(t, sample.ZooKeeper(t, "3.9.3"), next)
		if other := map[bool]string{true: "unsuspend", false: "suspend"}[want]; !slices.Equal(enabled, []string{other}) {
			t.Errorf("after %s there is %v", name, enabled)
		}
	}
}

// The Applications name directories that generate kustomize makes, and keep the rights.
func TestApplicationsDeliverTheKustomizations(t *testing.T) {
	s := sample.Wide(t)
	files, err := Files(s, "prod")
	if err != nil {
		t.Fatal(err)
	}
	set, err := kustomize.Files(s, "prod")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"application-framework.yaml", "application.yaml"} {
		var app struct {
			Spec struct {
				Source struct {
					Path      string
					Kustomize struct{ Patches []any }
				}
			}
		}
		if err := yaml.Unmarshal(files[name], &app); err != nil {
			t.Fatal(err)
		}
		dir := strings.TrimPrefix(app.Spec.Source.Path, "wide/")
		if set[dir+"/kustomization.yaml"] == nil {
			t.Fatalf("%s: generate kustomize makes no %s", name, dir)
		}
		disk := filesys.MakeFsInMemory()
		for path, raw := range set {
			if err := disk.WriteFile("/set/"+path, raw); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := yaml.Marshal(map[string]any{"resources": []any{"../set/" + dir}, "patches": app.Spec.Source.Kustomize.Patches})
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
			kept := r.GetAnnotations()["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
			if rights := strings.Contains(r.GetKind(), "Role") || r.GetKind() == "ServiceAccount"; kept != rights {
				t.Errorf("%s: %s %s is kept: %v", name, r.GetKind(), r.GetName(), kept)
			}
		}
	}
}
