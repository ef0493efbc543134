// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"net/http"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// fixture is one installation of Kudo: a namespace, two webhook configurations
// and a user with no rights but those that this package asks for.
type fixture struct {
	admin   client.Client
	manager *rest.Config
	opts    Options
	// requests that the manager sent, watches excluded.
	requests *counter
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	config := adminConfig(t)
	admin, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "kudo-"}}
	mustCreate(t, admin, ns)
	o := testOptions()
	o.Secret.Namespace, o.Service.Namespace = ns.Name, ns.Name
	o.Validating, o.Mutating = ns.Name+"-validating", ns.Name+"-mutating"
	o.ExtraHosts = []string{"127.0.0.1"}
	f := &fixture{admin: admin, opts: o, requests: &counter{}}

	user, err := apiServer.env.AddUser(envtest.User{Name: "manager-" + ns.Name}, config)
	if err != nil {
		t.Fatal(err)
	}
	f.manager = user.Config()
	f.manager.Wrap(func(rt http.RoundTripper) http.RoundTripper { return counted{f.requests, rt} })
	f.grant(t, "manager-"+ns.Name)
	return f
}

// grant binds the rules that the documentation of this package promises to be
// enough.
func (f *fixture) grant(t *testing.T, user string) {
	t.Helper()
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}
	meta := metav1.ObjectMeta{Name: f.opts.Validating, Namespace: f.opts.Secret.Namespace}
	mustCreate(t, f.admin, &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create"}},
		{
			APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list", "watch", "update"},
			ResourceNames: []string{f.opts.Secret.Name},
		},
	}})
	mustCreate(t, f.admin, &rbacv1.RoleBinding{
		ObjectMeta: meta, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
	})
	meta.Namespace = ""
	mustCreate(t, f.admin, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
		hookRule("validatingwebhookconfigurations", f.opts.Validating),
		hookRule("mutatingwebhookconfigurations", f.opts.Mutating),
	}})
	mustCreate(t, f.admin, &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
	})
	awaitAccess(t, f.admin, user, authorizationv1.ResourceAttributes{
		Verb: "create", Resource: "secrets", Namespace: f.opts.Secret.Namespace,
	})
	awaitAccess(t, f.admin, user, authorizationv1.ResourceAttributes{
		Verb: "patch", Group: "admissionregistration.k8s.io", Resource: "mutatingwebhookconfigurations", Name: f.opts.Mutating,
	})
	t.Cleanup(func() {
		for _, obj := range []client.Object{&rbacv1.ClusterRole{ObjectMeta: meta}, &rbacv1.ClusterRoleBinding{ObjectMeta: meta}} {
			mustDelete(t, f.admin, obj)
		}
	})
}

func hookRule(resource, name string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{
		APIGroups: []string{"admissionregistration.k8s.io"}, Resources: []string{resource},
		Verbs: []string{"get", "list", "watch", "patch"}, ResourceNames: []string{name},
	}
}

// install creates both webhook configurations. They match ConfigMaps of the
// fixture's namespace and call url.
func (f *fixture) install(t *testing.T, url string) {
	t.Helper()
	none, fail := admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Fail
	scope := metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: f.opts.Secret.Namespace}}
	rules := []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
	}}
	call := admissionregistrationv1.WebhookClientConfig{URL: &url}
	validating := func(name string) admissionregistrationv1.ValidatingWebhook {
		return admissionregistrationv1.ValidatingWebhook{
			Name: name, ClientConfig: call, Rules: rules, NamespaceSelector: &scope,
			SideEffects: &none, FailurePolicy: &fail, AdmissionReviewVersions: []string{"v1"},
		}
	}
	for _, obj := range []client.Object{
		&admissionregistrationv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: f.opts.Validating},
			Webhooks:   []admissionregistrationv1.ValidatingWebhook{validating("one.kudo.dev"), validating("two.kudo.dev")},
		},
		&admissionregistrationv1.MutatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: f.opts.Mutating},
			Webhooks: []admissionregistrationv1.MutatingWebhook{{
				Name: "one.kudo.dev", ClientConfig: call, Rules: rules, NamespaceSelector: &scope,
				SideEffects: &none, FailurePolicy: &fail, AdmissionReviewVersions: []string{"v1"},
			}},
		},
	} {
		mustCreate(t, f.admin, obj)
		t.Cleanup(func() { mustDelete(t, f.admin, obj) })
	}
}

// now is the time by the manager's clock.
func (f *fixture) now() time.Time {
	if f.opts.Clock == nil {
		return time.Now()
	}
	return f.opts.Clock.Now()
}

func (f *fixture) newKeeper(t *testing.T) *Keeper {
	t.Helper()
	k, err := New(f.opts)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// bootstrapped is a Keeper after Bootstrap, with the manager's rights.
func (f *fixture) bootstrapped(t *testing.T) *Keeper {
	t.Helper()
	k := f.newKeeper(t)
	f.bootstrap(t, k)
	return k
}

func (f *fixture) bootstrap(t *testing.T, k *Keeper) {
	t.Helper()
	c, err := client.New(f.manager, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Bootstrap(t.Context(), c); err != nil {
		t.Fatalf("Bootstrap: %v", err)
	}
}

// run keeps k up in a manager of its own until the test ends.
func (f *fixture) run(t *testing.T, k *Keeper) {
	t.Helper()
	mgr, err := ctrl.NewManager(f.manager, ctrl.Options{
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		// Never won: upkeep must not wait for it.
		LeaderElection: true, LeaderElectionID: "never", LeaderElectionNamespace: f.opts.Secret.Namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.SetupWithManager(mgr); err != nil {
		t.Fatalf("SetupWithManager: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(t.Context()) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Errorf("the manager ended with %v", err)
		}
	})
}

func (f *fixture) secret(t *testing.T) *corev1.Secret {
	t.Helper()
	s := &corev1.Secret{}
	if err := f.admin.Get(t.Context(), f.opts.Secret, s); err != nil {
		t.Fatalf("reading the Secret: %v", err)
	}
	return s
}

// bundles returns the caBundle of every webhook of both configurations.
func (f *fixture) bundles(t *testing.T) [][]byte {
	t.Helper()
	v, m := &admissionregistrationv1.ValidatingWebhookConfiguration{}, &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := f.admin.Get(t.Context(), client.ObjectKey{Name: f.opts.Validating}, v); err != nil {
		t.Fatal(err)
	}
	if err := f.admin.Get(t.Context(), client.ObjectKey{Name: f.opts.Mutating}, m); err != nil {
		t.Fatal(err)
	}
	return [][]byte{v.Webhooks[0].ClientConfig.CABundle, v.Webhooks[1].ClientConfig.CABundle, m.Webhooks[0].ClientConfig.CABundle}
}

// trusted reports whether every webhook trusts the leaf that k serves.
func (f *fixture) trusted(t *testing.T, k *Keeper) bool {
	t.Helper()
	leaf, err := k.GetCertificate(nil)
	if err != nil {
		t.Fatalf("GetCertificate: %v", err)
	}
	for _, b := range f.bundles(t) {
		if verify(leaf.Leaf, b, "127.0.0.1", f.now()) != nil {
			return false
		}
	}
	return true
}

// settle waits until the manager's start is over and returns the Secret.
func (f *fixture) settle(t *testing.T) *contents {
	t.Helper()
	time.Sleep(time.Second)
	f.requests.take()
	c, err := parse(f.secret(t).Data)
	if err != nil {
		t.Fatalf("the Secret: %v", err)
	}
	return c
}

func (f *fixture) covered(t *testing.T, c *contents) bool {
	t.Helper()
	for _, b := range f.bundles(t) {
		if !c.covers(b, f.now()) {
			return false
		}
	}
	return true
}
