// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := NewAuthority("test", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func parse(t *testing.T, pair KeyPair) *x509.Certificate {
	t.Helper()
	if _, err := tls.X509KeyPair(pair.Cert, pair.Key); err != nil {
		t.Fatalf("key does not belong to the certificate: %v", err)
	}
	block, rest := pem.Decode(pair.Cert)
	if len(rest) != 0 {
		t.Error("certificate file holds more than one block")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func verify(a *Authority, cert *x509.Certificate, name string, usage x509.ExtKeyUsage) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.Pair.Cert)
	_, err := cert.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

func TestServerCertificate(t *testing.T) {
	a := newAuthority(t)
	pair, err := a.Server([]string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	cert := parse(t, pair)
	for _, name := range []string{"localhost", "127.0.0.1"} {
		if err := verify(a, cert, name, x509.ExtKeyUsageServerAuth); err != nil {
			t.Errorf("for %s: %v", name, err)
		}
	}
	if err := verify(a, cert, "example.com", x509.ExtKeyUsageServerAuth); err == nil {
		t.Error("certificate is good for a name it was not made for")
	}
	if err := verify(a, cert, "", x509.ExtKeyUsageClientAuth); err == nil {
		t.Error("serving certificate is good as a client certificate")
	}
	if err := verify(newAuthority(t), cert, "localhost", x509.ExtKeyUsageServerAuth); err == nil {
		t.Error("another authority accepts the certificate")
	}
}

func TestClientCertificateNamesUserAndGroups(t *testing.T) {
	a := newAuthority(t)
	pair, err := a.Client("admin", "dev", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	cert := parse(t, pair)
	if err := verify(a, cert, "", x509.ExtKeyUsageClientAuth); err != nil {
		t.Error(err)
	}
	if cert.Subject.CommonName != "admin" {
		t.Errorf("user is %q", cert.Subject.CommonName)
	}
	if diff := cmp.Diff([]string{"dev", "system:masters"}, cert.Subject.Organization); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestLoadedAuthoritySignsLikeTheFirst(t *testing.T) {
	first := newAuthority(t)
	if !parse(t, first.Pair).IsCA {
		t.Error("authority's certificate is not one of an authority")
	}
	loaded, err := LoadAuthority(first.Pair, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := loaded.Client("someone")
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(first, parse(t, pair), "", x509.ExtKeyUsageClientAuth); err != nil {
		t.Error(err)
	}
}

func TestLoadAuthorityRefusesGarbage(t *testing.T) {
	good := newAuthority(t).Pair
	for name, pair := range map[string]KeyPair{
		"empty":    {},
		"no key":   {Cert: good.Cert},
		"swapped":  {Cert: good.Key, Key: good.Cert},
		"not DER":  {Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), Key: good.Key},
		"no block": {Cert: []byte("x"), Key: []byte("y")},
	} {
		if _, err := LoadAuthority(pair, time.Now); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
