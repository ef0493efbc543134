// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package helm makes two Helm charts: one that installs objects of the generated kind, with
// the account and the rights that they need, and one that publishes the framework. Why they
// are two stands in docs/design/0019-what-generate-makes.md.
package helm

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"path"
	"strings"
	"text/template"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/authority"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/rbac"
)

// Artefact is the name of this artefact.
const Artefact = "helm"

// chart holds the templates of charts, between [[ and ]] what is known when they are made.
//
//go:embed all:chart
var chart embed.FS

// keep tells Helm to leave an object when the release goes.
const keep = "helm.sh/resource-policy"

// part is one role of the chart, by what its name has in the middle and at the end.
type part struct {
	Where, Suffix string
	Rules         []rbacv1.PolicyRule
}

// view is what the templates of charts see.
type view struct {
	*generate.Source
	Header     string
	Singular   string
	MaxName    int
	Grant      authority.Grant
	As         authority.Grant
	Required   []string
	Manager    string
	ManagerNS  string
	Parameters string
	Table      string
}

// Files of the artefact. The namespace is that of the release, whatever it is.
func Files(s *generate.Source, _ string) (generate.Files, error) {
	v, err := viewOf(s)
	if err != nil {
		return nil, err
	}
	out := generate.Files{}
	name := s.Framework.Name
	for _, f := range []string{"README.md", "values.yaml", "templates/_helpers.tpl", "templates/object.yaml", "templates/rbac.yaml", "templates/NOTES.txt"} {
		if out[name+"/"+f], err = fill(path.Join("object", path.Base(f)), v); err != nil {
			return nil, err
		}
	}
	if out[name+"/Chart.yaml"], err = chartFile(s, name, "Installs "+s.Title()+" as an object of the kind "+s.Kind.Kind+", which Kudo runs."); err != nil {
		return nil, err
	}
	if out[name+"/values.schema.json"], err = valuesSchema(s, v.MaxName, len(v.Grant.Elsewhere) > 0); err != nil {
		return nil, err
	}
	return out, publishing(s, v, out)
}

// publishing adds the chart that publishes the framework.
func publishing(s *generate.Source, v *view, out generate.Files) error {
	name := s.Framework.Name + "-framework"
	var err error
	if out[name+"/Chart.yaml"], err = chartFile(s, name, "Publishes the framework "+s.Framework.Name+", for those who may write objects of the cluster."); err != nil {
		return err
	}
	for _, f := range []string{"README.md", "values.yaml", "templates/objects.yaml"} {
		if out[name+"/"+f], err = fill(path.Join("framework", path.Base(f)), v); err != nil {
			return err
		}
	}
	fw, fwv := s.Framework.DeepCopy(), s.FrameworkVersion.DeepCopy()
	for _, o := range []metav1.Object{fw, fwv} {
		annotations := map[string]string{keep: "keep"}
		maps.Copy(annotations, o.GetAnnotations())
		o.SetAnnotations(annotations)
	}
	for file, o := range map[string]any{"framework.yaml": fw, "version.yaml": fwv} {
		if out[name+"/objects/"+file], err = generate.Object(o); err != nil {
			return fmt.Errorf("making %s/objects/%s: %w", name, file, err)
		}
	}
	return nil
}

func viewOf(s *generate.Source) (*view, error) {
	if err := s.Rights(); err != nil {
		return nil, err
	}
	table, err := s.ParameterTables(3, "parameters.")
	if err != nil {
		return nil, err
	}
	grant := authority.Grants(s.Version, authority.Offline{})
	v := &view{
		Source: s, Header: s.Header(Artefact), Singular: s.Names.Singular, MaxName: crdgen.MaxInstanceName - len(s.Names.Singular) - 1,
		Grant: grant.Account(), As: authority.Grant{
			Namespace: authority.Impersonation(grant.Namespace), Cluster: authority.Impersonation(grant.Cluster), Elsewhere: authority.Impersonation(grant.Elsewhere),
		},
		Manager: rbac.ManagerAccount, ManagerNS: rbac.ManagerNamespace, Parameters: commented(s), Table: strings.TrimRight(table, "\n"),
	}
	for _, p := range s.Version.Spec.Parameters {
		if p.Required {
			v.Required = append(v.Required, p.Name)
		}
	}
	return v, nil
}

// fill executes a template of a chart.
func fill(name string, v *view) ([]byte, error) {
	raw, err := chart.ReadFile("chart/" + name)
	if err != nil {
		return nil, fmt.Errorf("reading the template %s: %w", name, err)
	}
	t, err := template.New(name).Delims("[[", "]]").Option("missingkey=error").Funcs(template.FuncMap{
		"rules": rules, "prose": generate.Prose,
		"part": func(where, suffix string, rules []rbacv1.PolicyRule) part { return part{where, suffix, rules} },
	}).Parse(string(raw))
	if err != nil {
		return nil, fmt.Errorf("reading the template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("making %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// rules are RBAC rules as YAML.
func rules(list []rbacv1.PolicyRule) (string, error) {
	raw, err := generate.YAML(list)
	return strings.TrimRight(string(raw), "\n"), err
}

// chartFile makes a Chart.yaml.
func chartFile(s *generate.Source, name, description string) ([]byte, error) {
	content := map[string]any{
		"apiVersion": "v2", "name": name, "type": "application", "description": description,
		"version": s.Version.Spec.Version, "appVersion": s.Version.Spec.AppVersion,
	}
	if s.Framework.Spec.URL != "" {
		content["home"] = s.Framework.Spec.URL
	}
	var people []any
	for _, m := range s.Framework.Spec.Maintainers {
		people = append(people, maintainer(m))
	}
	if len(people) > 0 {
		content["maintainers"] = people
	}
	return generate.Documents(s.Header(Artefact), content)
}

func maintainer(m v1alpha1.Maintainer) map[string]any {
	out := map[string]any{"name": m.Name}
	if m.Email != "" {
		out["email"] = m.Email
	}
	return out
}
