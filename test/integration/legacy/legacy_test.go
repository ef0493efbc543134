// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package legacy_test imports operators of KUDO 0.x with the plugin, publishes what they
// became, and deploys an Instance of each to Ready, on a real API server with the manager
// in a process of its own and workloads played.
package legacy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/repository"
	"kudo.dev/kudo/internal/testing/scene"
)

func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }

const (
	account = "deployer"
	// packages names a directory whose operators are deployed too.
	packages = "KUDO_PACKAGES"
)

// TestFixturesDeploy: what the importer says can be published gets Ready.
func TestFixturesDeploy(t *testing.T) {
	scene.Need(t)
	root, err := repository.Path("internal", "legacy", "testdata", "operators")
	if err != nil {
		t.Fatal(err)
	}
	deployed := 0
	for _, dir := range operators(t, root) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			out, publishable := importKudo(t, dir)
			if !publishable {
				t.Skip("it holds what is not yet supported")
			}
			deploy(t, out)
			deployed++
		})
	}
	if deployed == 0 {
		t.Error("no fixture was deployed")
	}
}

// TestPackagesDeploy does the same for the operators of a directory that the environment names.
func TestPackagesDeploy(t *testing.T) {
	dir := os.Getenv(packages)
	if dir == "" {
		t.Skip(packages + " names no directory of operators of KUDO 0.x")
	}
	for _, operator := range operators(t, dir) {
		t.Run(filepath.Base(operator), func(t *testing.T) {
			out, publishable := importKudo(t, operator)
			if !publishable {
				t.Fatal("the importer says that it can not be published")
			}
			deploy(t, out)
		})
	}
}

// operators are the directories below one that hold an operator.
func operators(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*/operator.yaml", "*/operator/operator.yaml"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			dir := filepath.Dir(f)
			if filepath.Base(dir) == "operator" {
				dir = filepath.Dir(dir)
			}
			out = append(out, dir)
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s holds no operators", root)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// importKudo runs the command, and returns the package and whether it can be published.
func importKudo(t *testing.T, dir string) (string, bool) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "package")
	var stdout, stderr bytes.Buffer
	args := []string{"kubectl-kudo", "import", "kudo", dir, "-o", out, "-o", "json"}
	if code := cli.Main(t.Context(), "test", args, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("import ended with %d: %s", code, &stderr)
	}
	var report struct {
		Publishable bool `json:"publishable"`
		Notes       []struct {
			File   string `json:"file"`
			Line   int    `json:"line"`
			What   string `json:"what"`
			Why    string `json:"why"`
			Blocks bool   `json:"blocks"`
		} `json:"notes"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	for _, n := range report.Notes {
		if n.Blocks {
			t.Logf("%s:%d: %s: %s", n.File, n.Line, n.What, n.Why)
		}
	}
	t.Logf("%d notes", len(report.Notes))
	return out, report.Publishable
}

// deploy publishes a package and waits until an Instance of it is Ready.
func deploy(t *testing.T, dir string) {
	t.Helper()
	w := scene.Get(t, nil)
	p, err := pack.Load(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []client.Object{p.Framework, p.Version} {
		if err := w.Admin().Create(t.Context(), o); err != nil {
			t.Fatalf("publishing: %v", err)
		}
	}
	version := awaitVersion(t, w, p.Version.Name)
	ns := scene.Unique("legacy")
	tenant := install.Tenant{Namespace: ns, Account: account, Rules: everything()}
	if err := tenant.Apply(t.Context(), w.Admin()); err != nil {
		t.Fatal(err)
	}
	grant(t, w, ns, version.Status.Rules)
	inst := &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "one"}}
	inst.Spec = v1alpha1.InstanceSpec{
		Framework: version.Spec.Framework, Version: version.Spec.Version, ServiceAccountName: account, Parameters: required(version),
	}
	if err := w.Admin().Create(t.Context(), inst); err != nil {
		t.Fatalf("creating the Instance: %v", err)
	}
	awaitReady(t, w, inst)
	if err := w.Admin().Delete(t.Context(), inst); err != nil {
		t.Fatal(err)
	}
	w.Await(t, "the Instance is gone", func(ctx context.Context) (bool, string) {
		err := w.Admin().Get(ctx, client.ObjectKeyFromObject(inst), inst)
		return client.IgnoreNotFound(err) == nil && err != nil, fmt.Sprint(inst.Status.Conditions)
	})
}

func awaitVersion(t *testing.T, w *scene.World, name string) *v1alpha1.FrameworkVersion {
	t.Helper()
	v := &v1alpha1.FrameworkVersion{}
	w.Await(t, "the version is ready", func(ctx context.Context) (bool, string) {
		if err := w.Admin().Get(ctx, client.ObjectKey{Name: name}, v); err != nil {
			return false, err.Error()
		}
		return meta.IsStatusConditionTrue(v.Status.Conditions, v1alpha1.ConditionReady), fmt.Sprint(v.Status.Conditions)
	})
	return v
}

func awaitReady(t *testing.T, w *scene.World, inst *v1alpha1.Instance) {
	t.Helper()
	w.Await(t, "the Instance is ready", func(ctx context.Context) (bool, string) {
		if err := w.Admin().Get(ctx, client.ObjectKeyFromObject(inst), inst); err != nil {
			return false, err.Error()
		}
		return scene.IsReady(inst), fmt.Sprint(inst.Status.Conditions)
	})
}

// everything lets the account do all in its namespace: who writes a Role must have what it
// grants, and what that is only the operator knows.
func everything() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}
}

// grant lets the manager write the kinds of a version as the account, and the account those
// of cluster scope.
func grant(t *testing.T, w *scene.World, ns string, rules []rbacv1.PolicyRule) {
	t.Helper()
	var as []rbacv1.PolicyRule
	for _, r := range rules {
		r = *r.DeepCopy()
		for i, v := range r.Verbs {
			r.Verbs[i] = "impersonate-on:serviceaccount:" + v
		}
		as = append(as, r)
	}
	bind := func(name, namespace, account string, rules []rbacv1.PolicyRule) {
		for _, o := range []client.Object{
			&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules},
			&rbacv1.ClusterRoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
				Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
			},
		} {
			if err := w.Admin().Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	bind(ns, ns, account, everything())
	bind(ns+"-as", install.Namespace, install.ServiceAccount, as)
}

// required gives a value to each parameter that must have one.
func required(version *v1alpha1.FrameworkVersion) map[string]apiextensionsv1.JSON {
	values := map[string]apiextensionsv1.JSON{}
	for _, p := range version.Spec.Parameters {
		if !p.Required {
			continue
		}
		value, schema := `"value"`, ""
		if p.Schema != nil {
			schema = string(p.Schema.Raw)
		}
		switch {
		case strings.Contains(schema, "integer"), strings.Contains(schema, "number"), strings.Contains(schema, "int-or-string"):
			value = "1"
		case strings.Contains(schema, "boolean"):
			value = "true"
		}
		values[p.Name] = apiextensionsv1.JSON{Raw: []byte(value)}
	}
	return values
}
