// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/authority"
	"kudo.dev/kudo/internal/testing/sample"
)

// The files add up to what the FrameworkVersion reports, and to nothing else.
func TestTheRolesAreTheRulesOfTheVersion(t *testing.T) {
	s := sample.Wide(t)
	files, err := Files(s, "prod")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"account.yaml", "cluster.yaml", "elsewhere.yaml", "impersonation.yaml", "kustomization.yaml", "role.yaml"}, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	var rights, as []rbacv1.PolicyRule
	for name, raw := range files {
		for document := range strings.SplitSeq(string(raw), "\n---\n") {
			var role rbacv1.Role // a ClusterRole has the same fields
			if err := yaml.Unmarshal([]byte(document), &role); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch {
			case name == "elsewhere.yaml" || !strings.HasSuffix(role.Kind, "Role"):
			case strings.HasSuffix(role.Name, "-impersonation"):
				as = append(as, role.Rules...)
			default:
				rights = append(rights, role.Rules...)
			}
		}
	}
	flat := func(rules []rbacv1.PolicyRule) []string {
		var out []string
		for _, r := range rules {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					out = append(out, r.APIGroups[0]+"/"+resource+" "+verb)
				}
			}
		}
		slices.Sort(out)
		return out
	}
	want := authority.Rules(s.Version, authority.Offline{})
	if diff := cmp.Diff(flat(want), flat(rights)); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(flat(authority.Impersonation(want)), flat(as)); diff != "" {
		t.Errorf("impersonation (-want +got):\n%s", diff)
	}
}

// The set is a kustomization, and who puts it into another namespace moves the account too.
func TestTheSetBuilds(t *testing.T) {
	files, err := Files(sample.Wide(t), "prod")
	if err != nil {
		t.Fatal(err)
	}
	disk := filesys.MakeFsInMemory()
	for name, raw := range files {
		if err := disk.WriteFile("/base/"+name, raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := disk.WriteFile("/over/kustomization.yaml", []byte("resources: [../base]\nnamespace: other\n")); err != nil {
		t.Fatal(err)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/over")
	if err != nil {
		t.Fatal(err)
	}
	text, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"- kind: ServiceAccount\n  name: wide-installer\n  namespace: other\n", "- kind: ServiceAccount\n  name: kudo-manager\n  namespace: kudo-system\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no subject\n%s in:\n%s", want, text)
		}
	}
}
