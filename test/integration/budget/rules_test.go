// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// TestRules: what Kudo does as an Instance's account is within the rules that the
// versions report, and the account was granted exactly these.
func TestRules(t *testing.T) {
	w := newWorld(t)
	rules := w.publish([]string{"app-1.0.0", "app-2.0.0"}, "test", "faults", "testdata", "app.yaml")
	reported := slices.Concat(rules["app-1.0.0"], rules["app-2.0.0"])
	const namespace = "rules"
	w.tenant(namespace, reported)
	role := &rbacv1.Role{}
	w.must(w.cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: account}, role))
	if !reflect.DeepEqual(role.Rules, reported) {
		t.Errorf("the Role holds %v, reported is %v", role.Rules, reported)
	}
	inst := instance(namespace, "one", "app", "1.0.0")
	used := map[string]bool{}
	for _, r := range w.requests(func() {
		w.roll(inst, nil)
		w.roll(inst, func(spec *v1alpha1.InstanceSpec) {
			spec.Parameters = map[string]apiextensionsv1.JSON{"nodes": {Raw: []byte("3")}}
		})
		w.roll(inst, func(spec *v1alpha1.InstanceSpec) { spec.Version = "2.0.0" })
		w.remove(inst)
	}) {
		// Watches for the Instances of other tests are begun again from time to time.
		if r.As == "" || (r.Verb == "watch" && r.Namespace != namespace) {
			continue
		}
		if r.As != "system:serviceaccount:"+namespace+":"+account || r.Code == 403 {
			t.Errorf("%s %s as %s: %d", r.Verb, r.URI, r.As, r.Code)
		}
		used[right(r.Verb, r.Group, r.Resource)] = true
	}
	granted := rights(reported)
	for _, d := range diagnosis {
		if !granted[d] {
			t.Errorf("not reported, and needed to tell why a workload is not ready: %s", d)
		}
		if used[d] {
			t.Errorf("used although all went well: %s", d)
		}
	}
	for _, u := range slices.Sorted(maps.Keys(used)) {
		if !granted[u] {
			t.Errorf("used but not reported: %s", u)
		}
		delete(granted, u)
	}
	t.Logf("used, all within the rules:\n\t%s", strings.Join(slices.Sorted(maps.Keys(used)), "\n\t"))
	t.Logf("reported and not used here:\n\t%s", strings.Join(slices.Sorted(maps.Keys(granted)), "\n\t"))
	if len(used) == 0 {
		t.Error("nothing was done as the account")
	}
}

// diagnosis is used only where something goes wrong: TestWhy in test/integration/reasons
// holds what is done then to these.
var diagnosis = []string{
	right("list", "", "pods"), right("list", "", "events"), right("get", "", "pods/log"),
}

func right(verb, group, resource string) string {
	return verb + " " + resource + " of " + cmp.Or(group, "core")
}

// rights spells rules out.
func rights(rules []rbacv1.PolicyRule) map[string]bool {
	out := map[string]bool{}
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					out[right(verb, group, resource)] = true
				}
			}
		}
	}
	return out
}
