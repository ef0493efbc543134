// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestBootstrapOfManagersThatRace(t *testing.T) {
	f := newFixture(t)
	f.install(t, "https://127.0.0.1:1/")
	keepers := make([]*Keeper, 5)
	var wg sync.WaitGroup
	for i := range keepers {
		wg.Go(func() { keepers[i] = f.bootstrapped(t) })
	}
	wg.Wait()
	created := 0
	for _, r := range f.requests.take() {
		if r == "POST /api/v1/namespaces/"+f.opts.Secret.Namespace+"/secrets" {
			created++
		}
	}
	if created < 2 {
		t.Logf("only %d manager tried to create the Secret: no race this time", created)
	}
	c, err := parse(f.secret(t).Data)
	if err != nil {
		t.Fatalf("the Secret: %v", err)
	}
	if len(c.trusted) != 1 {
		t.Errorf("CAs = %d, want one for all managers", len(c.trusted))
	}
	for i, k := range keepers {
		if !f.trusted(t, k) {
			t.Errorf("the leaf of manager %d is not trusted", i)
		}
		if err := k.Check(nil); err != nil {
			t.Errorf("Check of manager %d: %v", i, err)
		}
	}
	for i, b := range f.bundles(t) {
		if !bytes.Equal(b, c.bundle()) {
			t.Errorf("caBundle %d is not the bundle of the Secret", i)
		}
	}
}

func TestBootstrapFillsAnEmptySecret(t *testing.T) {
	f := newFixture(t)
	mustCreate(t, f.admin, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: f.opts.Secret.Namespace, Name: f.opts.Secret.Name, Labels: map[string]string{"from": "manifest"},
	}})
	f.bootstrapped(t)
	s := f.secret(t)
	if _, err := parse(s.Data); err != nil {
		t.Errorf("the Secret: %v", err)
	}
	if s.Labels["from"] != "manifest" {
		t.Errorf("labels = %v, want those of the manifest kept", s.Labels)
	}
}

func TestBootstrapNamesTheRightThatIsMissing(t *testing.T) {
	tests := map[string]struct {
		spoil func(*Options)
		// served: there is a certificate all the same.
		served bool
		want   string
	}{
		"to the Secret": {
			spoil: func(o *Options) { o.Secret.Name = "another" },
			want:  ErrNotReady.Error(),
		},
		"to a configuration": {
			spoil:  func(o *Options) { o.Mutating = "another" },
			served: true,
			want:   "the webhook certificate is not trusted by MutatingWebhookConfiguration another",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			tc.spoil(&f.opts)
			k := f.newKeeper(t)
			c, err := client.New(f.manager, client.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Bootstrap(t.Context(), c); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "another") {
				t.Errorf("Bootstrap = %v, want Forbidden and the name of the object", err)
			}
			if _, err := k.GetCertificate(nil); (err == nil) != tc.served {
				t.Errorf("GetCertificate = %v, want served %v", err, tc.served)
			}
			if err := k.Check(nil); err == nil || err.Error() != tc.want {
				t.Errorf("Check = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestUpkeepRepairs(t *testing.T) {
	clearBundles := func(t *testing.T, f *fixture) {
		v := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: f.opts.Validating}}
		patch := []byte(`[{"op":"remove","path":"/webhooks/1/clientConfig/caBundle"}]`)
		if err := f.admin.Patch(t.Context(), v, client.RawPatch(types.JSONPatchType, patch)); err != nil {
			t.Fatal(err)
		}
	}
	setData := func(t *testing.T, f *fixture, data map[string][]byte) {
		s := f.secret(t)
		s.Data = data
		if err := f.admin.Update(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	secretPath := func(f *fixture) string { return "/api/v1/namespaces/" + f.opts.Secret.Namespace + "/secrets" }
	hookPath := func(kind, name string) string {
		return "PATCH /apis/admissionregistration.k8s.io/v1/" + kind + "/" + name
	}
	tests := map[string]struct {
		spoil func(t *testing.T, f *fixture)
		// newCA: the CA is replaced, the old one stays trusted.
		newCA bool
		want  func(f *fixture) []string
	}{
		"a caBundle that was reset": {
			spoil: clearBundles,
			want: func(f *fixture) []string {
				return []string{hookPath("validatingwebhookconfigurations", f.opts.Validating)}
			},
		},
		"garbage in the Secret": {
			spoil: func(t *testing.T, f *fixture) { setData(t, f, map[string][]byte{BundleKey: []byte("?")}) },
			newCA: true,
			want: func(f *fixture) []string {
				return []string{
					"PUT " + secretPath(f) + "/" + f.opts.Secret.Name,
					hookPath("validatingwebhookconfigurations", f.opts.Validating),
					hookPath("mutatingwebhookconfigurations", f.opts.Mutating),
				}
			},
		},
		"a Secret that was deleted": {
			spoil: func(t *testing.T, f *fixture) { mustDelete(t, f.admin, f.secret(t)) },
			newCA: true,
			want: func(f *fixture) []string {
				return []string{
					"POST " + secretPath(f),
					hookPath("validatingwebhookconfigurations", f.opts.Validating),
					hookPath("mutatingwebhookconfigurations", f.opts.Mutating),
				}
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.install(t, "https://127.0.0.1:1/")
			k := f.bootstrapped(t)
			f.run(t, k)
			before := f.settle(t)
			tc.spoil(t, f)
			eventually(t, "every webhook trusts the Secret's CA", func() bool {
				s := &corev1.Secret{}
				if err := f.admin.Get(t.Context(), f.opts.Secret, s); err != nil {
					return false
				}
				c, err := parse(s.Data)
				return err == nil && c.current.cert.Equal(before.current.cert) != tc.newCA &&
					c.trusts(before.current.cert) && f.covered(t, c) && f.trusted(t, k)
			})
			time.Sleep(500 * time.Millisecond)
			if diff := cmp.Diff(tc.want(f), f.requests.take()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUpkeepFindsConfigurationsThatComeLater(t *testing.T) {
	f := newFixture(t)
	k := f.bootstrapped(t)
	f.run(t, k)
	f.settle(t)
	f.install(t, "https://127.0.0.1:1/")
	eventually(t, "the new configurations trust the leaf", func() bool { return f.trusted(t, k) })
}

func TestUpkeepSendsNothingAtIdle(t *testing.T) {
	f := newFixture(t)
	f.install(t, "https://127.0.0.1:1/")
	k := f.bootstrapped(t)
	f.run(t, k)
	f.settle(t)
	time.Sleep(3 * time.Second)
	if seen := f.requests.take(); len(seen) > 0 {
		t.Errorf("requests at idle: %v", seen)
	}
}

func TestKubectlApplyKeepsTheBundle(t *testing.T) {
	f := newFixture(t)
	f.install(t, "https://127.0.0.1:1/")
	k := f.bootstrapped(t)
	v := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := f.admin.Get(t.Context(), client.ObjectKey{Name: f.opts.Validating}, v); err != nil {
		t.Fatal(err)
	}
	// What kubectl apply sends for a manifest without a caBundle.
	patch := map[string]any{"webhooks": []any{map[string]any{"name": "one.kudo.dev", "timeoutSeconds": 5}}}
	body, err := json.Marshal(patch)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.admin.Patch(t.Context(), v, client.RawPatch(types.StrategicMergePatchType, body)); err != nil {
		t.Fatal(err)
	}
	if !f.trusted(t, k) {
		t.Error("the caBundle did not survive kubectl apply")
	}
	for _, m := range v.ManagedFields {
		if m.Manager == FieldManager && strings.Contains(m.FieldsV1.GetRawString(), "f:caBundle") {
			return
		}
	}
	t.Errorf("no field manager %s owns caBundle: %s", FieldManager, fmt.Sprint(v.ManagedFields))
}
