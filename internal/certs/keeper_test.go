// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"
)

func testOptions() Options {
	return Options{
		Secret:     types.NamespacedName{Namespace: "kudo-system", Name: "kudo-webhook-ca"},
		Service:    types.NamespacedName{Namespace: "kudo-system", Name: "kudo-webhook"},
		Validating: "kudo-validating",
		Mutating:   "kudo-mutating",
	}
}

func TestNewRefuses(t *testing.T) {
	tests := map[string]func(*Options){
		"no Secret name":      func(o *Options) { o.Secret.Name = "" },
		"no Secret namespace": func(o *Options) { o.Secret.Namespace = "" },
		"no Service":          func(o *Options) { o.Service = types.NamespacedName{} },
		"negative lifetime":   func(o *Options) { o.CALifetime = -1 },
		"leaf outlives CA":    func(o *Options) { o.LeafLifetime = DefaultCALifetime },
	}
	if _, err := New(testOptions()); err != nil {
		t.Fatalf("New: %v", err)
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			o := testOptions()
			spoil(&o)
			if k, err := New(o); err == nil {
				t.Errorf("New = %v, want an error", k)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	o := testOptions()
	o.ExtraHosts = []string{"127.0.0.1"}
	want := []string{
		"kudo-webhook.kudo-system", "kudo-webhook.kudo-system.svc",
		"kudo-webhook.kudo-system.svc.cluster.local", "127.0.0.1",
	}
	if diff := cmp.Diff(want, o.hosts()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
}

func TestReadiness(t *testing.T) {
	clk := testingclock.NewFakeClock(epoch)
	o := testOptions()
	o.Clock, o.CALifetime, o.LeafLifetime = clk, 30*time.Hour, 3*time.Hour
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if leaf, err := k.GetCertificate(nil); !errors.Is(err, ErrNotReady) || leaf != nil {
		t.Errorf("GetCertificate = %v, %v before there is one, want ErrNotReady", leaf, err)
	}
	if err := k.Check(nil); !errors.Is(err, ErrNotReady) {
		t.Errorf("Check = %v before there is a leaf, want ErrNotReady", err)
	}

	a := mustAuthority(t, epoch, o.CALifetime)
	k.contents = &contents{current: a, trusted: []*x509.Certificate{a.cert}}
	if _, err := k.renewLeaf(); err != nil {
		t.Fatalf("renewLeaf: %v", err)
	}
	if err := k.Check(nil); err != nil {
		t.Errorf("Check = %v with a leaf", err)
	}
	k.lagging.Store(&[]string{"MutatingWebhookConfiguration kudo-mutating"})
	if err := k.Check(nil); err == nil || !strings.Contains(err.Error(), "not trusted by MutatingWebhookConfiguration kudo-mutating") {
		t.Errorf("Check = %v, want it to name the configuration", err)
	}
	k.lagging.Store(nil)
	clk.Step(3 * time.Hour)
	if err := k.Check(nil); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("Check = %v after the end of the leaf, want expired", err)
	}
}

func TestLeafIsRenewedAtTwoThirds(t *testing.T) {
	clk := testingclock.NewFakeClock(epoch)
	o := testOptions()
	o.Clock, o.CALifetime, o.LeafLifetime = clk, 30*time.Hour, 3*time.Hour
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	a := mustAuthority(t, epoch, o.CALifetime)
	k.contents = &contents{current: a, trusted: []*x509.Certificate{a.cert}}
	next, err := k.renewLeaf()
	if err != nil {
		t.Fatalf("renewLeaf: %v", err)
	}
	first, _ := k.GetCertificate(nil)
	if !next.Equal(twoThirds(first.Leaf)) {
		t.Errorf("next = %v, want two thirds of the leaf, %v", next, twoThirds(first.Leaf))
	}
	for _, tc := range []struct {
		at      time.Time
		renewed bool
	}{{next.Add(-time.Second), false}, {next, true}} {
		clk.SetTime(tc.at)
		if _, err := k.renewLeaf(); err != nil {
			t.Fatalf("renewLeaf: %v", err)
		}
		if got, _ := k.GetCertificate(nil); (got != first) != tc.renewed {
			t.Errorf("at %v: renewed = %v, want %v", tc.at, got != first, tc.renewed)
		}
	}
}
