// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"strings"
	"testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func configMap(rest string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n" + rest
}

// Cases 1 to 19 and 26 to 32 of the abuse table as far as a version is compiled
// without a cluster: each error names the template, and the place where there is one.
func TestCompileRefusesTemplates(t *testing.T) {
	twice := func(s *spec) {
		template(configMap(""))(s)
		s.Tasks[len(s.Tasks)-1].Apply.Templates = []string{"more.yaml", "again.yaml"}
		s.Templates = append(s.Templates, v1alpha1.Template{Name: "again.yaml", Content: configMap("")})
	}
	tests := map[string]struct {
		change func(*spec)
		want   []string
	}{
		"1 syntax error": {
			template(configMap("data:\n  a: {{ .Params.size\n")),
			[]string{"spec.templates[more.yaml].content: Invalid value: template more.yaml:"},
		},
		"2 undefined parameter": {
			template(configMap("data:\n  a: \"{{ .Params.sise }}\"\n")),
			[]string{`spec.templates[more.yaml].content`, `more.yaml:5:`, `there is no parameter sise; did you mean "size"?`},
		},
		"2 undefined parameter of before": {
			template(configMap("data: {a: '{{ .Old.nobody }}'}")), []string{"more.yaml:4:", "there is no parameter nobody"},
		},
		"2 undefined value":           {template(configMap("data: {a: '{{ .Nobody }}'}")), []string{"more.yaml:4:", "Nobody"}},
		"2 run in an apply":           {template(configMap("data: {a: '{{ .Run.id }}'}")), []string{"more.yaml:4:", "Run"}},
		"3 invalid YAML":              {template(configMap("data: {a: [}")), []string{"spec.templates[more.yaml].content", "more.yaml"}},
		"3 invalid with the greatest": {template(configMap("data:\n  a: {{ if eq (int .Params.size) 7 }}[{{ else }}b{{ end }}\n")), []string{"template more.yaml"}},
		"4 duplicate key":             {template(configMap("data: {a: b}\ndata: {c: d}")), []string{"more.yaml", "data"}},
		"6 aliases without end":       {template(configMap("data: &a [*a, *a]")), []string{"more.yaml"}},
		"9 no kind":                   {template("apiVersion: v1\nmetadata: {name: a}"), []string{"more.yaml", "kind"}},
		"9 list":                      {template("apiVersion: v1\nkind: ConfigMapList\nitems: []"), []string{"more.yaml"}},
		"9 generateName":              {template("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a}"), []string{"more.yaml", "generateName"}},
		"9 the same object twice":     {twice, []string{`task "more"`, "ConfigMap/more", "stands twice in one task"}},
		"11 env":                      {template(configMap("data: {a: '{{ env \"HOME\" }}'}")), []string{"more.yaml:4", "env"}},
		"12 getHostByName":            {template(configMap("data: {a: '{{ getHostByName \"x\" }}'}")), []string{"more.yaml:4", "getHostByName"}},
		"13 now":                      {template(configMap("data: {a: '{{ now }}'}")), []string{"more.yaml:4", "now"}},
		"14 until without end":        {template(configMap("data: {a: '{{ until 200000000 }}'}")), []string{"template more.yaml:4"}},
		"14 repeat without end":       {template(configMap("data: {a: '{{ repeat 1000000000 \"x\" }}'}")), []string{"template more.yaml:4"}},
		"15 nested loops": {
			template(configMap("data: {a: '{{ range until 400 }}{{ range until 400 }}{{ end }}{{ end }}'}")), []string{"template more.yaml", "takes more than 100000 steps"},
		},
		"16 template calls itself": {
			template("{{ define \"r\" }}{{ template \"r\" . }}{{ end }}" + configMap("data: {a: '{{ template \"r\" . }}'}")), []string{"more.yaml"},
		},
		"17 wrong pattern":   {template(configMap("data: {a: '{{ regexMatch \"(\" \"x\" }}'}")), []string{"template more.yaml:4"}},
		"26 cluster scope":   {template("apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: a}"), []string{`task "more"`, "PersistentVolume"}},
		"26 other namespace": {template("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}"), []string{"the object is in another namespace than the instance"}},
		"29 our label":       {template("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {kudo.dev/instance: b}}"), []string{"kudo.dev/instance is set by Kudo"}},
		"30 owner":           {template("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, ownerReferences: [{uid: x}]}"), []string{"owners are set by Kudo"}},
		"31 our own kinds":   {template("apiVersion: kudo.dev/v1alpha1\nkind: PlanExecution\nmetadata: {name: a}"), []string{"templates may only make Instances"}},
		"32 role":            {template("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}"), []string{"it grants rights; declare it"}},
		"job of two objects": {
			func(s *spec) { s.Templates[1].Content += "---\n" + configMap("") }, []string{`task "work"`, "renders 2 objects: a job task needs one Job"},
		},
		"patch for nothing": {
			func(s *spec) { applyTask(s).Apply.Patches = []v1alpha1.KustomizePatch{{Patch: "not: [yaml"}} }, []string{`task "config"`},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, errs := Compile(changedApp(t, tc.change))
			if len(errs) == 0 {
				t.Fatal("it compiles")
			}
			wantErrors(t, errs, tc.want...)
		})
	}
}

// Case 18: what renders to more than a task may have is refused at its largest.
func TestCompileRefusesTooMuch(t *testing.T) {
	tests := map[string]struct{ content, want string }{
		"output":  {configMap("data: {a: '{{ repeat 700 (repeat 1500 \"x\") }}'}"), "template more.yaml: renders more than 1 MiB"},
		"objects": {strings.Repeat(configMap("---\n"), 1001), "template more.yaml"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, errs := Compile(changedApp(t, template(tc.content)))
			if len(errs) == 0 {
				t.Fatal("it compiles")
			}
			wantErrors(t, errs, tc.want)
		})
	}
}

// Case 19: a value is data. It can not add a field, a document or an object.
func TestAValueCanNotAddAnObject(t *testing.T) {
	v := mustCompile(t, changedApp(t, func(s *spec) {
		template(configMap("data:\n  a: {{ .Params.mode }}\n"))(s)
	}))
	values := v.SampleInputs(map[string]any{
		"size": int64(1), "mode": "x\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: evil}",
	})
	rendered, err := v.RenderTask(v.tasks["more"], values, sampleIdentity, Run{}, nil)
	if err != nil {
		return // refused: also fine
	}
	if len(rendered) != 1 || rendered[0].Object.GetKind() != "ConfigMap" {
		t.Errorf("the value made %d objects", len(rendered))
	}
}

func TestDeclaredKindsPass(t *testing.T) {
	_, errs := Compile(changedApp(t, func(s *spec) {
		template("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}")(s)
		s.Permissions = []v1alpha1.Permission{{Group: "rbac.authorization.k8s.io", Kind: "Role"}}
	}))
	wantErrors(t, errs)
}
