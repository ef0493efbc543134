// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// What admission can not see ends in a stalled execution that carries the API server's
// words, and a change of the spec gets through: cases 10, 49 and 51.
func TestTheAPIServersWords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare func(*tenant)
		broken  string
		reason  string
		words   []string
		fix     string
	}{
		"10 unknown field": {
			broken: "broken: true", reason: v1alpha1.ReasonRefused, words: []string{"main/server/server", "Deployment", "one-server", "spek"}, fix: "broken: false",
		},
		"49 immutable field": {
			broken: "selector: two", reason: v1alpha1.ReasonRefused, words: []string{"spec.selector", "field is immutable", "undo the change, or delete the object"}, fix: "selector: one",
		},
		"49 immutable claim": {
			broken: "class: fast", reason: v1alpha1.ReasonRefused, words: []string{"one-data", "spec is immutable after creation", "An immutable field"}, fix: `class: ""`,
		},
		"51 quota": {
			prepare: quota, broken: "extra: true", reason: v1alpha1.ReasonRefused,
			words: []string{`"one-extra" is forbidden: exceeded quota: small`, "Raise the quota"}, fix: "extra: false",
		},
		"51 pod security": {
			prepare: restricted, broken: "privileged: true", reason: v1alpha1.ReasonRefused,
			words: []string{`violates PodSecurity "restricted:latest"`, "pod security level"}, fix: "privileged: false",
		},
		"27 an object of someone else's": {
			prepare: func(n *tenant) { n.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: theirs}, data: {a: b}}") },
			broken:  "shared: theirs", reason: v1alpha1.ReasonNotOwned,
			words: []string{"ConfigMap", "theirs exists and does not belong to this Instance", "spec.adopt"}, fix: "shared: ours",
		},
		"28 an object of another Instance": {
			prepare: func(n *tenant) {
				n.create(instanceYAML, named("two"), with("spec.parameters", map[string]any{"shared": "both"}))
				n.awaitReady("two")
			},
			broken: "shared: both", reason: v1alpha1.ReasonNotOwned, words: []string{"both exists and does not belong to this Instance"}, fix: `shared: ""`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t)
			n.create(instanceYAML)
			n.awaitReady("one")
			if tc.prepare != nil {
				tc.prepare(n)
			}
			n.change(tc.broken)
			n.await("a plan stalls", func(context.Context) (bool, string) {
				for _, pe := range n.executions() {
					if s := pe.Status; pe.Spec.Instance == "one" && s.State == v1alpha1.RunStalled {
						for _, words := range append(tc.words, tc.reason) {
							if !strings.Contains(s.Reason+": "+s.Message, words) {
								t.Fatalf("it says %s: %q, not %q", s.Reason, s.Message, words)
							}
						}
						return true, ""
					}
				}
				return false, "nothing is stalled"
			})
			n.change(tc.fix)
			inst := n.awaitReady("one")
			if isTrue(inst.Status.Conditions, v1alpha1.ConditionStalled) {
				t.Error("it is still stalled")
			}
		})
	}
}

// quota leaves no room for another ConfigMap. No controller counts here, so that is said.
func quota(n *tenant) {
	n.Helper()
	full := corev1.ResourceList{"count/configmaps": resource.MustParse("0")}
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: full}}
	if err := n.w.admin().Create(n.Context(), q); err != nil {
		n.Fatal(err)
	}
	q.Status = corev1.ResourceQuotaStatus{Hard: full, Used: full}
	if err := n.w.admin().Status().Update(n.Context(), q); err != nil {
		n.Fatal(err)
	}
	n.await("the quota is in force", func(ctx context.Context) (bool, string) {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "probe"}}
		return n.w.admin().Create(ctx, probe, client.DryRunAll) != nil, "a ConfigMap passes"
	})
}

func restricted(n *tenant) {
	n.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.ns}}
	n.patch(ns, `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
}

// 51: a right that is missing is granted by an admin, and asking again is enough.
func TestAMissingRight(t *testing.T) {
	t.Parallel()
	n := newTenant(t, "apps")
	n.create(instanceYAML)
	pe := n.stalled("deploy", v1alpha1.ReasonRefused, `cannot`, `resource "deployments" in API group "apps"`, "status.rules")
	n.awaitVerdict("one", v1alpha1.ReasonPlanStalled, "plan deploy is stalled", "status.rules")
	n.grant(rules())
	n.retry(pe, "granted")
	n.awaitReady("one")
	if runs := n.runs(); len(runs) != 1 || runs[0] != "deploy Succeeded" {
		t.Errorf("runs %v", runs)
	}
}

// 27: with adopt, Kudo takes over what has the names of its own.
func TestAdopt(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: one-config}, data: {theirs: kept}}")
	n.create(instanceYAML)
	n.stalled("deploy", v1alpha1.ReasonNotOwned, "one-config exists and does not belong to this Instance")
	n.patch(n.one(), `{"spec":{"adopt":true}}`)
	runs := n.executions()
	n.retry(&runs[0], "adopted")
	inst := n.awaitReady("one")
	cm := &corev1.ConfigMap{}
	if err := n.w.admin().Get(t.Context(), client.ObjectKey{Namespace: n.ns, Name: "one-config"}, cm); err != nil {
		t.Fatal(err)
	}
	if !metav1.IsControlledBy(cm, inst) || cm.Data["memory"] != "1Gi" || cm.Data["theirs"] != "kept" {
		t.Errorf("owners %v, data %v", cm.OwnerReferences, cm.Data)
	}
}

// A field that someone else owns, and that was never Kudo's, is not taken by force.
func TestAFieldOfSomeoneElses(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	o := parseIn(n.ns, "{apiVersion: v1, kind: ConfigMap, metadata: {name: one-config}, data: {note: theirs}}")
	if err := n.w.admin().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("someone"), client.ForceOwnership); err != nil {
		t.Fatal(err)
	}
	n.change("note: ours")
	n.stalled("update", v1alpha1.ReasonConflict, "other managers own fields", ".data.note", "someone", "Remove their claim")
	if n.data("one-config")["note"] != "theirs" {
		t.Error("it was taken by force")
	}
	n.change("note: theirs")
	n.awaitReady("one")
}

// 49: where the author said so, an immutable field leads to a new object.
func TestRecreate(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.version", "1.1.0"))
	n.awaitReady("one")
	n.change("selector: two")
	n.awaitReady("one")
	if runs := n.runs(); len(runs) != 2 || runs[1] != "update Succeeded" {
		t.Errorf("runs %v", runs)
	}
}

// 3, 19: a value is data, whatever it looks like.
func TestAValueIsData(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	evil := "1Gi\"}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: evil}\ndata: {a: \"b"
	n.create(instanceYAML, with("spec.parameters", map[string]any{"memory": evil}))
	n.await("it is deployed as data or refused", func(context.Context) (bool, string) {
		runs := n.executions()
		return len(runs) == 1 && (runs[0].Status.State == v1alpha1.RunSucceeded || runs[0].Status.State == v1alpha1.RunStalled), ""
	})
	if n.data("evil") != nil {
		t.Fatal("the value made an object")
	}
	if got := n.data("one-config")["memory"]; got != evil && got != "" {
		t.Errorf("the value became %q", got)
	}
	n.change("memory: 1Gi")
	n.awaitReady("one")
}
