// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
)

var publishGate sync.Once

// newGate makes a namespace for Instances of testdata/gate.yaml, whose account has exactly
// the rules that the version reports.
func newGate(t *testing.T) *tenant {
	t.Helper()
	n := newTenant(t)
	publishGate.Do(func() { n.publishFile("gate", "testdata/gate.yaml") })
	n.grant(n.reported("gate-1.0.0"))
	return n
}

const (
	gateYAML = `
apiVersion: kudo.dev/v1alpha1
kind: Instance
metadata: {name: one}
spec: {framework: gate, version: 1.0.0, serviceAccountName: deployer}
`
	theirsYAML = "{apiVersion: v1, kind: Secret, metadata: {name: theirs}, stringData: {key: first-value, other: x}}"
)

func (n *tenant) theirs() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "theirs"}}
}

// podHash is the annotation of the pods of the server.
func (n *tenant) podHash() string {
	n.Helper()
	return get(n, "one-server", &appsv1.Deployment{}).Spec.Template.Annotations[v1alpha1.AnnotationContent]
}

// reads counts what was read of a Secret as the account while something happened.
func (n *tenant) reads(do func()) int {
	n.Helper()
	from, err := n.w.Cluster.Audit.Now()
	if err != nil {
		n.Fatal(err)
	}
	do()
	requests, err := n.w.Cluster.Audit.Since(from)
	if err != nil {
		n.Fatal(err)
	}
	count := 0
	for _, r := range cluster.Work(cluster.By(install.ManagerUser, requests)) {
		if r.Namespace == n.ns && r.Resource == "secrets" {
			count++
		}
	}
	return count
}

func (n *tenant) ranExactly(want ...string) {
	n.Helper()
	if diff := cmp.Diff(want, n.runs()); diff != "" {
		n.Errorf("runs (-want +got):\n%s", diff)
	}
}

// awaitRuns waits until exactly these plans have run.
func (n *tenant) awaitRuns(want ...string) {
	n.Helper()
	n.await("these have run: "+strings.Join(want, ", "), func(context.Context) (bool, string) { return slices.Equal(n.runs(), want), "" })
}

// awaitRan waits until these plans have made the Instance ready.
func (n *tenant) awaitRan(want ...string) {
	n.Helper()
	n.awaitRuns(want...)
	n.awaitReady("one")
}

// A Secret of someone else's changes: the plan runs once and the pods restart. What does
// not change what they consume runs nothing, costs one read, and then nothing is asked.
func TestAChangedContentRunsThePlanOnce(t *testing.T) {
	t.Parallel()
	n := newGate(t)
	n.create(theirsYAML)
	n.create(gateYAML)
	n.awaitReady("one")
	first := n.podHash()
	if first == "" {
		t.Fatal("the pods carry no digest of what they consume")
	}
	n.idle()

	edit(n, n.theirs(), "rotator", func(s *corev1.Secret) { s.Data["key"] = []byte("second-value") })
	n.awaitRan("deploy Succeeded", "reload Succeeded")
	run := n.executions()[1]
	second := n.podHash()
	if !strings.HasPrefix(run.Spec.Trigger, "content/") || second == first {
		t.Errorf("trigger %q, the digest %q was %q", run.Spec.Trigger, second, first)
	}
	n.idle()

	if reads := n.reads(func() {
		edit(n, n.theirs(), "labeller", func(s *corev1.Secret) {
			s.Labels, s.Data["other"] = map[string]string{"touched": "yes"}, []byte("nobody reads this key")
		})
		n.idle()
	}); reads != 1 {
		t.Errorf("%d reads of what has another label, want 1", reads)
	}
	n.ranExactly("deploy Succeeded", "reload Succeeded")
	if n.podHash() != second {
		t.Error("the pods restart")
	}
	n.holdsNowhere("first-value")
	n.holdsNowhere("second-value")
}

// A plan that does not roll a content out leaves it to the one that does; a plan that does
// is enough; and own settings restart pods by the plan that changes them.
func TestContentsAndParametersTogether(t *testing.T) {
	t.Parallel()
	n := newGate(t)
	n.create(theirsYAML)
	n.create(gateYAML)
	n.awaitReady("one")
	first := n.podHash()
	n.patch(n.one(), `{"spec":{"suspend":true}}`)
	n.awaitVerdict("one", v1alpha1.ReasonSuspended)
	edit(n, n.theirs(), "rotator", func(s *corev1.Secret) { s.Data["key"] = []byte("b") })
	n.patch(n.one(), `{"spec":{"suspend":false,"parameters":{"nodes":"2"}}}`)
	n.awaitRan("deploy Succeeded", "scale Succeeded", "reload Succeeded")
	second := n.podHash()
	n.change("level: b")
	n.awaitReady("one")
	third := n.podHash()
	if first == second || second == third {
		t.Errorf("digests %s, %s, %s", first, second, third)
	}
	n.change("nodes: '3'")
	n.awaitReady("one")
	n.ranExactly("deploy Succeeded", "scale Succeeded", "reload Succeeded", "update Succeeded", "scale Succeeded")
	if n.podHash() != third {
		t.Error("the pods restart although nothing that they consume has changed")
	}
}

// With Ignore nothing runs, and nothing is watched; the next plan takes it over.
func TestAContentThatIsIgnored(t *testing.T) {
	t.Parallel()
	n := newGate(t)
	n.create(theirsYAML)
	n.create(gateYAML, with("spec.onContentChange", v1alpha1.ContentIgnore))
	n.awaitReady("one")
	first := n.podHash()
	if reads := n.reads(func() {
		edit(n, n.theirs(), "rotator", func(s *corev1.Secret) { s.Data["key"] = []byte("b") })
		n.idle()
	}); reads > 0 {
		t.Errorf("%d reads of what is ignored", reads)
	}
	n.ranExactly("deploy Succeeded")
	n.change("level: b")
	n.awaitReady("one")
	n.ranExactly("deploy Succeeded", "update Succeeded")
	if n.podHash() == first {
		t.Error("the next plan does not take it over")
	}
	n.idle()
}

// A Secret that is not there yet is awaited by the step whose pods need it, without
// polling; the deploy goes on by itself when it appears, and that is no change.
func TestAMissingContentIsAwaited(t *testing.T) {
	t.Parallel()
	n := newGate(t)
	n.create(gateYAML)
	n.active("the deploy waits for the Secret", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Status.State == v1alpha1.RunRunning && strings.Contains(pe.Status.Message, "waiting until Secret "+n.ns+"/theirs is there") &&
			strings.Contains(pe.Status.Message, "Deployment "+n.ns+"/one-server")
	})
	if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(n.server()), n.server()); err == nil {
		t.Error("the server is there although its pods could not start")
	}
	n.idle()
	n.create(theirsYAML)
	n.awaitReady("one")
	n.idle()
	n.ranExactly("deploy Succeeded")
	first := n.podHash()

	// Gone is no change, nor is the same content anew.
	if err := n.w.admin().Delete(t.Context(), n.theirs()); err != nil {
		t.Fatal(err)
	}
	n.create(theirsYAML)
	n.idle()
	n.ranExactly("deploy Succeeded")
	edit(n, n.theirs(), "rotator", func(s *corev1.Secret) { s.Data["key"] = []byte("b") })
	n.awaitRan("deploy Succeeded", "reload Succeeded")
	if n.podHash() == first {
		t.Error("the pods do not restart")
	}
}

// An account that may not read what pods consume: the step says so, and goes on after the
// grant and a retry.
func TestAContentThatTheAccountMayNotRead(t *testing.T) {
	t.Parallel()
	n := newGate(t)
	all := n.reported("gate-1.0.0")
	var few []rbacv1.PolicyRule
	for _, r := range all {
		if fmt.Sprint(r.Resources) != "[secrets]" {
			few = append(few, r)
		}
	}
	if len(few) != len(all)-1 {
		raw, _ := json.Marshal(all)
		t.Fatalf("the version does not report a rule for Secrets: %s", raw)
	}
	n.grant(few)
	n.create(theirsYAML)
	n.create(gateYAML)
	pe := n.stalled("deploy", v1alpha1.ReasonRefused, "Deployment "+n.ns+"/one-server consumes it", "cannot get resource", "status.rules")
	n.idle()
	n.grant(all)
	n.retry(pe, "granted")
	n.awaitReady("one")
	n.ranExactly("deploy Succeeded")
}

// An Instance that names a plan later learns what its pods consume by one run of it.
func TestAPlanForContentsThatIsNamedLater(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	publishVault.Do(func() { n.publishFile("vault", "testdata/vault.yaml") })
	n.grant(append(n.reported("vault-1.0.0"), rule("", "secrets")))
	n.create("{apiVersion: v1, kind: Secret, metadata: {name: front-tls}, stringData: {crt: a}}")
	n.create(vaultYAML, with("spec.parameters", map[string]any{"tls": "front-tls"}))
	n.awaitReady("one")
	if n.podHash() != "" {
		t.Error("pods of a version that does not ask for it carry a digest")
	}
	if err := n.w.admin().Patch(t.Context(), n.one(), merge(`{"spec":{"onContentChange":"reload"}}`)); err == nil ||
		!strings.Contains(err.Error(), `there is no such plan, and it is not "Ignore"`) {
		t.Errorf("a plan that does not exist: %v", err)
	}
	n.patch(n.one(), `{"spec":{"onContentChange":"deploy"}}`)
	n.awaitRan("deploy Succeeded", "deploy Succeeded")
	n.idle()
	tls := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "front-tls"}}
	edit(n, tls, "rotator", func(s *corev1.Secret) { s.Data["crt"] = []byte("b") })
	n.awaitRan("deploy Succeeded", "deploy Succeeded", "deploy Succeeded")
}
