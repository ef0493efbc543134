// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// epoch is when the tests' fake clocks start.
var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func mustAuthority(t *testing.T, now time.Time, life time.Duration) *authority {
	t.Helper()
	a, err := newAuthority(now, life)
	if err != nil {
		t.Fatalf("newAuthority: %v", err)
	}
	return a
}

func mustLeaf(t *testing.T, a *authority, now time.Time, life time.Duration) *x509.Certificate {
	t.Helper()
	leaf, err := a.issueLeaf(now, life, []string{"kudo.kudo-system.svc"})
	if err != nil {
		t.Fatalf("issueLeaf: %v", err)
	}
	return leaf.Leaf
}

// verify checks a leaf as an API server that was given bundle would.
func verify(leaf *x509.Certificate, bundle []byte, host string, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	_, err := leaf.Verify(x509.VerifyOptions{
		DNSName: host, Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

func TestLeafServesItsHosts(t *testing.T) {
	ca := mustAuthority(t, epoch, time.Hour)
	leaf, err := ca.issueLeaf(epoch, time.Minute, []string{"kudo.ns", "kudo.ns.svc", "127.0.0.1", "::1"})
	if err != nil {
		t.Fatalf("issueLeaf: %v", err)
	}
	if diff := cmp.Diff([]string{"kudo.ns", "kudo.ns.svc"}, leaf.Leaf.DNSNames); diff != "" {
		t.Errorf("DNS names (-want +got):\n%s", diff)
	}
	if !leaf.Leaf.IPAddresses[0].Equal(net.ParseIP("127.0.0.1")) || !leaf.Leaf.IPAddresses[1].Equal(net.ParseIP("::1")) {
		t.Errorf("IP addresses = %v", leaf.Leaf.IPAddresses)
	}
	if curve := leaf.PrivateKey.(*ecdsa.PrivateKey).Curve; curve != elliptic.P256() {
		t.Errorf("curve = %v, want P-256", curve)
	}
	if leaf.Leaf.IsCA || !ca.cert.IsCA {
		t.Errorf("IsCA: leaf %v, CA %v", leaf.Leaf.IsCA, ca.cert.IsCA)
	}
}

func TestLeafVerification(t *testing.T) {
	ca, other := mustAuthority(t, epoch, time.Hour), mustAuthority(t, epoch, time.Hour)
	leaf := mustLeaf(t, ca, epoch, time.Minute)
	both := encodeCerts([]*x509.Certificate{other.cert, ca.cert})
	tests := map[string]struct {
		bundle []byte
		host   string
		at     time.Time
		ok     bool
	}{
		"its CA":                {encodeCerts([]*x509.Certificate{ca.cert}), "kudo.kudo-system.svc", epoch, true},
		"its CA among others":   {both, "kudo.kudo-system.svc", epoch, true},
		"a CA of the same name": {encodeCerts([]*x509.Certificate{other.cert}), "kudo.kudo-system.svc", epoch, false},
		"another host":          {both, "other.kudo-system.svc", epoch, false},
		"a clock behind":        {both, "kudo.kudo-system.svc", epoch.Add(-5 * time.Second), true},
		"expired":               {both, "kudo.kudo-system.svc", epoch.Add(61 * time.Second), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if err := verify(leaf, tc.bundle, tc.host, tc.at); (err == nil) != tc.ok {
				t.Errorf("verify = %v, want ok %v", err, tc.ok)
			}
		})
	}
}

func TestLeafNeverOutlivesItsCA(t *testing.T) {
	ca := mustAuthority(t, epoch, time.Hour)
	leaf := mustLeaf(t, ca, epoch.Add(50*time.Minute), 30*time.Minute)
	if !leaf.NotAfter.Equal(ca.cert.NotAfter) {
		t.Errorf("NotAfter = %v, want the CA's %v", leaf.NotAfter, ca.cert.NotAfter)
	}
}

func TestTwoThirds(t *testing.T) {
	c := &x509.Certificate{NotBefore: epoch, NotAfter: epoch.Add(90 * time.Minute)}
	if got, want := twoThirds(c), epoch.Add(time.Hour); !got.Equal(want) {
		t.Errorf("twoThirds = %v, want %v", got, want)
	}
}
