// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustData(t *testing.T, c *contents) map[string][]byte {
	t.Helper()
	data, err := c.data()
	if err != nil {
		t.Fatalf("data: %v", err)
	}
	return data
}

// pairOfCAs is a Secret in the middle of a rotation.
func pairOfCAs(t *testing.T) *contents {
	t.Helper()
	old, next := mustAuthority(t, epoch, time.Hour), mustAuthority(t, epoch, 2*time.Hour)
	return &contents{current: next, previous: old, trusted: []*x509.Certificate{next.cert, old.cert}}
}

func TestContentsSurviveTheSecret(t *testing.T) {
	c := pairOfCAs(t)
	got, err := parse(mustData(t, c))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	if !got.current.cert.Equal(c.current.cert) || !got.current.key.Equal(c.current.key) {
		t.Error("the current CA is another one")
	}
	if !got.previous.cert.Equal(c.previous.cert) || !got.previous.key.Equal(c.previous.key) {
		t.Error("the previous CA is another one")
	}
	if !bytes.Equal(got.bundle(), c.bundle()) {
		t.Error("the bundle is another one")
	}
	c.previous = nil
	if _, found := mustData(t, c)[PreviousKey]; found {
		t.Error("the key of a previous CA that is gone is still in the Secret")
	}
}

func TestParseRefusesGarbage(t *testing.T) {
	stranger, err := encodeKey(mustAuthority(t, epoch, time.Hour).key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := encodeCerts([]*x509.Certificate{mustLeaf(t, mustAuthority(t, epoch, time.Hour), epoch, time.Minute)})
	broken := pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: []byte("nonsense")})
	tests := map[string]struct {
		spoil func(map[string][]byte)
		// trusted is how many CA certificates can be saved.
		trusted int
		want    string
	}{
		"no bundle":          {func(d map[string][]byte) { delete(d, BundleKey) }, 0, "ca.crt: no CA certificate"},
		"bundle not PEM":     {func(d map[string][]byte) { d[BundleKey] = []byte("hello") }, 0, "ca.crt: not PEM"},
		"half a bundle":      {func(d map[string][]byte) { d[BundleKey] = append(d[BundleKey], "hello"...) }, 2, "ca.crt: not PEM"},
		"broken certificate": {func(d map[string][]byte) { d[BundleKey] = append(d[BundleKey], broken...) }, 2, "ca.crt: x509: malformed certificate"},
		"leaf as a CA":       {func(d map[string][]byte) { d[BundleKey] = leaf }, 0, "ca.crt: no CA certificate"},
		"no key":             {func(d map[string][]byte) { delete(d, SignerKey) }, 2, "ca.key: not PEM"},
		"key of another CA":  {func(d map[string][]byte) { d[SignerKey] = stranger }, 2, "ca.key: belongs to no certificate in ca.crt"},
		"previous not PEM":   {func(d map[string][]byte) { d[PreviousKey] = []byte("x") }, 2, "previous.key: not PEM"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			data := mustData(t, pairOfCAs(t))
			tc.spoil(data)
			got, err := parse(data)
			if err == nil || err.Error() != tc.want {
				t.Errorf("parse = %v, want %q", err, tc.want)
			}
			if got.current != nil {
				t.Error("parse returned a CA together with the error")
			}
			if len(got.trusted) != tc.trusted {
				t.Errorf("certificates saved = %d, want %d", len(got.trusted), tc.trusted)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	c := pairOfCAs(t)
	old, next := c.previous.cert, c.current.cert
	foreign := mustAuthority(t, epoch, 24*time.Hour).cert
	afterOld := epoch.Add(90 * time.Minute)
	onlyNext := &contents{current: c.current, trusted: []*x509.Certificate{next}}
	tests := map[string]struct {
		c      *contents
		bundle []byte
		now    time.Time
		want   bool
	}{
		"equal":                   {c, c.bundle(), epoch, true},
		"another order":           {c, encodeCerts([]*x509.Certificate{old, next}), epoch, true},
		"empty":                   {c, nil, epoch, false},
		"a line break only":       {c, []byte("\n"), epoch, false},
		"without the new CA":      {c, encodeCerts([]*x509.Certificate{old}), epoch, false},
		"without the old CA":      {c, encodeCerts([]*x509.Certificate{next}), epoch, false},
		"old CA missing, expired": {c, encodeCerts([]*x509.Certificate{next}), afterOld, true},
		"one CA more":             {onlyNext, c.bundle(), epoch, true},
		"one CA more, expired":    {onlyNext, c.bundle(), afterOld, false},
		"a stranger's CA":         {c, encodeCerts([]*x509.Certificate{next, old, foreign}), epoch, true},
		"garbage at the end":      {c, append(c.bundle(), "x"...), epoch, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.c.covers(tc.bundle, tc.now); got != tc.want {
				t.Errorf("covers = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestBundlePatch(t *testing.T) {
	c := pairOfCAs(t)
	tests := map[string]struct {
		hooks []hook
		want  []string
	}{
		"nothing to do": {hooks: []hook{{"a", c.bundle()}, {"b", c.bundle()}}},
		"no webhooks":   {},
		"one of two":    {hooks: []hook{{"a", c.bundle()}, {"b", nil}}, want: []string{"test /webhooks/1/name", "add /webhooks/1/clientConfig/caBundle"}},
		"both": {
			hooks: []hook{{"a", []byte("x")}, {"b", nil}},
			want: []string{
				"test /webhooks/0/name", "add /webhooks/0/clientConfig/caBundle",
				"test /webhooks/1/name", "add /webhooks/1/clientConfig/caBundle",
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			patch, err := c.bundlePatch(tc.hooks, epoch)
			if err != nil {
				t.Fatalf("bundlePatch: %v", err)
			}
			var ops []operation
			if patch != nil {
				if err := json.Unmarshal(patch, &ops); err != nil {
					t.Fatalf("the patch is not JSON: %v", err)
				}
			}
			var got []string
			for _, op := range ops {
				got = append(got, op.Op+" "+op.Path)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("operations (-want +got):\n%s", diff)
			}
		})
	}
}
