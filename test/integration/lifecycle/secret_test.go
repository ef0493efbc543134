// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

var publishVault sync.Once

// newVault makes a namespace for Instances of testdata/vault.yaml, whose account has
// exactly the rules that the version reports.
func newVault(t *testing.T) *tenant {
	t.Helper()
	n := newTenant(t)
	publishVault.Do(func() { n.publishFile("vault", "testdata/vault.yaml") })
	n.grant(n.reported("vault-1.0.0"))
	return n
}

const vaultYAML = `
apiVersion: kudo.dev/v1alpha1
kind: Instance
metadata: {name: one}
spec: {framework: vault, version: 1.0.0, serviceAccountName: deployer}
`

var generated = revision.SecretName("one", "password")

// A generated secret is made once, outlives its Instance, serves the next one of its name,
// and its value stands nowhere else.
func TestAGeneratedSecret(t *testing.T) {
	t.Parallel()
	n := newVault(t)
	n.create(vaultYAML)
	n.awaitReady("one")
	secret := get(n, generated, &corev1.Secret{})
	value := string(secret.Data[revision.SecretKey])
	if len(value) != 40 || strings.Trim(value, "ghijklmnopqrstuvwxyz") != "" || len(secret.OwnerReferences) > 0 ||
		secret.Labels[v1alpha1.LabelInstance] != "one" {
		t.Errorf("secret with %d characters, owners %v, labels %v", len(value), secret.OwnerReferences, secret.Labels)
	}
	if ref := n.passwordRef(); ref.Name != generated || ref.Key != revision.SecretKey {
		t.Errorf("the pod template refers to %+v", ref)
	}
	n.change("level: b")
	n.awaitReady("one")
	n.holdsNowhere(value)

	if err := n.w.admin().Delete(t.Context(), n.one()); err != nil {
		t.Fatal(err)
	}
	n.awaitGone(n.one())
	n.awaitGone(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-server"}})
	n.create(vaultYAML)
	n.awaitReady("one")
	if again := get(n, generated, &corev1.Secret{}); again.ResourceVersion != secret.ResourceVersion || again.UID != secret.UID {
		t.Error("the secret was written again")
	}
	n.holdsNowhere(value)
}

// passwordRef is what the pod template refers to.
func (n *tenant) passwordRef() *corev1.SecretKeySelector {
	n.Helper()
	server := get(n, "one-server", &appsv1.Deployment{})
	return server.Spec.Template.Spec.Containers[0].Env[1].ValueFrom.SecretKeyRef
}

// holdsNowhere looks for a secret value in everything that Kudo writes.
func (n *tenant) holdsNowhere(value string) {
	n.Helper()
	lists := []client.ObjectList{
		&v1alpha1.InstanceList{}, &v1alpha1.PlanExecutionList{}, &v1alpha1.FrameworkVersionList{}, &appsv1.ControllerRevisionList{},
		&corev1.EventList{}, &appsv1.DeploymentList{},
	}
	texts := map[string]string{}
	for _, list := range lists {
		if err := n.w.admin().List(n.Context(), list); err != nil {
			n.Fatal(err)
		}
		raw, err := json.Marshal(list)
		if err != nil {
			n.Fatal(err)
		}
		texts[fmt.Sprintf("%T", list)] = string(raw)
	}
	log, err := os.ReadFile(n.w.Options.Log)
	if err != nil {
		n.Fatal(err)
	}
	texts["the log of the manager"] = string(log)
	for where, text := range texts {
		if strings.Contains(text, value) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(value))) {
			n.Errorf("the secret stands in %s", where)
		}
	}
}

// A reference of the user's own wins, and nothing is generated.
func TestASecretOfTheUsersOwn(t *testing.T) {
	t.Parallel()
	n := newVault(t)
	n.create(vaultYAML, with("spec.parameters", map[string]any{
		"tls": "front-tls", "password": map[string]any{"name": "mine", "key": "pw"},
	}))
	n.awaitReady("one")
	if ref := n.passwordRef(); ref.Name != "mine" || ref.Key != "pw" {
		t.Errorf("the pod template refers to %+v", ref)
	}
	server := get(n, "one-server", &appsv1.Deployment{})
	if name := server.Spec.Template.Spec.Volumes[0].Secret.SecretName; name != "front-tls" {
		t.Errorf("the volume is of %q", name)
	}
	err := n.w.admin().Get(t.Context(), client.ObjectKey{Namespace: n.ns, Name: generated}, &corev1.Secret{})
	if client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("a secret was generated: %v", err)
	}
	// Without it, the generated one takes its place.
	n.change("password: null")
	n.awaitReady("one")
	if ref := n.passwordRef(); ref.Name != generated {
		t.Errorf("the pod template refers to %+v", ref)
	}
	get(n, generated, &corev1.Secret{})
}

// A Secret of someone else's is neither used nor changed.
func TestASecretOfSomeoneElses(t *testing.T) {
	t.Parallel()
	n := newVault(t)
	theirs := n.create("{apiVersion: v1, kind: Secret, metadata: {name: " + generated + "}, stringData: {value: unguessable}}")
	n.create(vaultYAML)
	n.stalled("deploy", v1alpha1.ReasonNotOwned, "Secret "+n.ns+"/"+generated, "was not generated for parameter password", "{name, key}")
	if still := get(n, generated, &corev1.Secret{}); still.ResourceVersion != theirs.GetResourceVersion() {
		t.Error("it was changed")
	}
	n.holdsNowhere("unguessable")
	n.change("password: {name: mine, key: pw}")
	n.awaitReady("one")
}
